// Rooms of the desktop that are loaded when they are first shown, or before that, once the page has nothing else to do:
// nobody waits for the team's page to sign in, and a server that is updated in the meantime takes no page away.
import { lazy, Suspense, type ComponentType } from "react";
import { useT } from "../i18n";
import { PageNotice } from "./PageNotice";

const rest: (() => Promise<unknown>)[] = [];

/** The component that `load` brings. What does not come says so, and takes nothing else with it. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  rest.push(load);
  const Part = lazy(() => load().then((part) => ({ default: part }), () => ({ default: Unloaded as ComponentType<P> })));
  return function Later(props: P) {
    return <Suspense fallback={null}><Part {...props} /></Suspense>;
  };
}

/** Load `also` and all of these as soon as the browser is idle. */
export function loadTheRest(...also: (() => Promise<unknown>)[]): void {
  const load = () => { for (const part of [...rest, ...also]) void part().catch(() => null); };
  if ("requestIdleCallback" in window) window.requestIdleCallback(load, { timeout: 5000 });
  else setTimeout(load, 2000);
}

function Unloaded() {
  const t = useT();
  return <PageNotice testid="unloaded" title={t("nothing.unloaded")} why={t("nothing.unloaded_why")} action={{ icon: "repeat", text: t("nothing.reload"), go: () => location.reload() }} />;
}
