// The pure fold of topics: opened and closed on this screen, shown or refused by the server. What a topic shows is put in
// place whole, stream by stream; events of the topic that follow are newer.
import type { FloorSnapshot, PromiseView, Refused, Shown, TopicSnapshot } from "../../wire/types";
import { putPromises } from "./cards";
import { byId, newest, pbxStream, queueKey, type Desk } from "./desk";
import { prune } from "./keeping";

/** The newest this many customers' versions and histories are kept. */
export const KEPT_CUSTOMERS = 200;

export function withOpened(desk: Desk, opened: string[]): Desk {
  const added = opened.filter((topic) => !(topic in desk.topics)).map((topic) => [topic, { streams: [], refused: null }]);
  return added.length ? { ...desk, topics: { ...desk.topics, ...Object.fromEntries(added) } } : desk;
}

export function withClosed(desk: Desk, closed: string[]): Desk {
  const left = Object.entries(desk.topics).filter(([topic]) => !closed.includes(topic));
  return left.length === Object.keys(desk.topics).length ? desk : prune({ ...desk, topics: Object.fromEntries(left) });
}

export function withWatching(desk: Desk, frame: Shown | Refused): Desk {
  const before = desk.topics[frame.topic];
  // Closed here while the answer was on its way.
  if (!before) return desk;
  if ("refused" in frame) return prune({ ...desk, topics: { ...desk.topics, [frame.topic]: { streams: [], refused: frame.refused } } });
  const streams = before.streams.includes(frame.stream) ? before.streams : [...before.streams, frame.stream];
  return put({ ...desk, topics: { ...desk.topics, [frame.topic]: { streams, refused: null } } }, frame);
}

function put(desk: Desk, { topic, stream, seq, snapshot }: Shown): Desk {
  if (topic === "floor") return withFloor(desk, stream, snapshot as FloorSnapshot);
  if ("team" in snapshot) return { ...desk, team: { ...desk.team, ...Object.fromEntries(snapshot.team.map((member) => [member.agent, member])) } };
  if ("members" in snapshot) return withQueue(desk, snapshot);
  if ("parts" in snapshot) {
    const call = topic.slice("call:".length);
    const parts = Object.fromEntries(snapshot.parts.map((part) => [part.position, part]));
    const opened = { ...desk.opened, [call]: parts };
    return snapshot.call ? { ...desk, opened, calls: { ...desk.calls, [call]: snapshot.call } } : { ...desk, opened };
  }
  if ("promises" in snapshot) return withCustomer(desk, snapshot, stream, seq);
  return desk;
}

/** All calls and queues of one PBX: those that are no longer there go, mine stay. */
function withFloor(desk: Desk, stream: string, { calls, queues }: FloorSnapshot): Desk {
  const mine = (call: string) => call in desk.parts || `call:${call}` in desk.topics;
  const others = Object.entries(desk.calls).filter(([id, call]) => pbxStream(call.pbx) !== stream || mine(id));
  const elsewhere = Object.entries(desk.queues).filter(([, queue]) => pbxStream(queue.pbx) !== stream);
  return {
    ...desk,
    calls: { ...Object.fromEntries(others), ...Object.fromEntries(calls.map((call) => [call.call, call])) },
    queues: { ...Object.fromEntries(elsewhere), ...Object.fromEntries(queues.map((queue) => [queueKey(queue.pbx, queue.queue), queue])) },
  };
}

function withQueue(desk: Desk, { queue, members }: Extract<TopicSnapshot, { members: unknown }>): Desk {
  const key = queueKey(queue.pbx, queue.queue);
  const listed = Object.fromEntries(members.map((member) => [member.interface, member]));
  return { ...desk, queues: { ...desk.queues, [key]: queue }, members: { ...desk.members, [key]: listed } };
}

/** The customer's version, and the promises to them that are open: others of theirs were settled meanwhile. */
function withCustomer(desk: Desk, { customer, version, promises }: Extract<TopicSnapshot, { promises: unknown }>, stream: string, seq: number): Desk {
  const named = new Set(promises.map((promise) => promise.id));
  const settled = (promise: PromiseView) => promise.customer.id === customer && promise.state === "open" && !named.has(promise.id);
  const left = Object.values(desk.promises).filter((promise) => !settled(promise));
  const versions = version === null ? desk.versions : newest(desk.versions, String(customer), version, KEPT_CUSTOMERS);
  // What was read of this customer before the topic was open may have missed a change: see Timeline.
  const histories = newest(desk.histories, String(customer), seq, KEPT_CUSTOMERS);
  return putPromises({ ...desk, promises: byId(left), versions, histories }, promises, { [stream]: seq });
}
