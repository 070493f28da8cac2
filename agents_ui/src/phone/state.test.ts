// The phone's states as tables: what it was, what happened, what it is.
import { describe, expect, test } from "vitest";
import type { Figures } from "./quality";
import { registered, silent, step, type PhoneEvent, type PhoneState, type Registration } from "./state";

const is = (name: Registration["name"], since = 1, part: Partial<Registration> = {}): Registration => ({ name, since, fault: null, detail: null, attempt: 0, ...part });
const lost = (at: number): PhoneEvent => ({ type: "lost", at, fault: "closed", detail: "1006" });

describe("registration", () => {
  const table: [string, Registration, PhoneEvent, Registration][] = [
    ["starts", is("off"), { type: "opening", at: 5 }, is("connecting", 5)],
    ["is there", is("connecting"), { type: "registered", at: 5 }, is("registered", 5)],
    ["a renewal is no news", is("registered"), { type: "registered", at: 5 }, is("registered", 1)],
    ["is lost", is("registered"), lost(5), is("lost", 5, { fault: "closed", detail: "1006", attempt: 1 })],
    ["lost stays lost since the first time", is("lost", 1, { attempt: 1 }), lost(5), is("lost", 1, { fault: "closed", detail: "1006", attempt: 2 })],
    ["never came up", is("connecting"), lost(5), is("lost", 5, { fault: "closed", detail: "1006", attempt: 1 })],
    ["comes back", is("lost", 1, { attempt: 3 }), { type: "registered", at: 5 }, is("registered", 5)],
    ["goes to another window", is("registered"), { type: "elsewhere", at: 5 }, is("elsewhere", 5)],
    ["the line that closes then is no loss", is("elsewhere"), lost(5), is("elsewhere")],
    ["a late answer does not bring it back", is("elsewhere"), { type: "registered", at: 5 }, is("elsewhere")],
    ["is taken back", is("elsewhere"), { type: "opening", at: 5 }, is("connecting", 5)],
    ["cannot be", is("connecting"), { type: "off", at: 5, reason: "insecure" }, is("off", 5, { fault: "insecure" })],
    ["a closed line of a phone that is off", is("off"), lost(5), is("off")],
  ];
  test.each(table)("%s", (_name, before, event, after) => expect(registered(before, event)).toEqual(after));
});

const rang: PhoneEvent = { type: "rang", at: 10, id: "a", number: "1001", name: "Li Wei" };
const play = (...events: PhoneEvent[]): PhoneState => events.reduce(step, silent);
const figures: Figures = { packetsIn: 100, packetsOut: 100, lossIn: 0, lossOut: 0, jitterMs: 2, roundTripMs: 20, levelIn: 0.1, levelOut: 0.1, flow: 50 };
const measured = (at: number, part: Partial<Extract<PhoneEvent, { type: "measured" }>> = {}): PhoneEvent =>
  ({ type: "measured", at, quality: "good", figures, deaf: false, dumb: false, ...part });

describe("a call", () => {
  const told = (...events: PhoneEvent[]) => {
    const { call } = play(...events);
    return call && [call.id, call.state, call.by, call.since];
  };
  const answering: PhoneEvent = { type: "answering", id: "a", by: "agent" };
  const answered: PhoneEvent = { type: "answered", at: 12, id: "a" };
  const table: [string, PhoneEvent[], unknown][] = [
    ["rings", [rang], ["a", "ringing", null, 10]],
    ["is being answered", [rang, answering], ["a", "answering", "agent", 10]],
    ["a second answer changes nothing", [rang, answering, { type: "answering", id: "a", by: "server" }], ["a", "answering", "agent", 10]],
    ["is spoken on", [rang, answering, answered], ["a", "talking", "agent", 12]],
    ["rings on without a microphone", [rang, answering, { type: "not_answered", id: "a", trouble: "mic_denied" }], ["a", "ringing", null, 10]],
    ["another one that rings meanwhile is not taken", [rang, { ...rang, id: "b" } as PhoneEvent], ["a", "ringing", null, 10]],
    ["ends", [rang, answering, answered, { type: "ended", at: 20, id: "a", by: "them" }], null],
    ["the end of another one is not its end", [rang, { type: "ended", at: 20, id: "b", by: "them" }], ["a", "ringing", null, 10]],
    ["is not answered after its end", [rang, { type: "ended", at: 20, id: "a", by: "them" }, answered], null],
  ];
  test.each(table)("%s", (_name, events, after) => expect(told(...events)).toEqual(after));

  test("says when nobody hung up, until it is read or the next one rings", () => {
    const speaking = [rang, answering, answered];
    expect(play(...speaking, { type: "ended", at: 20, id: "a", by: "me" }).dropped).toBeNull();
    const broken = play(...speaking, { type: "ended", at: 20, id: "a", by: "network" });
    expect(broken.dropped).toEqual({ at: 20 });
    expect(step(broken, { type: "read" }).dropped).toBeNull();
    expect(step(broken, rang).dropped).toBeNull();
  });

  test("mute is of one call", () => {
    const muted = play(rang, answering, answered, { type: "muted", on: true });
    expect(muted.muted).toBe(true);
    expect(step(muted, { type: "ended", at: 20, id: "a", by: "me" }).muted).toBe(false);
    expect(step(silent, { type: "muted", on: true }).muted).toBe(false);
  });

  test("silence is told since when, and sound ends it", () => {
    const deaf = play(rang, answering, answered, measured(15, { deaf: true }), measured(16, { deaf: true }));
    expect([deaf.deafSince, deaf.dumbSince]).toEqual([15, null]);
    expect(step(deaf, measured(17)).deafSince).toBeNull();
  });

  test("what is measured before the answer or after the end is nobody's", () => {
    expect(play(rang, measured(11)).figures).toBeNull();
    expect(play(rang, answering, answered, measured(13), { type: "ended", at: 20, id: "a", by: "me" }).quality).toBe("none");
  });

  test("the answer of a call that was to come back says that it is back", () => {
    const coming = play({ type: "recovery", recovery: { call: "x", state: "coming", code: null, detail: null } }, rang, { type: "answering", id: "a", by: "return" });
    expect(coming.recovery?.state).toBe("coming");
    expect(step(coming, answered).recovery).toBeNull();
  });
});

test("a device that is not there is named until it is there again", () => {
  const gone = step(silent, { type: "missing", device: "mic", label: "Headset" });
  expect(gone.missing).toEqual({ mic: "Headset" });
  expect(step(gone, { type: "missing", device: "mic", label: null }).missing).toEqual({});
});
