// What stays on this desktop and why: a call because I have a part in it or an open topic shows it, a queue because I serve
// it or an open topic shows it. Pure.
import type { CallView, QueueView } from "../../wire/types";
import { isShown, pbxStream, queueKey, without, type Desk } from "./desk";

export function keepsCall(desk: Desk, call: CallView): boolean {
  const stream = pbxStream(call.pbx);
  return call.call in desk.parts || isShown(desk, `call:${call.call}`, stream) || (call.state !== "ended" && isShown(desk, "floor", stream));
}

export function keepsQueue(desk: Desk, { pbx, queue }: Pick<QueueView, "pbx" | "queue">): boolean {
  const key = queueKey(pbx, queue);
  const stream = pbxStream(pbx);
  return desk.serving.includes(key) || isShown(desk, "floor", stream) || isShown(desk, `queue:${key}`, stream);
}

/** The call as it is now. One that is not kept goes, with its card. */
export function withCall(desk: Desk, call: CallView): Desk {
  if (keepsCall(desk, call)) return { ...desk, calls: { ...desk.calls, [call.call]: call } };
  return withoutCall(desk, call.call);
}

export function withoutCall(desk: Desk, call: string): Desk {
  if (!(call in desk.calls) && !(call in desk.cards)) return desk;
  return {
    ...desk, calls: without(desk.calls, call), cards: without(desk.cards, call), handovers: without(desk.handovers, call),
    marks: without(desk.marks, `card:${call}`),
  };
}

/** After a topic was closed or my parts or queues changed: drops what nothing keeps any more. */
export function prune(desk: Desk): Desk {
  const gone = Object.values(desk.calls).filter((call) => !keepsCall(desk, call));
  const queues = Object.entries(desk.queues).filter(([, queue]) => keepsQueue(desk, queue));
  const open = (topic: string) => (desk.topics[topic]?.streams.length ?? 0) > 0;
  return {
    ...gone.reduce((left, call) => withoutCall(left, call.call), desk),
    queues: Object.fromEntries(queues),
    members: Object.fromEntries(Object.entries(desk.members).filter(([key]) => open(`queue:${key}`))),
    opened: Object.fromEntries(Object.entries(desk.opened).filter(([call]) => open(`call:${call}`))),
    team: open("team") ? desk.team : {},
  };
}
