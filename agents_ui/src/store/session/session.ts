// One signed-in session: opens the socket, feeds the store, keeps the drafts, and ends it all on sign-out.
import { api, ProblemError } from "../../wire/api";
import { forgetClock, syncClock } from "../../wire/clock";
import { connect, type Wire } from "../../wire/socket";
import type { Card, Frame, Me, PartyState } from "../../wire/types";
import { applyLanguage } from "../../i18n";
import { Drafts, type Kept } from "../drafts/drafts";
import { tellEvent } from "../desk/events";
import { emptyDesk, myParty } from "../desk/fold";
import { myCalls, toast, useStore } from "../desk/store";
import { loadRooms, openRooms } from "../rooms/rooms";
import { beginShift, endShift, needsShift } from "../shift/shift";
import { forgetToday, refreshToday, useToday } from "../rooms/today";

const endsPart: ReadonlySet<string> = new Set(["call.ended", "call.offer_ended", "call.wrapped", "call.identified", "interaction.changed"]);
let live: ReturnType<typeof connect> | null = null;
let drafts: Drafts | null = null;
let closeRooms: (() => void) | null = null;
/** The phone to begin the shift at, once the wire is open to hear what becomes of it; null is the one of last time. */
let arriving: { phone: string | null } | null = null;

export function noteDrafts(): Drafts | null {
  return drafts;
}

export function keepDrafts(agent: number): Drafts {
  drafts = new Drafts({ agent, storage: localStorage, save: saveDraft });
  return drafts;
}

async function saveDraft(interaction: number, draft: Kept): Promise<unknown> {
  try {
    return await api.saveDraft(interaction, draft);
  } catch (error) {
    // Finished meanwhile: its note can still be changed, and what was typed here is not lost.
    if (error instanceof ProblemError && error.code === "finished") return api.saveNote(interaction, draft.note ?? "");
    throw error;
  }
}

/** Another window of this browser typed. */
function followStorage(event: StorageEvent): void {
  drafts?.follow(event.key, event.newValue);
}

/** Finds out whether the cookie still holds; anything but a 401 keeps trying, for the server may be restarting. */
export async function resumeSession(): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      begin(await api.me());
      return;
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401) {
        useStore.getState().set({ phase: "signed_out" });
        return;
      }
      useStore.getState().set({ socket: { name: "lost", since: Date.now(), attempt: attempt + 1 } });
      await new Promise((resolve) => setTimeout(resolve, Math.min(5000, 500 * 2 ** attempt)));
    }
  }
}

/** `arrival` is there after a sign-in and begins the shift; a reload finds the shift as it is. */
export function begin(me: Me, arrival: { phone: string | null } | null = null): void {
  arriving = arrival;
  const store = useStore.getState();
  store.set({ phase: "signed_in", desk: { ...emptyDesk, me }, selected: null });
  void applyLanguage(me.language);
  if (!me.seat && me.role !== "agent") {
    // Who supervises without a phone has no calls of their own: the floor is their desk.
    useToday.setState({ everyone: true });
    if (store.path === "/") store.set({ path: "/floor" });
  }
  keepDrafts(me.id);
  addEventListener("storage", followStorage);
  closeRooms?.();
  closeRooms = openRooms();
  live?.close();
  live = connect({
    open: () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`) as unknown as Wire,
    ticket: async () => (await api.ticket()).ticket,
    positions: () => {
      const { positions } = useStore.getState().desk;
      return Object.keys(positions).length ? positions : null;
    },
    onFrame: receive,
    onState: (socket) => {
      useStore.getState().set({ socket });
      if (socket.name === "open") drafts?.flushAll();
      if (socket.name === "signed_out") end();
    },
  });
}

export function receive(frame: Frame): void {
  if (frame.type === "welcome" || frame.type === "heartbeat") syncClock(frame.server_time);
  const before = useStore.getState();
  const mineBefore = new Map(myCalls(before.desk).map((call) => [call.call, myParty(call, before.desk.me)?.state]));
  before.receive(frame);
  const { desk, selected, pendingState } = useStore.getState();
  if (frame.type === "event" && desk.positions !== before.desk.positions) tellEvent(frame);
  if (frame.type === "welcome") arrive(frame.snapshot !== null);
  const mine = myCalls(desk);
  for (const call of mine) {
    if (call.interaction !== null) drafts?.bind(call.call, call.interaction);
  }
  // A reload stays on the page that was open: its calls are not new.
  const reloaded = frame.type === "welcome" && Object.keys(before.desk.positions).length === 0;
  if (!reloaded) chooseTab(mineBefore, selected);
  if (pendingState && frame.type === "event" && frame.kind === "command.done" && frame.body.request === pendingState.request) {
    useStore.getState().set({ pendingState: null });
    if (!frame.body.ok) toast({ tone: "bad", ...(frame.body.problem ? { problem: frame.body.problem } : {}) });
  }
  if (frame.type === "welcome" || (frame.type === "event" && endsPart.has(frame.kind))) refreshToday();
  if (frame.type === "event" && frame.kind === "customer.changed") refreshCards(frame.body.customer, frame.body.version);
}

function arrive(fresh: boolean): void {
  if (fresh) loadRooms();
  const { me } = useStore.getState().desk;
  if (!arriving || !me) return;
  const { phone } = arriving;
  arriving = null;
  // At work already, in another browser or before a reload: nothing changes, unless another phone was named.
  if (needsShift(me) || (phone !== null && phone !== me.shift?.extension)) void beginShift(phone);
}

/** A new call opens its tab only when nobody is being spoken with; while somebody types, no tab is swapped away. */
function chooseTab(before: Map<string, PartyState | undefined>, selected: string | null): void {
  const { desk, set, path } = useStore.getState();
  const mine = myCalls(desk);
  const arrived = mine.filter((call) => !before.has(call.call));
  if (selected && !mine.some((call) => call.call === selected)) set({ selected: null });
  const [first] = arrived;
  const answered = mine.find((call) => before.get(call.call) === "ringing" && myParty(call, desk.me)?.state === "talking");
  if (answered && !isTyping()) return set({ selected: answered.call });
  if (!first) return;
  const others = mine.filter((call) => call.call !== first.call);
  const busy = others.some((call) => myParty(call, desk.me)?.state !== "wrap_up");
  if (others.length > 0 && (busy || isTyping())) {
    // Pin what is on the screen, whatever the order of calls becomes.
    if (!useStore.getState().selected) set({ selected: others.find((call) => before.has(call.call))?.call ?? null });
    return;
  }
  if (!isTyping()) {
    if (path !== "/") {
      history.pushState(null, "", "/");
      set({ path: "/" });
    }
    set({ selected: first.call });
  }
}

export function isTyping(): boolean {
  const element = document.activeElement;
  return element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));
}

function refreshCards(customer: number, version: number): void {
  for (const [id, card] of Object.entries(useStore.getState().desk.cards)) {
    if (card.customer?.id === customer && card.customer.version < version) void refreshCard(id);
  }
}

export async function refreshCard(call: string): Promise<boolean> {
  const card = await api.card(call).catch(() => cardFromRecord(call));
  const { desk, set } = useStore.getState();
  if (card && call in desk.calls) set({ desk: { ...desk, cards: { ...desk.cards, [call]: card } } });
  return card !== null;
}

/** The server has no card of this call (it restarted meanwhile) but knows the customer: the record says the rest. */
async function cardFromRecord(id: string): Promise<Card | null> {
  const call = useStore.getState().desk.calls[id];
  if (!call || call.match === "pending") return null;
  const number = { raw: call.ani, e164: call.ani, kind: call.ani ? ("e164" as const) : ("withheld" as const), place: null };
  const match = { standing: call.match ?? "none", reason: null, candidates: [] };
  if (!call.customer) {
    const verdict = { code: "none" as const, rule: null, contract: null };
    return { call: id, customer: null, number, match, verdict, products: [], cases: [], notes: [], recent: [], why: [], promises: [] };
  }
  try {
    const { id: who } = call.customer;
    const [customer, history, promises] = await Promise.all([
      api.customer(who), api.timeline(who, null), api.promises({ customer: who, state: "open" }),
    ]);
    const recent = history.items.filter((entry) => entry.id !== call.interaction).slice(0, 5);
    const verdict = customer.verdict ?? { code: call.verdict ?? "none", rule: null, contract: null };
    return { call: id, customer, number, match, verdict, products: customer.products, cases: customer.cases, notes: customer.notes, recent, why: [], promises };
  } catch {
    return null;
  }
}

export async function changeState(name: "ready" | "not_ready", reason: string | null): Promise<void> {
  try {
    const { request } = await api.setState(name, reason);
    const done = useStore.getState().desk.commands[request];
    // The event may overtake the answer.
    if (!done) useStore.getState().set({ pendingState: { request, name, reason } });
    else if (!done.ok) toast({ tone: "bad", ...(done.problem ? { problem: done.problem } : {}) });
  } catch (error) {
    if (error instanceof ProblemError) toast({ tone: "bad", problem: error.problem });
  }
}

export async function signOut(): Promise<void> {
  if (!(await endShift())) return;
  for (const call of drafts?.unsaved() ?? []) await drafts?.flush(call);
  await api.signOut().catch(() => null);
  end();
}

function end(): void {
  live?.close();
  live = null;
  closeRooms?.();
  closeRooms = null;
  removeEventListener("storage", followStorage);
  forgetClock();
  forgetToday();
  useStore.getState().set({ phase: "signed_out", desk: emptyDesk, selected: null, pendingState: null });
}

/** The network or the person is back: do not wait for the backoff. */
export function retryOnReturn(): void {
  addEventListener("online", () => live?.retryNow());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) live?.retryNow();
  });
}
