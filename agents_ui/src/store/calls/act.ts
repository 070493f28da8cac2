// What a verb does when it is asked for, by button or by key; a key that is not possible now says why.
import { translate } from "../../i18n";
import { controls, isConsulting } from "../../lib/controls";
import { answer, hangUp, phoneState, reject, setMuted } from "../../phone";
import { floorCall } from "../../phone/floor";
import type { CallView } from "../../wire/types";
import { askHelp, conference, isMoving, mover, plain, record, useCommands, type Verb } from "./commands";
import { currentCall, myCalls, myPart } from "../desk/desk";
import { openPicker, usePanel } from "./panel";
import { isConnected } from "../session/reach";
import { toast, useStore } from "../desk/store";

/** What a phone in this window does itself, at once. True when nothing is left to ask the server for. */
function byPhone(verb: Verb, call: CallView): boolean {
  const sip = phoneState().call;
  if (!sip || floorCall(useStore.getState().desk, sip)?.call.call !== call.call) return false;
  if (verb === "answer" && sip.state === "ringing") {
    answer();
    return true;
  }
  if (verb === "hangup") {
    (sip.state === "ringing" ? reject : hangUp)();
    return true;
  }
  // The PBX is told as well, so that the panel, the other window and the supervisor see the same.
  if (verb === "mute" || verb === "unmute") setMuted(verb === "mute");
  return false;
}

export function act(verb: Verb, call: CallView): void {
  const { set, keypad } = usePanel.getState();
  if (byPhone(verb, call)) return;
  switch (verb) {
    case "consult":
    case "transfer":
      return openPicker(verb, call.call);
    case "conference": {
      if (isConsulting(myPart(useStore.getState().desk, call.call))) void conference(call.call, null);
      else openPicker("conference", call.call);
      return;
    }
    case "record-start": case "record-pause": case "record-resume": case "record-stop":
      return void record(verb, call.call);
    case "dtmf":
      return set({ keypad: keypad === call.call ? null : call.call });
    case "help":
      return void askHelp(call.call, null);
    case "answer": case "hangup": case "hold": case "retrieve": case "mute": case "unmute":
    case "alternate": case "complete": case "cancel": case "park": case "pick-up":
      return void plain(verb, call.call);
  }
}

/** Does the first of these verbs that the call on the screen knows. */
export function actByKey(verbs: Verb[]): void {
  const { desk, selected } = useStore.getState();
  const shown = currentCall(desk, selected);
  // Answering goes to what rings, wherever I look.
  const rings = (entry: CallView) => myPart(desk, entry.call)?.state === "ringing";
  const call = verbs.includes("answer") && !(shown && rings(shown)) ? myCalls(desk).find(rings) : shown;
  if (!call) return;
  const table = controls(myPart(desk, call.call), isConnected(call.pbx));
  const verb = verbs.find((candidate) => candidate in table);
  if (!verb) return;
  const other = isMoving(verb) ? mover(useCommands.getState().running, call.call) : null;
  if (verb === "answer" && desk.me?.shift?.answers === false) {
    toast({ tone: "info", text: translate("controls.answer_at", { phone: desk.me.shift.extension ?? "" }) });
    return;
  }
  const why = table[verb] ? translate(`cannot.${table[verb]}`) : other && other !== verb ? translate("cannot.moving", { what: translate(`verb.${other}`) }) : null;
  if (why) toast({ tone: "bad", about: translate(`verb.${verb}`), text: why });
  else act(verb, call);
}
