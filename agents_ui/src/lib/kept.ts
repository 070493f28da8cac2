// State that survives a reload and a crash: what a person typed and has not saved or discarded.
import { useEffect, useState } from "react";
import { useStore } from "../store/desk/store";

const keyOf = (name: string) => `cti.kept.${useStore.getState().desk.me?.id ?? 0}.${name}`;

function read<T>(key: string): T | null {
  try {
    const text = localStorage.getItem(key);
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}

/** Holds `value` under `name` for this agent while it differs from `blank`; equal to it, nothing is kept. */
export function useKept<T>(name: string, blank: T): [T, (value: T) => void, boolean] {
  const key = keyOf(name);
  const [held, setHeld] = useState(() => ({ key, value: read<T>(key), restored: read<T>(key) !== null }));
  useEffect(() => {
    if (held.key !== key) setHeld({ key, value: read<T>(key), restored: read<T>(key) !== null });
  }, [held.key, key]);

  function keep(value: T): void {
    const empty = JSON.stringify(value) === JSON.stringify(blank);
    setHeld({ key, value: empty ? null : value, restored: false });
    try {
      if (empty) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // No storage: it lives as long as the page.
    }
  }

  return [held.value ?? blank, keep, held.restored];
}
