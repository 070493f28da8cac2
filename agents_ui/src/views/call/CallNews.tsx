// Tells a screen reader what happens to the call on the screen: held, retrieved, consulting, a conference, recording, muted.
import { useEffect, useRef, useState } from "react";
import { useT } from "../../i18n";
import { situation } from "../../lib/controls";
import { whoIs } from "../../lib/who";
import { myParty } from "../../store/desk/fold";
import { useCurrentCall } from "../../store/desk/hooks";
import { useStore } from "../../store/desk/store";

interface Seen { call: string; where: string; recording: string; muted: boolean; people: number }

export function CallNews() {
  const t = useT();
  const { call } = useCurrentCall();
  const me = useStore((store) => store.desk.me);
  const seen = useRef<Seen | null>(null);
  const [text, setText] = useState("");

  useEffect(() => {
    const before = seen.current;
    if (!call) {
      seen.current = null;
      return;
    }
    const mine = myParty(call, me);
    const now: Seen = { call: call.call, where: situation(call, me), recording: call.recording, muted: mine?.muted ?? false, people: call.people.length };
    seen.current = now;
    if (!before || before.call !== now.call) return;
    const said: string[] = [];
    const name = whoIs(call, t);
    if (now.where === "hold" && before.where !== "hold") said.push(t("news.hold", { name }));
    else if (before.where === "hold" && now.where === "talking") said.push(t("news.retrieved", { name }));
    else if (now.where === "consulting" && before.where !== "consulting") said.push(t("news.consulting"));
    else if (before.where === "consulting" && now.where === "talking") said.push(t("news.back", { name }));
    else if (now.where === "conference" && (before.where !== "conference" || before.people !== now.people)) said.push(t("news.conference", { count: now.people }));
    if (now.recording !== before.recording) said.push(t(`recording.${now.recording}`));
    if (now.muted !== before.muted) said.push(t(now.muted ? "news.muted" : "news.unmuted"));
    if (said.length) setText(said.join(". "));
  }, [call, me, t]);

  return <div className="sr" role="status" aria-live="polite" data-testid="call-news">{text}</div>;
}
