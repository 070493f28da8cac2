// The current call: its state and times, the way it came, who is on it, and what is written of it.
import { named, useT } from "../../i18n";
import { formatMoment, formatNumber, formatTime } from "../../lib/format";
import { isConsulting } from "../../lib/controls";
import { useQueueTitle } from "../../lib/queue";
import { whoIs } from "../../lib/who";
import { Span, Timer } from "../../parts/Timer";
import { useCurrentCall, useMyPart } from "../../store/desk/hooks";
import { useStore } from "../../store/desk/store";
import type { CallView, PartView } from "../../wire/types";
import { CallControls } from "./CallControls";
import { CallWhy } from "./CallWhy";
import { People } from "./People";
import { RecordingIndicator } from "./Recording";
import { WrapUp } from "../wrapup/WrapUp";

export function CallPanel() {
  const t = useT();
  const { call, card } = useCurrentCall();
  const part = useMyPart(call?.call ?? null);
  if (!call) return null;
  const wrapping = part?.state === "wrap_up";

  return (
    <aside className="call-panel" data-testid="call-panel" data-call={call.call} aria-label={t("call.heading")}>
      <header className={`call-head ${part?.state ?? ""}`}>
        <span className="call-state" data-testid="call-state" data-state={part?.state ?? call.state}>
          <span className="dot" aria-hidden="true" />
          {part ? named("standing", part.standing) : named("call_state", call.state)}
        </span>
        <span className="call-timer" data-testid="call-timer"><Timer since={began(call, part)} /></span>
        <span className="call-with">
          {wrapping ? [named("outcome", call.outcome), call.ended_by ? t("call.ended_by", { who: named("ended_by", call.ended_by) }) : ""].filter(Boolean).join(" · ") : card?.customer?.name ?? whoIs(call, t)}
        </span>
        {part && part.state !== "ringing" && !wrapping && <RecordingIndicator call={call} />}
      </header>
      <CallWhy part={part} />
      <CallControls call={call} />
      <Times call={call} part={part} />
      <WrapUp call={call} part={part} />
      <People call={call} />
      <Way call={call} />
    </aside>
  );
}

/** Since when the one clock runs: the ring, then the call from its answer on whatever happens in it, then the wrap-up. */
function began(call: CallView, part: PartView | null): string {
  if (!part) return call.started_at;
  return part.state === "ringing" || part.state === "wrap_up" || part.state === "left" ? part.since : (part.answered_at ?? part.since);
}

/** Wait, ring, talk, hold as the record counts them: while I consult, my caller waits, and that is hold. Those that are
    over stand still, the running one is drawn from its timestamp. */
function Times({ call, part }: { call: CallView; part: PartView | null }) {
  const t = useT();
  const state = part?.state;
  const waitingSince = call.waiting_since ?? call.queued_at;
  const waiting = waitingSince !== null && call.wait_ms === null && call.answered_at === null && call.ended_at === null;
  const holding = state === "hold" || (state === "consulting" && isConsulting(part));
  const talking = state === "talking" || (state === "consulting" && !holding);
  return (
    <dl className="times">
      <div className={waiting ? "running" : ""}>
        <dt>{t("call.wait")}</dt>
        <dd>{waiting ? <Timer since={waitingSince} /> : <Span ms={call.wait_ms} />}</dd>
      </div>
      {state === "ringing" && (
        <div className="running"><dt>{t("call.ring")}</dt><dd>{part && <Timer since={part.since} />}</dd></div>
      )}
      <div className={talking ? "running" : ""} data-testid="time-talk">
        <dt>{t("call.talk")}</dt>
        <dd>{part && talking ? <Timer since={part.since} plusMs={part.talk_ms} /> : <Span ms={state === "ringing" ? null : part?.talk_ms} />}</dd>
      </div>
      <div className={holding ? "running" : ""} data-testid="time-hold">
        <dt>{t("call.hold")}</dt>
        <dd>{part && holding ? <Timer since={part.since} plusMs={part.hold_ms} /> : <Span ms={state === "ringing" ? null : part?.hold_ms} />}</dd>
      </div>
      {state === "wrap_up" && <div className="running"><dt>{t("call.wrap_up")}</dt><dd>{part && <Timer since={part.since} />}</dd></div>}
    </dl>
  );
}

function Way({ call }: { call: CallView }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const titled = useQueueTitle();
  return (
    <section className="way" aria-labelledby="way-heading">
      <h2 id="way-heading">{t("call.path")}</h2>
      <ol>
        <li>
          <span className="num quiet">{formatTime(call.started_at, language)}</span>
          <span>{named("direction", call.direction)}{call.dnis ? <> · <span className="quiet">{t("call.dnis")}</span> <span className="num">{formatNumber(call.dnis)}</span></> : null}</span>
        </li>
        {call.path.map((step, index) => (
          <li key={index}>
            <span className="num quiet">{formatTime(step.at ?? call.started_at, language)}</span>
            <span>{named("step", step.step)}{step.choice ? <> · <span className="quiet">{t("call.choice", { choice: step.choice })}</span></> : null}</span>
          </li>
        ))}
        {call.queue && (
          <li>
            <span className="num quiet">{call.queued_at ? formatTime(call.queued_at, language) : ""}</span>
            <span><span className="quiet">{t("call.queue")}</span> {titled(call.queue)}{call.position ? <span className="quiet"> · {t("call.position")} {call.position}</span> : null}</span>
          </li>
        )}
        {call.answered_at && (
          <li><span className="num quiet">{formatTime(call.answered_at, language)}</span><span>{named("outcome", "answered")}</span></li>
        )}
        {call.ended_at && (
          <li><span className="num quiet">{formatMoment(call.ended_at, language)}</span><span>{call.ended_by ? t("call.ended_by", { who: named("ended_by", call.ended_by) }) : named("call_state", "ended")}</span></li>
        )}
      </ol>
    </section>
  );
}
