// One signed-in session: opens the socket, feeds the store, opens the drafts and the rooms, and ends it all on sign-out.
import { applyLanguage } from "../../i18n";
import { api, ProblemError } from "../../wire/api";
import { forgetClock, syncClock } from "../../wire/clock";
import { connect, type Wire } from "../../wire/socket";
import type { Frame, Me } from "../../wire/types";
import { refreshCards } from "../calls/cards";
import { chooseTab, myStates } from "../calls/tabs";
import { emptyDesk, endsForMe, myCalls, seatOf } from "../desk/desk";
import { tellEvent } from "../desk/events";
import { useStore } from "../desk/store";
import { closeDrafts, noteDrafts, openDrafts } from "../drafts/noteDrafts";
import { loadRooms, openRooms } from "../rooms/rooms";
import { forgetToday, refreshToday, useToday } from "../rooms/today";
import { beginShift, endShift, needsShift } from "../shift/shift";
import { stateSettled } from "../shift/state";
import { arrive as arriveFromProvider } from "./provider";
import { carryTopics, topics } from "./topics";

let live: ReturnType<typeof connect> | null = null;
let closeRooms: (() => void) | null = null;
/** The phone to begin the shift at, once the wire is open to hear what becomes of it; null is the one of last time. */
let arriving: { phone: string | null } | null = null;

/** Finds out whether the cookie still holds; anything but a 401 keeps trying, for the server may be restarting. */
export async function resumeSession(arrival: { phone: string | null } | null = null): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      begin((await api.me()).value, arrival);
      return;
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401) {
        useStore.getState().set({ phase: "signed_out" });
        return;
      }
      if (error instanceof ProblemError && error.code === "second_factor_needed") {
        useStore.getState().set({ phase: "must_set_up" });
        return;
      }
      const problem = error instanceof ProblemError ? error.problem : null;
      useStore.getState().set({ socket: { name: "lost", since: Date.now(), attempt: attempt + 1, problem } });
      await new Promise((resolve) => setTimeout(resolve, Math.min(5000, 500 * 2 ** attempt)));
    }
  }
}

/** Signs in by what the identity provider gave this page's address. */
export async function comeFromProvider(answer: Record<string, string>): Promise<void> {
  const came = await arriveFromProvider(answer);
  const { set } = useStore.getState();
  if ("refused" in came) return set({ phase: "signed_out", refused: came.refused });
  const { must_set_up: mustSetUp, ...me } = came.me;
  if (mustSetUp) return set({ phase: "must_set_up" });
  begin(me, { phone: came.phone });
}

/** `arrival` is there after a sign-in and begins the shift; a reload finds the shift as it is. */
export function begin(me: Me, arrival: { phone: string | null } | null = null): void {
  arriving = arrival;
  const store = useStore.getState();
  store.set({ phase: "signed_in", desk: { ...emptyDesk, me }, selected: null });
  if (me.language !== "browser") void applyLanguage(me.language).catch(() => null); // it stays in the browser's
  if (seatOf(me) === null && me.role !== "agent") {
    // Who supervises without a phone has no calls of their own: the floor is their desk.
    useToday.setState({ everyone: true });
    if (store.path === "/") store.set({ path: "/floor" });
  }
  closeDrafts();
  openDrafts(me.id);
  closeRooms?.();
  closeRooms = openRooms();
  live?.close();
  live = connect({
    open: () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`) as unknown as Wire,
    ticket: async () => (await api.ticket()).ticket,
    whyNoSocket: api.whyNoSocket,
    positions: () => {
      const { positions, unconfirmed } = useStore.getState().desk;
      return Object.keys(positions).length && !Object.keys(unconfirmed).length ? positions : null;
    },
    topics: topics.names,
    onFrame: receive,
    onWelcome: topics.welcomed,
    onState: (socket) => {
      useStore.getState().set({ socket });
      if (socket.name === "open") noteDrafts()?.flushAll();
      if (socket.name === "signed_out") end();
    },
  });
  carryTopics(live.say);
}

export function receive(frame: Frame): void {
  if (frame.type === "welcome" || frame.type === "heartbeat") syncClock(frame.server_time);
  const before = useStore.getState();
  const statesBefore = myStates();
  before.receive(frame);
  const { desk } = useStore.getState();
  if (frame.type === "event" && desk.positions !== before.desk.positions) tellEvent(frame);
  if (frame.type === "welcome") arrive(frame.snapshot !== null);
  for (const { call, interaction } of myCalls(desk)) {
    if (interaction !== null) noteDrafts()?.bind(call, interaction);
  }
  // A reload stays on the page that was open: its calls are not new.
  const reloaded = frame.type === "welcome" && Object.keys(before.desk.positions).length === 0;
  if (!reloaded) chooseTab(statesBefore, before.selected);
  follow(frame);
}

/** What is read anew because of a frame. */
function follow(frame: Frame): void {
  if (frame.type === "welcome") refreshToday();
  if (frame.type === "watching" && !("refused" in frame) && "promises" in frame.snapshot) refreshCards(frame.snapshot.customer);
  if (frame.type !== "event") return;
  if (frame.kind === "command.done") stateSettled(frame);
  if (frame.kind === "customer.changed") refreshCards(frame.body.customer);
  if (changesToday(frame)) refreshToday();
}

/** A call ended for me or was told whose it is, or the record of one changed. */
function changesToday(event: Extract<Frame, { type: "event" }>): boolean {
  if (event.kind === "part.changed") return endsForMe(useStore.getState().desk, event.body);
  return event.kind === "call.ended" || event.kind === "call.identified" || event.kind === "interaction.changed";
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

export async function signOut(): Promise<void> {
  if (!(await endShift())) return;
  const drafts = noteDrafts();
  for (const call of drafts?.unsaved() ?? []) await drafts?.flush(call);
  const signedOut = await api.signOut().catch(() => null);
  end();
  if (signedOut) location.assign(signedOut.url);
}

function end(): void {
  live?.close();
  live = null;
  carryTopics(null);
  closeRooms?.();
  closeRooms = null;
  closeDrafts();
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
