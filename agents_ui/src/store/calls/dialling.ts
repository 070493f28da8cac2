// Dialling from anywhere: each tel: link of the page, and the page opened with ?dial=… by the browser's own tel: links.
import { numberOf } from "../../lib/number";
import { dial } from "./commands";
import { isBusy } from "../desk/desk";
import { usePanel } from "./panel";
import { useStore } from "../desk/store";

/** Rings my phone, then the number. With a call going on it asks first; what came from outside is always asked. */
export function callNumber(number: string, from: "page" | "outside" = "page"): void {
  const { desk } = useStore.getState();
  const busy = isBusy(desk);
  if (busy || from === "outside") usePanel.getState().set({ asked: { number, why: busy ? "busy" : "outside" } });
  else void dial(number);
}

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || useStore.getState().phase !== "signed_in") return;
  const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a[href^="tel:" i]') : null;
  const number = link && numberOf(link.getAttribute("href") ?? "");
  if (!number) return;
  event.preventDefault();
  callNumber(number);
}

/** Takes ?dial= out of the address, so that a reload does not ask again. */
export function takeAsked(): string | null {
  const url = new URL(location.href);
  const asked = url.searchParams.get("dial");
  if (asked === null) return null;
  url.searchParams.delete("dial");
  history.replaceState(null, "", url);
  // An unescaped + in an address arrives as a blank.
  return numberOf(asked.replace(/^((?:web[+ ])?tel:)? /i, "+"));
}

export function followTelLinks(): () => void {
  const number = takeAsked();
  if (number) usePanel.getState().set({ asked: { number, why: "outside" } });
  // On the way down: what a link stands in may stop the click on its way up.
  document.addEventListener("click", onClick, true);
  return () => document.removeEventListener("click", onClick, true);
}

/** Whether this browser can be told to open tel: links here: only over https or on localhost. */
export const canTakeTelLinks = () => typeof navigator.registerProtocolHandler === "function" && isSecureContext;

export function takeTelLinks(): void {
  const here = `${location.origin}/?dial=%s`;
  try {
    navigator.registerProtocolHandler("tel", here);
  } catch {
    // A browser that keeps tel: for itself still allows a scheme of our own.
    navigator.registerProtocolHandler("web+tel", here);
  }
}
