// Tells those who do not look: screen readers hear calls and my state, a hidden tab shows what waits in its title, its icon
// and a notification.
import { useEffect, useRef, useState } from "react";
import { named, useT } from "../../i18n";
import { badgeIcon } from "../../lib/badge";
import { useMinute } from "../../lib/clock";
import { stateTitle } from "../../lib/explain";
import { useQueueTitle } from "../../lib/queue";
import { whoIs } from "../../lib/who";
import { attract } from "../../store/session/attention";
import { myCalls, myPart } from "../../store/desk/desk";
import { openHelp } from "../../store/rooms/help";
import { useMyCalls } from "../../store/desk/hooks";
import { useLists } from "../../store/rooms/lists";
import { unreadOf, useMessages } from "../../store/rooms/messages";
import { navigate } from "../../store/session/navigate";
import { watchReach, type ReachWatch } from "../../store/shift/phoneReach";
import { myPromises, urgencyOf } from "../../store/rooms/promises";
import { toast, useStore } from "../../store/desk/store";

export function Announcer() {
  const t = useT();
  const titled = useQueueTitle();
  const calls = useMyCalls();
  const parts = useStore((store) => store.desk.parts);
  const phase = useStore((store) => store.phase);
  const last = useRef(new Map<string, string>());
  const [text, setText] = useState("");
  const [hidden, setHidden] = useState(document.hidden);

  useEffect(() => {
    const follow = () => setHidden(document.hidden);
    document.addEventListener("visibilitychange", follow);
    return () => document.removeEventListener("visibilitychange", follow);
  }, []);

  // Whoever comes to the sign-in page next is told of nobody's calls.
  useEffect(() => { if (phase !== "signed_in") setText(""); }, [phase]);

  useEffect(() => {
    const said: string[] = [];
    const next = new Map<string, string>();
    for (const call of calls) {
      const state = myPart({ parts }, call.call)?.state ?? "left";
      const before = last.current.get(call.call);
      next.set(call.call, state);
      if (before === state) continue;
      const name = whoIs(call, t);
      if (state === "ringing" && call.queue && call.verdict) said.push(t("call.incoming", { name, queue: titled(call.queue), verdict: named("verdict", call.verdict) }));
      else if (state === "ringing") said.push(t("call.incoming_short", { name }));
      else if (before === "ringing" && state === "talking") said.push(t("call.answered", { name }));
      else if (state === "wrap_up") said.push(t("call.over", { name, outcome: named("outcome", call.outcome ?? (call.answered_at ? "answered" : "open")) }));
    }
    last.current = next;
    if (said.length) setText(said.join(". "));
  }, [calls, parts, t, titled]);

  useMyNews(setText);
  const ringing = calls.find((call) => myPart({ parts }, call.call)?.state === "ringing");
  const waiting = useWaiting();
  useEffect(() => {
    if (phase !== "signed_in") return badgeIcon(false);
    const plain = `${t("app.title")} · ${t("app.name")}`;
    const counted = waiting > 0 ? `(${waiting}) ${plain}` : plain;
    document.title = !hidden ? plain : ringing ? t("app.incoming", { name: whoIs(ringing, t) }) : counted;
    badgeIcon(hidden && (ringing !== undefined || waiting > 0));
  }, [ringing, hidden, waiting, phase, t]);

  // One that is gone before it was looked at takes its notification with it.
  const calling = ringing?.call;
  useEffect(() => {
    const { desk } = useStore.getState();
    const call = calling ? desk.calls[calling] : undefined;
    if (!call) return;
    const queue = call.queue ? titled(call.queue) : "";
    return attract({
      title: t("app.incoming", { name: whoIs(call, t) }), body: [queue, named("verdict", call.verdict)].filter(Boolean).join(" · "),
      tag: `call-${call.call}`, open: () => navigate("/"),
    });
    // A change of language meanwhile is no second ring.
    // eslint-disable-next-line
  }, [calling]);

  return <div className="sr" aria-live="assertive" role="alert">{text}</div>;
}

/** What a badge counts: messages not read, promises whose time has come, requests for help that nobody took. */
function useWaiting(): number {
  const now = useMinute();
  const desk = useStore((store) => store.desk);
  const readTo = useMessages((messages) => messages.readTo);
  const late = myPromises(desk).filter((promise) => urgencyOf(promise, now) === "late").length;
  const asking = desk.me && desk.me.role !== "agent" ? openHelp(desk).filter((request) => request.state === "open").length : 0;
  return unreadOf(desk, readTo) + late + asking;
}

/** My state outside calls, and a phone that can no longer be rung: said, and shown until it can be again. */
function useMyNews(say: (text: string) => void): void {
  const t = useT();
  const language = useStore((store) => store.language);
  const state = useStore((store) => store.desk.me?.state);
  const reasons = useLists((lists) => lists.reasons);
  const before = useRef<{ name: string; reason: string | null } | null>(null);
  const reach = useRef<ReachWatch | null>(null);
  useEffect(() => {
    const lost = () => {
      const text = t(isSpeaking() ? "seat.lost_in_call" : "seat.lost_now");
      say(text);
      const undo = [toast({ tone: "bad", text, stays: true }), attract({ title: text, body: "", tag: "phone", open: () => navigate("/") })];
      return () => undo.forEach((take) => take());
    };
    const found = () => {
      say(t("seat.found"));
      toast({ tone: "ok", text: t("seat.found") });
    };
    const watch = watchReach({ lost, found });
    reach.current = watch;
    watch.heard(useStore.getState().desk.me?.state.phone.reachable ?? null);
    return watch.end;
  }, [t, say]);
  const reachable = state?.phone.reachable ?? null;
  useEffect(() => reach.current?.heard(reachable), [reachable]);
  useEffect(() => {
    const was = before.current;
    before.current = state ? { name: state.name, reason: state.reason } : null;
    if (!state || !was) return;
    if ((was.name !== state.name || was.reason !== state.reason) && (state.name === "ready" || state.name === "not_ready")) {
      say(t("state.now", { state: stateTitle(state, { t, reasons, language }) }));
    }
  }, [state, reasons, language, t, say]);
}

function isSpeaking(): boolean {
  const { desk } = useStore.getState();
  return myCalls(desk).some((call) => ["talking", "hold", "consulting"].includes(myPart(desk, call.call)?.state ?? ""));
}
