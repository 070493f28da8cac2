// How people sign in here, asked when the sign-in page is shown. A server that does not answer is asked again: the form needs none
// of this, so it is shown meanwhile.
import { useEffect, useState } from "react";
import { api } from "../../wire/api";
import type { Ways } from "../../wire/types";

const BY_PASSWORD: Ways = { password: true, provider: null };
const AGAIN_MS = 5000;

/** Null until it is known; by password, where the server does not say. */
export function useWays(wanted: boolean): Ways | null {
  const [ways, setWays] = useState<Ways | null>(null);
  useEffect(() => {
    if (!wanted) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const ask = async () => {
      try {
        const found = await api.ways();
        if (!gone) setWays(found);
      } catch {
        if (gone) return;
        setWays((known) => known ?? BY_PASSWORD);
        timer = setTimeout(() => void ask(), AGAIN_MS);
      }
    };
    void ask();
    return () => { gone = true; clearTimeout(timer); };
  }, [wanted]);
  return ways;
}
