// Messages between agents and supervisors: a thread with each other side, what of it is unread, and sending.
import { create } from "zustand";
import { api, ProblemError } from "../../wire/api";
import type { Me, Message, MessageTo } from "../../wire/types";
import { withMessages } from "../desk/answers";
import type { Desk } from "../desk/desk";
import { toast, useStore } from "../desk/store";

interface State { readTo: number; loaded: boolean; failed: boolean }

export const useMessages = create<State>(() => ({ readTo: 0, loaded: false, failed: false }));

/** With whom: an agent by id, "supervisors" for all of them, "team" for everybody. */
export type Thread = number | "supervisors" | "team";

/** For an agent all supervisors are one other side: who of them answers is theirs to decide. */
export function threadOf(message: Message, me: Me, isSupervisor: (agent: number) => boolean): Thread {
  if (message.to.team) return "team";
  if (message.to.role === "supervisors") return me.role === "agent" || message.from.id === me.id ? "supervisors" : message.from.id;
  const other = message.from.id === me.id ? message.to.agent?.id : message.from.id;
  if (other === undefined) return "team";
  return me.role === "agent" && isSupervisor(other) ? "supervisors" : other;
}

export function isUnread(message: Message, me: Me, readTo: number): boolean {
  return message.id > readTo && message.from.id !== me.id;
}

export function unreadOf(desk: Desk, readTo: number): number {
  const { me } = desk;
  return me ? Object.values(desk.messages).filter((message) => isUnread(message, me, readTo)).length : 0;
}

export async function loadMessages(): Promise<void> {
  try {
    const { items, read_to } = await api.messages(null);
    useStore.getState().change((desk) => withMessages(desk, items));
    readUpTo(read_to);
    useMessages.setState({ loaded: true, failed: false });
  } catch {
    useMessages.setState({ failed: true });
  }
}

/** Reading goes forward only: an answer on its way may be older than the event that came meanwhile. */
export function readUpTo(id: number): void {
  useMessages.setState({ readTo: Math.max(id, useMessages.getState().readTo) });
}

export async function markRead(): Promise<void> {
  const last = Math.max(0, ...Object.keys(useStore.getState().desk.messages).map(Number));
  if (last <= useMessages.getState().readTo) return;
  useMessages.setState({ readTo: last });
  await api.readMessages(last).catch(() => null); // the next one that is read says it too
}

export function recipient(thread: Thread): MessageTo {
  if (thread === "team") return { team: true };
  return thread === "supervisors" ? { role: "supervisors" } : { agent: thread };
}

export async function sendMessage(thread: Thread, text: string, call: string | null): Promise<boolean> {
  try {
    const message = await api.sendMessage(recipient(thread), text, call);
    useStore.getState().change((desk) => withMessages(desk, [message]));
    return true;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    toast({ tone: "bad", problem: error.problem });
    return false;
  }
}
