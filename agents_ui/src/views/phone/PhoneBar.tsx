// The phone in this window: whether calls reach it, the call whose voice it carries, how well it is heard, its devices.
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { useNow } from "../../lib/clock";
import { formatNumber, formatSpan } from "../../lib/format";
import { isWithheld } from "../../lib/number";
import { whoIs } from "../../lib/who";
import { Icon, type IconName } from "../../parts/Icon";
import type { Tone } from "../../parts/marks";
import { answer, browserPhone, hangUp, reject, setMuted, usePhone } from "../../phone";
import { floorCall } from "../../phone/floor";
import type { RegistrationName } from "../../phone/state";
import { plain } from "../../store/calls/commands";
import { useStore } from "../../store/desk/store";
import { PhoneDevices } from "./PhoneDevices";
import { PhoneKeypad } from "./PhoneKeypad";
import { Meter } from "./PhoneMeter";
import { PhoneNews } from "./PhoneNews";
import { PhoneStats } from "./PhoneStats";

const tones: Record<RegistrationName, Tone> = { registered: "ok", connecting: "neutral", lost: "bad", elsewhere: "warn", off: "bad" };

export function PhoneBar() {
  const t = useT();
  const { registration, call, quality } = usePhone();
  return (
    <section
      className={`phone-bar ${call ? `in-call ${call.state}` : ""}`} data-testid="phone-bar" data-state={registration.name} data-quality={quality}
      data-call={call?.state ?? "none"} aria-label={t("phone.heading")}
    >
      <div className="phone-row">
        <Registration />
        {call ? <Conversation /> : <span className="phone-space" />}
        <span className="phone-tools">
          {call?.state === "talking" && <PhoneStats />}
          <PhoneDevices />
        </span>
      </div>
      <PhoneNews />
    </section>
  );
}

function Registration() {
  const t = useT();
  useNow();
  const { registration: { name, since, fault, attempt }, call } = usePhone();
  const extension = useStore((store) => store.desk.me?.shift?.extension ?? "");
  const tone = tones[name];
  const age = name === "lost" || name === "elsewhere" ? formatSpan(Date.now() - since) : null;
  const phone = browserPhone();
  return (
    <span className={`phone-state ${tone}`}>
      <Icon name="headset" />
      <span className="dot" aria-hidden="true" />
      <span role="status"><span className="phone-extension num">{extension}</span> {t(`phone.state_${name}`)}{name === "lost" && fault ? ` · ${t(`phone.fault_${fault}`)}` : ""}</span>
      {age && <span className="num quiet" title={name === "lost" ? t("phone.attempt", { count: attempt }) : undefined}>{age}</span>}
      {name === "lost" && <Button className="button small" data-testid="phone-retry" onPress={() => phone?.look()}>{t("phone.retry")}</Button>}
      {name === "elsewhere" && !call && (
        <Button className="button small primary" data-testid="phone-use-here" onPress={() => phone?.useHere()}>{t("phone.use_here")}</Button>
      )}
    </span>
  );
}

/** The floor's call, where the floor knows it; what SIP says, while it does not. */
function Conversation() {
  const t = useT();
  useNow();
  const { call, muted, figures } = usePhone();
  const desk = useStore((store) => store.desk);
  if (!call) return null;
  const here = floorCall(desk, call);
  const floorName = here ? (desk.cards[here.call.call]?.customer?.name ?? whoIs(here.call, t)) : null;
  const [name, number] = [call.name, call.number].map((text) => (isWithheld(text) ? null : text));
  const sipName = [name, number === name ? null : formatNumber(number ?? null)].filter(Boolean).join(" · ");
  const who = floorName ?? (sipName || t("phone.no_number"));
  const mutedThere = here?.part.muted ?? false;
  const quiet = muted || mutedThere;

  function toggleMute() {
    setMuted(!quiet);
    // The microphone here is what counts; the PBX is told so that everybody sees the same.
    if (here && mutedThere === quiet) void plain(quiet ? "unmute" : "mute", here.call.call);
  }

  return (
    <div className="phone-call" role="group" aria-label={t("phone.call_with", { name: who })}>
      <span className="phone-who"><strong>{who}</strong><span className="quiet"> · {t(`phone.call_${call.by === "return" && call.state === "answering" ? "return" : call.state}`)}</span></span>
      {call.state === "answering" && call.by !== "agent" ? null : call.state !== "talking" ? (
        <>
          <Tool testid="phone-answer" icon="phone" text={t("phone.answer")} tone="go" busy={call.state === "answering"} onPress={() => answer()} />
          <Tool testid="phone-reject" icon="hangup" text={t("phone.reject")} tone="danger" onPress={() => reject()} />
        </>
      ) : (
        <>
          {!here && <span className="num quiet">{formatSpan(Date.now() - call.since)}</span>}
          <Meter level={quiet ? 0 : (figures?.levelOut ?? 0)} label={t("phone.your_level")} />
          <Tool testid="phone-mute" icon={quiet ? "mic_off" : "mic"} text={t(quiet ? "phone.unmute" : "phone.mute")} tone={quiet ? "on" : ""} pressed={quiet} onPress={toggleMute} />
          {!here && <PhoneKeypad />}
          <Tool testid="phone-hangup" icon="hangup" text={t("phone.hang_up")} tone="danger" onPress={() => hangUp()} />
        </>
      )}
    </div>
  );
}

interface ToolProps { testid: string; icon: IconName; text: string; tone: string; busy?: boolean; pressed?: boolean; onPress: () => void }

function Tool({ testid, icon, text, tone, busy, pressed, onPress }: ToolProps) {
  return (
    <Button className={`button small phone-tool ${tone}`} data-testid={testid} isDisabled={busy ?? false} {...(pressed === undefined ? {} : { "aria-pressed": pressed })} onPress={onPress}>
      <Icon name={icon} /><span className="phone-tool-text">{text}</span>
    </Button>
  );
}
