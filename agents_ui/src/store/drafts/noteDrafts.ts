// The drafts of whoever is signed in: opened with the session, closed with it, and found here by all who read or write them.
import { api, ProblemError } from "../../wire/api";
import { Drafts, type Kept } from "./drafts";

let drafts: Drafts | null = null;

/** Null while nobody is signed in. */
export function noteDrafts(): Drafts | null {
  return drafts;
}

export function openDrafts(agent: number): Drafts {
  drafts = new Drafts({ agent, storage: localStorage, save });
  addEventListener("storage", followStorage);
  return drafts;
}

/** They stay to be read, as what is not saved yet is still being sent; another window's are no longer followed. */
export function closeDrafts(): void {
  removeEventListener("storage", followStorage);
  drafts?.forgetSaved();
}

async function save(interaction: number, draft: Kept): Promise<unknown> {
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
