// One thread of messages and the box to answer; what is on the screen is read.
import { useEffect, useMemo, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { useMinute } from "../../lib/clock";
import { formatMoment } from "../../lib/format";
import { useKept } from "../../lib/kept";
import { Choice } from "../../parts/Choice";
import { useCurrentCall } from "../../store/desk/hooks";
import { markRead, sendMessage, threadOf, useMessages, type Thread } from "../../store/rooms/messages";
import { useStore } from "../../store/desk/store";
import type { Message } from "../../wire/types";

interface MessagesProps { thread: Thread; onThread: (thread: Thread) => void; unread: Set<Thread> }

export function Messages({ thread, onThread, unread }: MessagesProps) {
  const t = useT();
  const language = useStore((store) => store.language);
  const now = useMinute();
  const me = useStore((store) => store.desk.me);
  const team = useStore((store) => store.desk.team);
  const all = useStore((store) => store.desk.messages);
  const failed = useMessages((state) => state.failed);
  const { call } = useCurrentCall();
  const [text, setText] = useKept(`message.${thread}`, "");
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const supervises = me !== null && me.role !== "agent";
  const shown = useMemo(() => {
    const supervisor = (agent: number) => (team[agent]?.role ?? "agent") !== "agent";
    const mine = me ? Object.values(all).filter((message) => threadOf(message, me, supervisor) === thread) : [];
    // For an agent what goes to everybody stands in the one thread they have.
    const rest = me && !supervises ? Object.values(all).filter((message) => message.to.team) : [];
    return [...new Set([...mine, ...rest])].sort((a, b) => a.id - b.id);
  }, [all, team, me, thread, supervises]);
  const last = shown.at(-1)?.id ?? 0;

  useEffect(() => {
    // The thread only: the page stays where it is.
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
    const read = () => document.hidden || void markRead();
    read();
    document.addEventListener("visibilitychange", read);
    return () => document.removeEventListener("visibilitychange", read);
  }, [last, thread]);

  async function send() {
    if (!text.trim() || busy) return;
    setBusy(true);
    if (await sendMessage(thread, text.trim(), call?.call ?? null)) setText("");
    setBusy(false);
  }

  const mates = Object.values(team).filter((member) => member.agent !== me?.id).sort((a, b) => a.name.localeCompare(b.name));
  const options = [
    { id: "team", text: t("messages.to_team") }, { id: "supervisors", text: t("messages.to_supervisors") },
    ...mates.map((member) => ({ id: String(member.agent), text: unread.has(member.agent) ? `${member.name} · ${t("team.unread")}` : member.name })),
  ];
  return (
    <section className="list messages" data-testid="messages" aria-labelledby="messages-heading">
      <div className="list-head">
        <h2 id="messages-heading">{t(supervises ? "messages.heading" : "messages.with_supervisors")}</h2>
        {supervises && <Choice label={t("messages.to")} quiet options={options} value={String(thread)} onChange={(id) => onThread(id === "team" || id === "supervisors" ? id : Number(id))} />}
      </div>
      <div ref={box} className="thread" role="log" aria-label={t("messages.heading")} tabIndex={0}>
        {failed && <p className="quiet">{t("messages.failed")}</p>}
        {shown.length === 0 && !failed && <p className="quiet">{t("messages.none")}</p>}
        {shown.map((message) => <Said key={message.id} message={message} mine={message.from.id === me?.id} at={formatMoment(message.at, language, now)} />)}
      </div>
      <div className="message-box">
        <textarea
          className="input" rows={2} data-testid="message-box" aria-label={t("messages.write")} placeholder={t(supervises ? "messages.write" : "messages.write_supervisors")} maxLength={2000} value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            void send();
          }}
        />
        <Button className="button primary" isDisabled={busy || !text.trim()} onPress={() => void send()}>{t("messages.send")}</Button>
      </div>
    </section>
  );
}

function Said({ message, mine, at }: { message: Message; mine: boolean; at: string }) {
  const t = useT();
  return (
    <div className={mine ? "said mine" : "said"} data-testid={`message-${message.id}`}>
      <span className="said-head">
        {mine ? t("common.you") : message.from.name}{message.to.team ? ` → ${t("messages.everybody")}` : ""}{mine && message.to.agent ? ` → ${message.to.agent.name}` : ""} · <span className="num">{at}</span>
      </span>
      <span className="said-text">{message.text}</span>
    </div>
  );
}
