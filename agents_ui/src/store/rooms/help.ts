// Requests for help on a call: the agent sees that theirs is heard, a supervisor sees whose and takes them.
import { api, ProblemError } from "../../wire/api";
import type { HelpRequest } from "../../wire/types";
import { withHelp, type Desk } from "../desk/fold";
import { toast, useStore } from "../desk/store";

export function openHelp(desk: Desk): HelpRequest[] {
  return Object.values(desk.help).filter((request) => request.state !== "done").sort((a, b) => a.asked_at.localeCompare(b.asked_at));
}

/** Mine of this call, while it is not done. */
export function helpOn(desk: Desk, call: string): HelpRequest | null {
  return openHelp(desk).find((request) => request.call === call && request.agent.id === desk.me?.id) ?? null;
}

export async function loadHelp(): Promise<void> {
  keep(await api.helpRequests().catch(() => []));
}

function keep(told: HelpRequest[]): void {
  const { desk, set } = useStore.getState();
  set({ desk: withHelp(desk, told) });
}

export async function answerHelp(request: HelpRequest, verb: "take" | "done"): Promise<void> {
  try {
    keep([await (verb === "take" ? api.takeHelp(request.id) : api.endHelp(request.id))]);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    toast({ tone: "bad", problem: error.problem });
    void loadHelp();
  }
}
