// What follows from this call: a callback in a window of time, or a case; made when wrap-up is finished.
import { Button, ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { useT } from "../../i18n";
import { Field } from "../../parts/Field";
import { WhenField } from "../../parts/WhenField";
import type { FollowUp } from "../../wire/types";

interface FollowUpProps { value: FollowUp | null; number: string | null; onChange: (followUp: FollowUp | null) => void }

export function FollowUpFields({ value, number, onChange }: FollowUpProps) {
  const t = useT();
  function choose(kind: string | undefined) {
    if (kind === "callback") onChange({ kind, from: null, to: null, number, text: "" });
    else if (kind === "case") onChange({ kind, subject: "", text: "" });
    else onChange(null);
  }
  return (
    <div className="follow-up" data-testid="follow-up" data-kind={value?.kind ?? ""}>
      <div className="follow-up-head">
        <span className="label" id="follow-up-label">{t("wrapup.follow_up")}</span>
        <ToggleButtonGroup className="choices" aria-labelledby="follow-up-label" selectedKeys={value ? [value.kind] : []} onSelectionChange={(keys) => choose([...keys].map(String)[0])}>
          <ToggleButton id="callback" className="chip-button">{t("wrapup.callback")}</ToggleButton>
          <ToggleButton id="case" className="chip-button">{t("wrapup.case")}</ToggleButton>
        </ToggleButtonGroup>
      </div>
      {value?.kind === "callback" && (
        <>
          <WhenField kind="window" label={t("wrapup.callback_when")} value={value} onChange={(when) => onChange({ ...value, ...when })} />
          <div className="pair">
            <Field label={t("wrapup.number")} value={value.number ?? ""} onChange={(text) => onChange({ ...value, number: text || null })} inputMode="tel" />
            <Field label={t("wrapup.about")} value={value.text} maxLength={500} onChange={(text) => onChange({ ...value, text })} />
          </div>
        </>
      )}
      {value?.kind === "case" && (
        <Field label={t("wrapup.subject")} value={value.subject} maxLength={200} onChange={(subject) => onChange({ ...value, subject })} />
      )}
      {value && <Button className="button small ghost follow-up-off" onPress={() => onChange(null)}>{t("wrapup.no_follow_up")}</Button>}
    </div>
  );
}
