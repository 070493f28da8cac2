// Requests for help on a call: the agent sees that theirs is heard, a supervisor sees whose and takes them.
import { api, ProblemError } from "../../wire/api";
import type { HelpRequest } from "../../wire/types";
import { withHelpAnswer, withOneHelp } from "../desk/answers";
import type { Desk } from "../desk/desk";
import { toast, useStore } from "../desk/store";

export function openHelp(desk: Desk): HelpRequest[] {
  return Object.values(desk.help).filter((request) => request.state !== "done").sort((a, b) => a.asked_at.localeCompare(b.asked_at));
}

/** Mine of this call, while it is not done. */
export function helpOn(desk: Desk, call: string): HelpRequest | null {
  return openHelp(desk).find((request) => request.call === call && request.agent.id === desk.me?.id) ?? null;
}

export async function loadHelp(): Promise<void> {
  const answer = await api.helpRequests().catch(() => null);
  if (answer) useStore.getState().change((desk) => withHelpAnswer(desk, answer));
}

export async function answerHelp(request: HelpRequest, verb: "take" | "done"): Promise<void> {
  // What the command answers is at least as new as what the desk knew when it was sent.
  const { positions } = useStore.getState().desk;
  try {
    const value = await (verb === "take" ? api.takeHelp(request.id) : api.endHelp(request.id));
    useStore.getState().change((desk) => withOneHelp(desk, { value, positions }));
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    toast({ tone: "bad", problem: error.problem });
    void loadHelp();
  }
}
