// Ends my wrap-up of a call with what stands in its note box; the note is on the server before the call leaves the screen.
import { api, ProblemError } from "../wire/api";
import { noteDrafts } from "./session";
import { toast } from "./store";

const running = new Set<string>();

export async function finishWrapUp(call: string): Promise<boolean> {
  if (running.has(call)) return false;
  running.add(call);
  try {
    await noteDrafts()?.flush(call);
    const draft = noteDrafts()?.get(call);
    await api.wrapUp(call, draft && (draft.text || draft.saved) ? draft.text : null);
    return true;
  } catch (error) {
    if (error instanceof ProblemError) toast({ tone: "bad", problem: error.problem });
    return false;
  } finally {
    running.delete(call);
  }
}
