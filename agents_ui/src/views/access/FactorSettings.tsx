// Two-step sign-in among my settings: on, off, new recovery codes.
import { useState, type FormEvent } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { problemText } from "../../lib/problem";
import { scrollHere } from "../../lib/scroll";
import { Field } from "../../parts/Field";
import { Icon } from "../../parts/Icon";
import { toast, useStore } from "../../store/desk/store";
import { api, problemOf } from "../../wire/api";
import type { Problem, SecondFactor } from "../../wire/types";
import { RecoveryCodes } from "./RecoveryCodes";
import { SetUpFactor } from "./SetUpFactor";

type Doing = "nothing" | "on" | "off" | "codes";

/** `onEnded`: every other session has ended. `onChange`: the server says something else of it now. */
export function FactorSettings({ factor, onEnded, onChange }: { factor: SecondFactor | null; onEnded: () => void; onChange: () => void }) {
  const t = useT();
  const login = useStore((store) => store.desk.me?.login ?? null);
  const [doing, setDoing] = useState<Doing>("nothing");
  const [codes, setCodes] = useState<string[] | null>(null);
  if (!factor || (!factor.on && !factor.possible)) return null;

  const rest = () => { setDoing("nothing"); setCodes(null); onChange(); };
  const turnedOn = () => { toast({ tone: "ok", text: t("factor.is_on") }); onEnded(); rest(); };

  async function prove(password: string, code: string) {
    if (doing === "codes") return setCodes((await api.renewRecoveryCodes(password, code)).codes);
    await api.endSecondFactor(password, code);
    toast({ tone: "ok", text: t("factor.is_off") });
    onEnded();
    rest();
  }

  return (
    <>
      <div className="setting" data-testid="factor" data-on={factor.on}>
        <div>
          <div>{t("factor.name")}</div>
          <div className="quiet setting-help">{factor.on ? t("factor.left", { count: factor.recovery_codes_left }) : t("factor.help")}</div>
        </div>
        {doing === "nothing" && (
          <div className="actions">
            {factor.on && <Button className="button small" onPress={() => setDoing("codes")}>{t("factor.new_codes")}</Button>}
            {factor.on && !factor.wanted && <Button className="button small" onPress={() => setDoing("off")}>{t("factor.turn_off")}</Button>}
            {!factor.on && <Button className="button small" onPress={() => setDoing("on")}>{t("factor.turn_on")}</Button>}
          </div>
        )}
      </div>
      {doing === "on" && <SetUpFactor login={login} onDone={turnedOn} onCancel={rest} cancelText={t("common.cancel")} />}
      {codes && <RecoveryCodes codes={codes} login={login} onKept={rest} />}
      {!codes && (doing === "off" || doing === "codes") && <Prove key={doing} action={t(doing === "off" ? "factor.turn_off" : "factor.new_codes")} onProve={prove} onCancel={rest} />}
    </>
  );
}

/** Password and code once more, for what a thief of the session would do first. */
function Prove({ action, onProve, onCancel }: { action: string; onProve: (password: string, code: string) => Promise<void>; onCancel: () => void }) {
  const t = useT();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Problem | null>(null);
  const said = refused ? problemText(refused, t) : null;
  const words = said ? `${said.title} ${said.detail}`.trim() : undefined;
  const about = (which: string) => (refused?.code === which && words ? { error: words } : {});
  const change = (set: (text: string) => void) => (text: string) => { setRefused(null); set(text); };

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setRefused(null);
    try {
      await onProve(password, code);
    } catch (error) {
      setRefused(problemOf(error));
      setBusy(false);
    }
  }

  return (
    <form className="account-password" onSubmit={(event) => void submit(event)} data-testid="prove-factor">
      {words && refused?.code !== "wrong_password" && refused?.code !== "wrong_code" && <div className="alert bad" role="alert"><Icon name="warn" /><div>{words}</div></div>}
      <Field label={t("account.current")} type="password" value={password} onChange={change(setPassword)} autoComplete="current-password" isRequired autoFocus {...about("wrong_password")} />
      <Field label={t("factor.either")} value={code} onChange={change(setCode)} autoComplete="one-time-code" isRequired {...about("wrong_code")} />
      <div className="actions" ref={scrollHere}>
        <Button className="button small" onPress={onCancel}>{t("common.cancel")}</Button>
        <Button type="submit" className="button small primary" isDisabled={busy}>{action}</Button>
      </div>
    </form>
  );
}
