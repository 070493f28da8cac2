// Sign-in through the company's identity provider: there, and back to a page of ours whose script brings the code to the
// server. What was typed before is kept for the way, in this tab only.
import { api, problemOf } from "../../wire/api";
import type { Problem, SignedIn } from "../../wire/types";
import { useStore } from "../desk/store";

export const BACK = "/sign-in/back";
const KEPT = "cti.signing_in";

interface Kept { phone: string | null; path: string }

export async function goToProvider(phone: string | null): Promise<void> {
  const { language, path } = useStore.getState();
  const { url } = await api.goToProvider(language);
  keep({ phone, path: path === BACK ? "/" : path });
  location.assign(url);
}

export type Arrival = { me: SignedIn; phone: string | null } | { refused: Problem };

/** What the provider put into the address, taken out of it at once; null when nobody comes back. */
export function takeAnswer(): Record<string, string> | null {
  if (location.pathname !== BACK) return null;
  const given = new URLSearchParams(location.search);
  history.replaceState(null, "", kept()?.path ?? "/");
  const found: Record<string, string> = {};
  for (const name of ["state", "code", "iss", "error", "error_description"]) {
    const value = given.get(name);
    if (value !== null) found[name] = value.slice(0, 4000);
  }
  return found;
}

export async function arrive(answer: Record<string, string>): Promise<Arrival> {
  const before = kept();
  forget();
  try {
    return { me: await api.comeFromProvider({ state: "", ...answer }), phone: before?.phone ?? null };
  } catch (error) {
    return { refused: problemOf(error) };
  }
}

function keep(what: Kept): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(what));
  } catch {
    // Storage may be forbidden; then the phone is the one of last time.
  }
}

function kept(): Kept | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}

function forget(): void {
  try {
    sessionStorage.removeItem(KEPT);
  } catch {
    // Nothing was kept.
  }
}
