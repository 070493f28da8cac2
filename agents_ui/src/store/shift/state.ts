// My state, when I ask for another one: sent, and shown as wished for until the server says what became of it.
import { api, ProblemError } from "../../wire/api";
import type { EventOf } from "../../wire/types";
import { toast, useStore } from "../desk/store";

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

export function stateSettled({ body: { request, ok, problem } }: EventOf<"command.done">): void {
  if (useStore.getState().pendingState?.request !== request) return;
  useStore.getState().set({ pendingState: null });
  if (!ok) toast({ tone: "bad", ...(problem ? { problem } : {}) });
}
