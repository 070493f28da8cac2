// Tells a screen reader what happens to the call on the screen: held, retrieved, consulting, a conference, recording, muted.
import { useEffect, useRef, useState } from "react";
import { useT } from "../../i18n";
import { isConsulting } from "../../lib/controls";
import { whoIs } from "../../lib/who";
import { useCurrentCall, useMyPart } from "../../store/desk/hooks";

/** What was last said of a call. */
interface Said { call: string; where: string; recording: string; muted: boolean; people: number }

export function CallNews() {
  const t = useT();
  const { call } = useCurrentCall();
  const part = useMyPart(call?.call ?? null);
  const last = useRef<Said | null>(null);
  const [text, setText] = useState("");

  useEffect(() => {
    const before = last.current;
    if (!call) {
      last.current = null;
      return;
    }
    const where = isConsulting(part) ? "consulting" : (part?.standing ?? "none");
    const now: Said = { call: call.call, where, recording: call.recording, muted: part?.muted ?? false, people: call.people.length };
    last.current = now;
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
  }, [call, part, t]);

  return <div className="sr" role="status" aria-live="polite" data-testid="call-news">{text}</div>;
}
