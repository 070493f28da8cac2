// What is wrong with the phone and what mends it, a line each; nothing while all is well.
import { Button } from "react-aria-components";
import i18next from "i18next";
import { useT, type T } from "../../i18n";
import { Icon } from "../../parts/Icon";
import { browserPhone, usePhone } from "../../phone";
import { usePhoneStore } from "../../phone/store";
import type { PhoneState } from "../../phone/state";
import { useStore } from "../../store/desk/store";

interface Line { key: string; tone: "bad" | "warn" | "info"; text: string; action?: { text: string; do: () => void }; testid?: string }

export function PhoneNews() {
  const t = useT();
  const state = usePhone();
  const tell = usePhoneStore((store) => store.tell);
  const permission = usePhoneStore((store) => store.permission);
  const autoAnswer = useStore((store) => store.desk.me?.preferences?.auto_answer ?? false);
  const lines = [...linesOf(state, t, () => tell({ type: "read" })), ...question(state, permission, autoAnswer, t)];
  return (
    <div role="status" className="phone-news">
      {lines.map((line) => (
        <p key={line.key} className={`phone-line ${line.tone}`} data-testid={line.testid ?? `phone-${line.key}`}>
          <Icon name={line.tone === "info" ? "clock" : "warn"} size={14} />
          <span>{line.text}</span>
          {line.action && <Button className="button small" onPress={line.action.do}>{line.action.text}</Button>}
        </p>
      ))}
    </div>
  );
}

function linesOf(state: PhoneState, t: T, read: () => void): Line[] {
  const { registration, recovery, trouble, dropped, missing, deafSince, dumbSince, call } = state;
  const phone = browserPhone();
  const lines: Line[] = [];
  if (registration.name === "off" && registration.fault) {
    const own = [`problem.${registration.code ?? ""}`, `remedy.${registration.code ?? ""}`];
    // The server speaks English: where we have words of our own they are the viewer's.
    const why = own.every((key) => i18next.exists(key)) ? own.map((key) => t(key)).join(" ") : registration.detail;
    lines.push({ key: "off", tone: "bad", text: [t(`phone.off_${registration.fault}`), why === "load" ? "" : why].filter(Boolean).join(" ") });
  }
  if (registration.name === "lost") lines.push({ key: "lost", tone: "bad", text: t(call ? "phone.lost_help_call" : registration.fault === "refused" ? "phone.lost_help_refused" : "phone.lost_help") });
  if (registration.name === "elsewhere" && call) lines.push({ key: "elsewhere", tone: "warn", text: t("phone.elsewhere_call") });
  if (recovery && recovery.state !== "failed") lines.push({ key: "returning", tone: "info", text: t("phone.returning") });
  if (recovery?.state === "failed") {
    const why = t(`phone.return_${known(recovery.code)}`);
    lines.push({ key: "return-failed", tone: "bad", text: [t("phone.return_failed"), why, recovery.detail].filter(Boolean).join(" "), action: { text: t("phone.bring_back"), do: () => phone?.bringBack() } });
  }
  if (dropped) lines.push({ key: "dropped", tone: "bad", text: t("phone.dropped"), action: { text: t("common.dismiss"), do: read } });
  if (trouble === "sound_blocked") lines.push({ key: "blocked", tone: "bad", text: t("phone.trouble_sound_blocked"), action: { text: t("phone.hear"), do: () => undefined } });
  else if (trouble) lines.push({ key: "trouble", tone: "bad", text: t(`phone.trouble_${trouble}`), action: { text: t("phone.allow_retry"), do: () => void phone?.allowMicrophone() } });
  for (const [device, label] of Object.entries(missing)) lines.push({ key: `missing-${device}`, tone: "warn", text: t(`phone.missing_${device}`, { name: label || t("phone.device_unnamed") }) });
  if (call?.state === "talking" && deafSince !== null) lines.push({ key: "deaf", tone: "warn", text: t(state.quality === "none" ? "phone.deaf_none" : "phone.deaf") });
  if (call?.state === "talking" && dumbSince !== null && !trouble) lines.push({ key: "dumb", tone: "warn", text: t("phone.dumb") });
  return lines;
}

const reasons: ReadonlySet<string> = new Set(["did_not_come", "not_possible", "not_yours", "wrong_state", "pbx_unreachable", "unreachable", "not_confirmed"]);
const known = (code: string | null) => (code && reasons.has(code) ? code : "other");

/** Asked for before the first call, so that no caller waits for the browser's question. */
function question(state: PhoneState, permission: string, autoAnswer: boolean, t: T): Line[] {
  if (permission !== "prompt" || state.trouble || state.registration.name !== "registered") return [];
  return [{
    key: "ask", tone: autoAnswer ? "bad" : "warn", text: t("phone.ask_microphone"),
    action: { text: t("phone.allow"), do: () => void browserPhone()?.allowMicrophone() },
  }];
}
