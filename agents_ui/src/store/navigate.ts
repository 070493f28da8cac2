// Paths of the desktop: plain history, no router. /, /customers/7, /customers/new, /interactions/12, /floor.
import { useStore } from "./store";

export function navigate(path: string): void {
  if (path !== useStore.getState().path) history.pushState(null, "", path + keptSearch());
  useStore.getState().set({ path });
}

export function followHistory(): () => void {
  const read = () => useStore.getState().set({ path: location.pathname });
  read();
  addEventListener("popstate", read);
  return () => removeEventListener("popstate", read);
}

// ?fixture=… stays in the address while a story is clicked through.
function keptSearch(): string {
  return import.meta.env.MODE === "fixtures" ? location.search : "";
}
