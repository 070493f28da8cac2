// My account among my settings: a new password, two-step sign-in, and an end to being signed in elsewhere.
import { useCallback, useEffect, useState, type FormEvent } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { problemText } from "../../lib/problem";
import { Field } from "../../parts/Field";
import { Icon } from "../../parts/Icon";
import { toast } from "../../store/desk/store";
import { api, problemOf } from "../../wire/api";
import type { Problem, SecondFactor } from "../../wire/types";
import { FactorSettings } from "../access/FactorSettings";

export function AccountSettings() {
  const [changing, setChanging] = useState(false);
  const [elsewhere, setElsewhere] = useState<number | null>(null);
  const [factor, setFactor] = useState<SecondFactor | null>(null);
  const t = useT();

  useEffect(() => {
    void api.mySessions().then((found) => setElsewhere(found.filter((one) => !one.current).length)).catch(() => null);
  }, []);

  const look = useCallback(() => void api.secondFactor().then(setFactor).catch(() => null), []);
  useEffect(look, [look]);

  async function endOthers() {
    try {
      await api.endMyOtherSessions();
      setElsewhere(0);
      toast({ tone: "ok", text: t("account.ended") });
    } catch (error) {
      toast({ tone: "bad", problem: problemOf(error) });
    }
  }

  return (
    <>
      {factor?.has_password !== false && (
        <div className="setting">
          <div><div>{t("signin.password")}</div><div className="quiet setting-help">{t("account.password_help")}</div></div>
          {!changing && <Button className="button small" onPress={() => setChanging(true)}>{t("account.change")}</Button>}
        </div>
      )}
      {changing && <NewPassword onDone={() => { setChanging(false); setElsewhere(0); }} onCancel={() => setChanging(false)} />}
      <FactorSettings factor={factor} onEnded={() => setElsewhere(0)} onChange={look} />
      {elsewhere !== null && (
        <div className="setting">
          <div><div>{t("account.elsewhere")}</div><div className="quiet setting-help">{t(elsewhere ? "account.elsewhere_count" : "account.nowhere", { count: elsewhere })}</div></div>
          {elsewhere > 0 && <Button className="button small" onPress={() => void endOthers()}>{t("account.end")}</Button>}
        </div>
      )}
    </>
  );
}

function NewPassword({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const t = useT();
  const [current, setCurrent] = useState("");
  const [fresh, setFresh] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Problem | null>(null);
  const said = refused ? problemText(refused, t) : null;
  const isWrong = refused?.code === "wrong_password";

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setRefused(null);
    try {
      await api.changePassword(current, fresh);
      toast({ tone: "ok", text: t("account.changed") });
      onDone();
    } catch (error) {
      setRefused(problemOf(error));
      setBusy(false);
    }
  }

  // A field that is wrong cannot be sent, so what was said of it is over once it is typed in again.
  const typed = (set: (text: string) => void) => (text: string) => { setRefused(null); set(text); };

  // The words of a refusal stand below the field that they are about, or above both.
  const words = said ? `${said.title} ${said.detail}`.trim() : undefined;
  const aboutNew = refused?.code?.startsWith("password_") ?? false;
  return (
    <form className="account-password" onSubmit={(event) => void submit(event)} data-testid="new-password">
      {words && !isWrong && !aboutNew && <div className="alert bad" role="alert"><Icon name="warn" /><div>{words}</div></div>}
      <Field label={t("account.current")} type="password" value={current} onChange={typed(setCurrent)} autoComplete="current-password" isRequired autoFocus {...(isWrong && words ? { error: words } : {})} />
      <Field label={t("account.new")} type="password" value={fresh} onChange={typed(setFresh)} autoComplete="new-password" isRequired {...(aboutNew && words ? { error: words } : {})} />
      <div className="actions">
        <Button className="button small" onPress={onCancel}>{t("common.cancel")}</Button>
        <Button type="submit" className="button small primary" isDisabled={busy}>{t("account.save")}</Button>
      </div>
    </form>
  );
}
