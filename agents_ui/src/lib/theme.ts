// Light, dark, or as the system: applied to the page at once and kept for this browser.
import { useStore, type Theme } from "../store/desk/store";

export function applyTheme(theme: Theme): void {
  useStore.getState().set({ theme });
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  try {
    localStorage.setItem("cti.theme", theme);
  } catch {
    // Storage may be forbidden; the choice then lasts for the page.
  }
}
