// Ends my wrap-up of a contact with what stands in its draft: note, code and follow-up are kept together, once.
import { translate } from "../../i18n";
import { api, ProblemError } from "../../wire/api";
import type { DraftView } from "../../wire/types";
import { refreshOwed, useOwed } from "./owed";
import { noteDrafts } from "./noteDrafts";
import { toast, useStore } from "../desk/store";

const running = new Set<string>();

/** What is asked for before wrap-up can end; the fields show it. */
export const missingCodes: ReadonlySet<string> = new Set(["code_required", "unknown_code"]);

function drafted(key: string): DraftView {
  const draft = noteDrafts()?.get(key);
  return { note: draft?.text || null, code: draft?.code ?? null, follow_up: draft?.followUp ?? null };
}

/** A page that was just opened may not have read yet what the server holds: finishing with nothing would empty it. */
async function readFirst(key: string, interaction: number): Promise<void> {
  if (noteDrafts()?.get(key)) return;
  const held = await api.draft(interaction);
  if (!held.finished_at) noteDrafts()?.seed(key, interaction, held);
}

export async function finishWrapUp(key: string): Promise<boolean> {
  if (running.has(key)) return false;
  running.add(key);
  try {
    const interaction = useStore.getState().desk.calls[key]?.interaction ?? noteDrafts()?.get(key)?.interaction ?? null;
    if (interaction !== null) await readFirst(key, interaction);
    await noteDrafts()?.flush(key);
    const draft = drafted(key);
    // No row of the call yet, as while the database is away: the floor ends the wrap-up, the draft waits for its row.
    if (interaction === null) await api.wrapUp(key, draft.note);
    else await end(key, interaction, draft);
    return true;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    toast({ tone: "bad", problem: error.problem });
    if (missingCodes.has(error.code)) document.querySelector<HTMLElement>("[data-testid=wrapup-codes] input")?.focus();
    return false;
  } finally {
    running.delete(key);
  }
}

async function end(key: string, interaction: number, draft: DraftView): Promise<void> {
  const done = await api.finishWrapUp(interaction, draft);
  noteDrafts()?.discard(key);
  useOwed.setState({ items: useOwed.getState().items.filter((item) => item.interaction.id !== interaction) });
  refreshOwed();
  if (done?.promise) toast({ tone: "ok", text: translate("wrapup.promised", { name: done.promise.customer.name }) });
  if (done?.case) toast({ tone: "ok", text: translate("wrapup.case_opened", { number: done.case.name }) });
}

/** Asks for wrap-up's time again, or for time after a call that has none. */
export async function askTime(call: string, verb: "wrap-up/extend" | "wrap-up/request"): Promise<void> {
  try {
    await api.command(call, verb, verb === "wrap-up/request" ? { wanted: true } : {});
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    toast({ tone: "bad", problem: error.problem });
  }
}
