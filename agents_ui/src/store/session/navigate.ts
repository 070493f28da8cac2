// Paths of the desktop: plain history, no router. /, /customers/7, /customers/new?number=…, /interactions/12, /floor.
import { dismissToast, useStore } from "../desk/store";

export function navigate(to: string): void {
  const url = new URL(to, location.origin);
  // ?fixture=… stays in the address while a story is clicked through.
  const story = import.meta.env.MODE === "fixtures" ? new URLSearchParams(location.search).get("fixture") : null;
  if (story) url.searchParams.set("fixture", story);
  if (url.pathname !== useStore.getState().path || url.search !== location.search) history.pushState(null, "", url);
  useStore.getState().set({ path: url.pathname });
  for (const toast of useStore.getState().toasts) if (toast.path === url.pathname) dismissToast(toast.id);
}

export function followHistory(): () => void {
  const read = () => useStore.getState().set({ path: location.pathname });
  read();
  addEventListener("popstate", read);
  return () => removeEventListener("popstate", read);
}
