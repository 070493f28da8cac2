// A card or a list of help that is asked for while events come: by REST with its header, through the real stores.
import { beforeEach, expect, test, vi } from "vitest";
import { callOf, me, partOf, wangCard } from "../../dev/people";
import { useTransport } from "../../wire/api";
import type { Card, Frame, HelpRequest } from "../../wire/types";
import { emptyDesk } from "../desk/desk";
import { useStore } from "../desk/store";
import { loadHelp } from "../rooms/help";
import { refreshCard, refreshCards } from "./cards";

const id = wangCard.call;
let asked: string[];
let answer: (body: unknown, positions: Record<string, number> | null) => void;

const card = (remarks: string, version = 4): Card => ({ ...wangCard, customer: { ...wangCard.customer!, remarks, version } });
const shown = () => useStore.getState().desk.cards[id]?.customer?.remarks;
const event = (kind: string, body: unknown, stream: string, seq: number) => useStore.getState().receive({ type: "event", stream, seq, at: "", kind, body } as Frame);

beforeEach(() => {
  asked = [];
  vi.stubGlobal("location", { pathname: "/" });
  useTransport((path) => {
    asked.push(path);
    return new Promise((resolve) => {
      answer = (body, positions) => resolve(new Response(JSON.stringify(body), { status: 200, headers: positions ? { "CTI-Positions": JSON.stringify(positions) } : {} }));
    });
  });
  useStore.setState({ desk: emptyDesk });
  useStore.getState().receive({
    type: "welcome", server_time: "", heartbeat_s: 5, positions: { "pbx:demo": 10, desk: 3 }, provisional: [], resumed: false,
    snapshot: { me, links: {}, calls: [callOf(wangCard)], parts: [partOf()], cards: { [id]: null }, queues: [] },
  });
});

test("an event overtakes the answer: the event stands", async () => {
  const reading = refreshCard(id);
  event("card.changed", { call: id, card: card("by event") }, "pbx:demo", 11);
  answer(card("by REST"), { "pbx:demo": 10, desk: 3 });
  expect([await reading, shown()]).toEqual([true, "by event"]);
});

test("an answer that is as new as the event is taken", async () => {
  event("card.changed", { call: id, card: card("by event") }, "pbx:demo", 11);
  const reading = refreshCard(id);
  answer(card("by REST"), { "pbx:demo": 11, desk: 3 });
  expect([await reading, shown()]).toEqual([true, "by REST"]);
});

test("a customer changed: the cards that show an older version are read anew, those that do not are not", async () => {
  event("card.changed", { call: id, card: card("old") }, "pbx:demo", 11);
  event("customer.changed", { customer: 7, version: 4 }, "desk", 4);
  refreshCards(7);
  event("customer.changed", { customer: 7, version: 5 }, "desk", 5);
  refreshCards(7);
  expect(asked).toEqual([`/api/calls/${encodeURIComponent(id)}/card`]);
  answer(card("new", 5), { "pbx:demo": 11, desk: 5 });
  await vi.waitFor(() => expect(shown()).toBe("new"));
});

test("help: the list that was read first does not undo what was taken meanwhile; a failed reading empties nothing", async () => {
  const help = (state: HelpRequest["state"]): HelpRequest =>
    ({ id: 6, call: id, interaction: 612, agent: { id: 4, name: "Wang Fang" }, said: null, state, asked_at: "", taken_by: null, taken_at: null, done_at: null });
  const reading = loadHelp();
  event("help.changed", { help: help("taken") }, "desk", 4);
  answer([help("open")], { "pbx:demo": 10, desk: 3 });
  await reading;
  expect(useStore.getState().desk.help[6]?.state).toBe("taken");
  useTransport(() => Promise.reject(new TypeError("Failed to fetch")));
  await loadHelp();
  expect(useStore.getState().desk.help[6]?.state).toBe("taken");
});
