// Turns two-step sign-in on: password, the picture for the app, one code of it, and then the recovery codes.
import { useEffect, useRef, useState, type FormEvent } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { problemText } from "../../lib/problem";
import { scrollHere } from "../../lib/scroll";
import { Field } from "../../parts/Field";
import { Icon } from "../../parts/Icon";
import { api, problemOf } from "../../wire/api";
import type { Problem, SecondFactorSecret } from "../../wire/types";
import { RecoveryCodes } from "./RecoveryCodes";

interface SetUpProps {
  login: string | null;
  /** What was typed a moment ago to sign in; without it, it is asked for. */
  password?: string;
  onDone: () => void;
  onCancel: () => void;
  cancelText: string;
}

export function SetUpFactor({ login, password = "", onDone, onCancel, cancelText }: SetUpProps) {
  const t = useT();
  const [typed, setTyped] = useState("");
  const [code, setCode] = useState("");
  const [secret, setSecret] = useState<SecondFactorSecret | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [busy, setBusy] = useState(password !== "");
  const [refused, setRefused] = useState<Problem | null>(null);
  const begun = useRef(false);

  async function step(work: () => Promise<void>) {
    setBusy(true);
    setRefused(null);
    try {
      await work();
    } catch (error) {
      setRefused(problemOf(error));
    }
    setBusy(false);
  }

  const begin = (by: string) => step(async () => setSecret(await api.beginSecondFactor(by)));

  useEffect(() => {
    if (!password || begun.current) return;
    begun.current = true;
    void begin(password);
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    if (secret) void step(async () => setCodes((await api.confirmSecondFactor(code)).codes));
    else void begin(typed);
  }

  if (codes) return <RecoveryCodes codes={codes} login={login} onKept={onDone} />;

  const said = refused ? problemText(refused, t) : null;
  const words = said ? `${said.title} ${said.detail}`.trim() : undefined;
  const isWrong = refused?.code === "wrong_password" || refused?.code === "wrong_code";
  const wrong = isWrong && words ? { error: words } : {};
  const change = (set: (text: string) => void) => (text: string) => { setRefused(null); set(text); };
  const asks = !secret && !(busy && password);
  return (
    <form className="set-up-factor" onSubmit={submit} data-testid="set-up-factor">
      {words && !isWrong && <div className="alert bad" role="alert"><Icon name="warn" /><div>{words}</div></div>}
      {asks && <Field label={t("account.current")} type="password" value={typed} onChange={change(setTyped)} autoComplete="current-password" isRequired autoFocus {...wrong} />}
      {secret && (
        <div className="factor-app">
          <img className="factor-qr" src={secret.qr} alt={t("factor.qr")} width={176} height={176} />
          <div className="factor-words">
            <p>{t("factor.scan")}</p>
            <p className="quiet">{t("factor.key")}</p>
            <code data-testid="factor-key">{grouped(secret.secret)}</code>
          </div>
          <Field label={t("factor.code")} name="code" value={code} onChange={change(setCode)} inputMode="numeric" autoComplete="one-time-code" isRequired autoFocus {...wrong} />
        </div>
      )}
      <div className="actions" key={secret ? "code" : "password"} ref={scrollHere}>
        <Button className="button small" onPress={onCancel}>{cancelText}</Button>
        <Button type="submit" className="button small primary" isDisabled={busy}>{t(secret ? "factor.turn_on" : "factor.next")}</Button>
      </div>
    </form>
  );
}

const grouped = (secret: string) => secret.replace(/(.{4})(?=.)/g, "$1 ");
