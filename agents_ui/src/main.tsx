// Starts the desktop: styles, stored choices, then the session that the cookie holds.
import { createRoot } from "react-dom/client";
import "./theme.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/card.css";
import "./styles/call.css";
import "./styles/views.css";
import "./styles/controls.css";
import "./styles/phone.css";
import "./styles/rooms.css";
import "./styles/narrow.css";
import { App } from "./App";
import { applyLanguage, loadLanguage } from "./i18n";
import { loadTheRest } from "./parts/later";
import { followHistory } from "./store/session/navigate";
import { takeAnswer } from "./store/session/provider";
import { comeFromProvider, resumeSession, retryOnReturn } from "./store/session/session";
import { useStore, type Theme } from "./store/desk/store";

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

async function start(): Promise<void> {
  const theme = stored("cti.theme");
  if (theme === "light" || theme === "dark") useStore.getState().set({ theme: theme satisfies Theme });
  await applyLanguage(document.documentElement.lang.startsWith("zh") ? "zh" : "en");
  const answer = takeAnswer();
  followHistory();
  if (import.meta.env.MODE === "fixtures") {
    const { play } = await import("./dev/fixtures");
    await play(new URLSearchParams(location.search).get("fixture") ?? "talking");
  } else {
    retryOnReturn();
    void (answer ? comeFromProvider(answer) : resumeSession());
  }
  createRoot(document.getElementById("root") as HTMLElement).render(<App />);
  loadTheRest(() => loadLanguage("en"), () => loadLanguage("zh"));
}

// Without its texts there is no desktop: whoever waits is told so, in both languages.
void start().catch(() => document.body.append("This page could not be loaded. Please reload it. · 页面加载失败，请刷新。"));
