// Gets the attention of somebody who looks elsewhere: a desktop notification, while this tab is hidden and it is wanted.
import { canNotify, useSettings } from "./settings";

export interface Attraction { title: string; body: string; tag: string; open: () => void }

/** Returns what takes it back, when it is over before it was seen. */
export function attract({ title, body, tag, open }: Attraction): () => void {
  if (!document.hidden || !canNotify() || useSettings.getState().notify !== "on" || Notification.permission !== "granted") return () => undefined;
  // The same tag replaces: two windows of one agent show one notification.
  const shown = new Notification(title, { body, tag, icon: "/icon.svg" });
  shown.onclick = () => {
    window.focus();
    open();
    shown.close();
  };
  return () => shown.close();
}
