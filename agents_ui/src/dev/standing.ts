// What the server says one may do from each standing, for stories and tests: as its own table does.
import type { CallView, PartState, PartView, Standing } from "../wire/types";

type Can = PartView["can"];

export const standingOf: Record<PartState, Standing> = {
  ringing: "ringing", talking: "talking", hold: "hold", consulting: "consulting", wrap_up: "wrap_up", left: "none",
};

function recordings(recording: CallView["recording"], wait: string | null = null): Can {
  if (recording === "on") return { "recording/pause": null, "recording/stop": null };
  if (recording === "paused") return { "recording/resume": null, "recording/stop": null };
  return { "recording/start": wait };
}

export function canFrom(standing: Standing, muted = false, recording: CallView["recording"] = "on"): Can {
  const mute: Can = muted ? { unmute: null } : { mute: null };
  const wait = standing === "reaching" ? "not_answered" : null;
  switch (standing) {
    case "ringing":
      return { answer: null, hangup: null };
    case "calling":
      return { hold: "calling", ...mute, dtmf: "calling", hangup: null };
    case "talking":
      return { hold: null, ...mute, dtmf: null, consult: null, transfer: null, conference: null, park: null, ...recordings(recording), reconnect: null, hangup: null };
    case "hold":
      return { retrieve: null, ...mute, dtmf: "on_hold", consult: null, transfer: null, conference: null, park: null, ...recordings(recording, "on_hold"), reconnect: null, hangup: null };
    case "phone_hold":
      return { retrieve: "phone_holds", ...mute, dtmf: "phone_holds", consult: "phone_holds", transfer: null, conference: "phone_holds", park: null, ...recordings(recording, "phone_holds"), reconnect: null, hangup: null };
    case "reaching": case "consulting": case "alternated":
      return { complete: null, conference: wait, alternate: wait, cancel: null, hold: "consulting", ...mute, dtmf: wait, ...recordings(recording, wait), hangup: null };
    case "consulted":
      return { hold: "consulted", ...mute, dtmf: null, ...recordings(recording), hangup: null };
    case "conference":
      return {
        hold: "in_conference", ...mute, dtmf: null, consult: "in_conference", transfer: "in_conference", conference: null, park: "in_conference", drop: null,
        ...recordings(recording), hangup: null,
      };
    case "alone":
      return { ...mute, conference: null, hangup: null };
    case "waiting":
      return {
        hold: "not_answered", ...mute, dtmf: "not_answered", consult: "not_answered", transfer: "not_answered", conference: "not_answered", park: "not_answered",
        ...recordings(recording, "not_answered"), hangup: null,
      };
    default:
      return {};
  }
}
