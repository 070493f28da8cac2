// My shift: which phone I sit at, from the beginning of work to its end. The server owns it; this asks, and shows what it says.
import { create } from "zustand";
import { translate } from "../../i18n";
import { api, ProblemError } from "../../wire/api";
import type { EventOf, Me, Phone, Problem } from "../../wire/types";
import { withMeAnswer } from "../desk/answers";
import { onEvent } from "../desk/events";
import { toast, useStore } from "../desk/store";

interface Seating {
  /** The dialog is open; `problem` is why the phone that was asked for cannot be had. */
  open: boolean;
  problem: Problem | null;
  phones: Phone[];
  loaded: boolean;
  /** The request that is under way. */
  request: string | null;
}

const atRest: Seating = { open: false, problem: null, phones: [], loaded: false, request: null };
export const useSeating = create<Seating>(() => atRest);

/** Answers of the server that another choice of phone mends. */
const choosable: ReadonlySet<string> = new Set(["seat_taken", "no_phone", "unknown_phone", "not_reachable"]);
/** So long a command is waited for: the server confirms or refuses within 5 s. */
const PATIENCE_MS = 12_000;
let patience: ReturnType<typeof setTimeout> | undefined;

/** Whoever takes calls begins a shift at sign-in; supervisors without a phone of their own only watch. */
export function needsShift(me: Me): boolean {
  return me.shift === null && (me.role === "agent" || me.seat !== null);
}

export async function beginShift(phone: string | null): Promise<void> {
  if (useSeating.getState().request !== null) return;
  useSeating.setState({ request: "", problem: null });
  try {
    const { request } = await api.beginShift(phone);
    useSeating.setState({ request });
    clearTimeout(patience);
    patience = setTimeout(() => useSeating.getState().request === request && useSeating.setState({ request: null }), PATIENCE_MS);
    const done = useStore.getState().desk.commands[request];
    if (done) settled({ request, ...done });
  } catch (error) {
    if (error instanceof ProblemError) refused(error.problem);
    else throw error;
  }
}

function refused(problem: Problem): void {
  useSeating.setState({ request: null });
  if (choosable.has(problem.code ?? "")) void openSeats(problem);
  else toast({ tone: "bad", about: translate("seat.begin"), problem });
}

function settled({ request, ok, problem }: { request: string; ok: boolean; problem: Problem | null }): void {
  if (useSeating.getState().request !== request) return;
  clearTimeout(patience);
  if (!ok) return refused(problem ?? { title: "", status: 0, code: "not_confirmed" });
  useSeating.setState({ request: null, open: false, problem: null });
  void refreshMe();
}

export async function openSeats(problem: Problem | null = null): Promise<void> {
  useSeating.setState({ open: true, problem });
  try {
    useSeating.setState({ phones: sorted(await api.phones()), loaded: true });
  } catch (error) {
    if (error instanceof ProblemError && !problem) useSeating.setState({ problem: error.problem, loaded: true });
  }
}

export function closeSeats(): void {
  useSeating.setState({ open: false, problem: null });
}

/** My own browser phone first, then the free ones, then those where somebody sits. */
function sorted(phones: Phone[]): Phone[] {
  const rank = (phone: Phone) => (phone.personal ? 0 : phone.agent ? 2 : 1);
  return [...phones].sort((a, b) => rank(a) - rank(b) || a.extension.localeCompare(b.extension, undefined, { numeric: true }));
}

/** True when I am at no phone any more. */
export async function endShift(): Promise<boolean> {
  const { me } = useStore.getState().desk;
  if (!me?.shift && !me?.state.on_shift) return true;
  try {
    await api.endShift();
    return true;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    // Not at work any more: nothing to end. Unreachable: signing out must stay possible, the server's grace period ends it.
    if (error.code !== "in_a_call") return true;
    toast({ tone: "bad", about: translate("bar.sign_out"), problem: error.problem });
    return false;
  }
}

async function refreshMe(): Promise<void> {
  const answer = await api.me().catch(() => null);
  if (answer) useStore.getState().change((desk) => withMeAnswer(desk, answer));
}

/** A shift begun, moved or ended in another browser: the state tells it, the rest of me is read anew. */
function follow(event: EventOf<"me.changed">): void {
  const { me } = useStore.getState().desk;
  if (!me || event.body.agent !== me.id) return;
  const { on_shift, phone } = event.body.state;
  if (on_shift !== (me.shift !== null) || (me.shift && phone.seat !== me.shift.seat)) void refreshMe();
  if (on_shift && useSeating.getState().open && useSeating.getState().problem) closeSeats();
}

/** Returns what ends it. */
export function watchShift(): () => void {
  const ends = [onEvent("me.changed", follow), onEvent("command.done", (event) => settled(event.body))];
  return () => {
    for (const end of ends) end();
    clearTimeout(patience);
    useSeating.setState(atRest);
  };
}
