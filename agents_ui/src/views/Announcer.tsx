// Tells those who do not look: screen readers hear an incoming call, a hidden tab shows it in its title.
import { useEffect, useRef, useState } from "react";
import { named, useT } from "../i18n";
import { whoIs } from "../lib/who";
import { myParty } from "../store/fold";
import { useQueueTitle } from "../lib/queue";
import { useMyCalls } from "../store/hooks";
import { useStore } from "../store/store";

export function Announcer() {
  const t = useT();
  const titled = useQueueTitle();
  const calls = useMyCalls();
  const me = useStore((store) => store.desk.me);
  const phase = useStore((store) => store.phase);
  const known = useRef(new Map<string, string>());
  const [text, setText] = useState("");
  const [hidden, setHidden] = useState(document.hidden);

  useEffect(() => {
    const follow = () => setHidden(document.hidden);
    document.addEventListener("visibilitychange", follow);
    return () => document.removeEventListener("visibilitychange", follow);
  }, []);

  useEffect(() => {
    const said: string[] = [];
    const next = new Map<string, string>();
    for (const call of calls) {
      const state = myParty(call, me)?.state ?? "left";
      const before = known.current.get(call.call);
      next.set(call.call, state);
      if (before === state) continue;
      const name = whoIs(call, t);
      if (state === "ringing" && call.queue && call.verdict) said.push(t("call.incoming", { name, queue: titled(call.queue), verdict: named("verdict", call.verdict) }));
      else if (state === "ringing") said.push(t("call.incoming_short", { name }));
      else if (before === "ringing" && state === "talking") said.push(t("call.answered", { name }));
      else if (state === "wrap_up") said.push(t("call.over", { name, outcome: named("outcome", call.outcome ?? "open") }));
    }
    known.current = next;
    if (said.length) setText(said.join(". "));
  }, [calls, me, t, titled]);

  const ringing = calls.find((call) => myParty(call, me)?.state === "ringing");
  useEffect(() => {
    if (phase !== "signed_in") return;
    const plain = `${t("app.title")} · ${t("app.name")}`;
    document.title = ringing && hidden ? t("app.incoming", { name: whoIs(ringing, t) }) : plain;
  }, [ringing, hidden, phase, t]);

  return <div className="sr" aria-live="assertive" role="alert">{text}</div>;
}
