// The second step of a sign-in: six digits of the app, or a recovery code for whoever has no phone at hand.
import { useState, type FormEvent } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { problemText } from "../../lib/problem";
import { Field } from "../../parts/Field";
import type { Problem } from "../../wire/types";
import { Refusal } from "./Refusal";

interface CodeStepProps { busy: boolean; refused: Problem | null; onCode: (code: string) => void; onTyped: () => void; onBack: () => void }

export function CodeStep({ busy, refused, onCode, onTyped, onBack }: CodeStepProps) {
  const t = useT();
  const [code, setCode] = useState("");
  const [recovery, setRecovery] = useState(false);
  const isWrong = refused?.code === "wrong_code";
  const said = isWrong ? problemText(refused, t) : null;

  function submit(event: FormEvent) {
    event.preventDefault();
    onCode(code);
    setCode("");
  }

  const typed = (text: string) => { onTyped(); setCode(text); };
  const field = recovery
    ? { label: t("factor.recovery"), name: "recovery", autoComplete: "off", hint: t("factor.recovery_hint") }
    : { label: t("factor.code"), name: "code", autoComplete: "one-time-code", inputMode: "numeric" as const, hint: t("factor.code_hint") };
  return (
    <form onSubmit={submit} data-testid="signin-code">
      <Field
        key={field.name} label={field.label} name={field.name} value={code} onChange={typed} autoComplete={field.autoComplete}
        {...(field.inputMode ? { inputMode: field.inputMode } : {})} isRequired autoFocus
        hint={said ? null : <span className="quiet setting-help">{field.hint}</span>} {...(said ? { error: `${said.title} ${t("remedy.wrong_code")}` } : {})}
      />
      {refused && !isWrong && <Refusal problem={refused} />}
      <Button type="submit" className="button primary wide" isDisabled={busy}>{t(busy ? "signin.busy" : "signin.submit")}</Button>
      <div className="signin-other">
        <Button className="button ghost small" onPress={onBack}>{t("common.back")}</Button>
        <Button className="button ghost small" onPress={() => { setRecovery(!recovery); setCode(""); onTyped(); }}>{t(recovery ? "factor.use_app" : "factor.use_recovery")}</Button>
      </div>
    </form>
  );
}
