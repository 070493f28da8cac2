// A registered SIP line, by JsSIP. It keeps itself registered: a closed socket and a refusal are tried again with
// growing, random pauses; a socket that says nothing is asked, and dropped when it does not answer.
import { UA } from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { Socket } from "jssip/lib/Socket";
import type { Softphone } from "../wire/types";
import { backoff } from "../wire/socket";
import type { EndedBy, Line, LineEvents, LineFault, Session } from "./sip";
import { WatchedSocket } from "./socket";

const EXPIRES_S = 180;
/** Asterisk asks each browser phone every 30 s (qualify_frequency); a longer silence is odd. */
const SILENCE_MS = 40_000;
const ANSWER_WITHIN_MS = 4000;
const RENEW_MS = 90_000;
const GATHER_MS = 1000;
/** By us and never over the wire: JsSIP's causes (lib/Constants) when nobody hung up. */
const unheard: ReadonlySet<string> = new Set(["Connection Error", "Request Timeout", "RTP Timeout", "Dialog Error", "Internal Error", "WebRTC Error", "No ACK"]);

export function openLine(account: Softphone, events: LineEvents): Line {
  const socket = new WatchedSocket(account.url);
  const ua = new UA({
    sockets: socket as unknown as Socket,
    uri: account.uri,
    authorization_user: account.user,
    password: account.password,
    display_name: account.display_name,
    register_expires: EXPIRES_S,
    session_timers: false,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 12,
    user_agent: "CTI Desk",
  });
  let asking: ReturnType<typeof setTimeout> | undefined;
  let retrying: ReturnType<typeof setTimeout> | undefined;
  let refusals = 0;
  let renewedAt = 0;
  let taking = true;

  // A hidden tab's timers come once a minute: RENEW_MS and that are still within EXPIRES_S.
  const watch = setInterval(() => tend(), 5000);

  function tend(): void {
    if (!taking || !socket.isConnected()) return;
    const now = Date.now();
    if (now - socket.heardAt > SILENCE_MS) look();
    else if (ua.isRegistered() && now - renewedAt > RENEW_MS) renew();
  }

  function renew(): void {
    renewedAt = Date.now();
    ua.register();
  }

  function look(): void {
    if (!taking) return;
    if (!socket.isConnected()) {
      // JsSIP's own pause may be long yet. Its transport ignores this while it is connecting.
      (ua as unknown as { transport: { connect(): void } }).transport.connect();
      return;
    }
    if (asking) return;
    const before = socket.heardAt;
    renew();
    asking = setTimeout(() => {
      asking = undefined;
      if (socket.heardAt === before) socket.drop();
    }, ANSWER_WITHIN_MS);
  }

  function lost(fault: LineFault, detail: string): void {
    clearTimeout(asking);
    asking = undefined;
    if (taking) events.lost(fault, detail);
  }

  ua.on("connected", () => { refusals = 0; });
  ua.on("disconnected", ({ code, reason }) => {
    lost(reason === "silent" ? "silent" : reason === "forbidden" ? "insecure" : code === 1006 ? "unreachable" : "closed", String(reason || code || ""));
  });
  ua.on("registered", () => {
    refusals = 0;
    renewedAt = Date.now();
    clearTimeout(asking);
    asking = undefined;
    if (taking) events.registered();
  });
  ua.on("registrationFailed", ({ cause, response }) => {
    if (!socket.isConnected()) return; // told as disconnected
    refusals += 1;
    const status = (response as { status_code?: number } | null)?.status_code;
    lost(status ? "refused" : "timeout", status ? `${status} ${cause ?? ""}`.trim() : String(cause ?? ""));
    clearTimeout(retrying);
    // A wrong password mends itself only when somebody changes it: asked again, but seldom.
    retrying = setTimeout(() => { if (taking && socket.isConnected()) renew(); }, backoff(Math.min(refusals + 3, 7), Math.random));
  });
  ua.on("newRTCSession", ({ originator, session }: { originator: string; session: RTCSession }) => {
    if (originator !== "remote" || !taking) return;
    events.rang(sessionOf(session, account));
  });
  ua.start();

  return {
    look,
    letGo: () => {
      if (!taking) return;
      taking = false;
      clearInterval(watch);
      clearTimeout(asking);
      clearTimeout(retrying);
      if (ua.isRegistered()) ua.unregister();
    },
    close: () => {
      taking = false;
      clearInterval(watch);
      clearTimeout(asking);
      clearTimeout(retrying);
      ua.stop();
    },
  };
}

function sessionOf(session: RTCSession, account: Softphone): Session {
  const { remote_identity: caller } = session;
  const end = (status?: number) => {
    if (!session.isEnded()) session.terminate(status && !session.isEstablished() ? { status_code: status } : {});
  };
  return {
    id: session.id,
    number: caller.uri.user && caller.uri.user !== "anonymous" ? caller.uri.user : null,
    name: caller.display_name || null,
    listen: (events) => {
      session.on("accepted", () => events.answered());
      session.on("peerconnection", ({ peerconnection }) => {
        peerconnection.addEventListener("track", ({ streams, track }) => events.heard(streams[0] ?? new MediaStream([track])));
      });
      const over = (event: { originator: string; cause: string }) => events.ended(endedBy(event), event.cause);
      session.on("ended", over);
      session.on("failed", over);
      hurryIce(session);
    },
    answer: (microphone) => session.answer({ mediaStream: microphone, pcConfig: { iceServers: account.ice } }),
    end,
    press: (digits) => {
      const sender = session.connection?.getSenders().find((one) => one.dtmf);
      sender?.dtmf?.insertDTMF(digits, 120, 80);
    },
    peer: () => session.connection ?? null,
  };
}

function endedBy({ originator, cause }: { originator: string; cause: string }): EndedBy {
  if (unheard.has(cause)) return "network";
  return originator === "remote" ? "them" : "me";
}

/** JsSIP answers when all candidates are found, and an unreachable STUN server takes 10 s: the answer waits 1 s. */
function hurryIce(session: RTCSession): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  session.on("icecandidate", ({ candidate, ready }) => {
    if (/ typ (srflx|relay) /.test(candidate.candidate)) ready();
    else timer ??= setTimeout(ready, GATHER_MS);
  });
}
