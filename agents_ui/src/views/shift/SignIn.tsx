// Sign in: through the company's provider, or login and password, the phone I sit at, language; says clearly what went wrong
// and keeps what was typed. The second step and its set-up have their own forms in the same box.
import { useState, type FormEvent } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { Field } from "../../parts/Field";
import { later } from "../../parts/later";
import { goToProvider } from "../../store/session/provider";
import { begin, resumeSession } from "../../store/session/session";
import { useStore } from "../../store/desk/store";
import { api, problemOf } from "../../wire/api";
import { noAnswer } from "../../wire/foreign";
import type { Problem } from "../../wire/types";
import { CodeStep } from "../access/CodeStep";
import { ProviderStep } from "../access/ProviderStep";
import { Refusal } from "../access/Refusal";
import { useWays } from "../access/ways";
import { LanguageSwitch } from "../shell/LanguageSwitch";

const SetUpFactor = later(() => import("../access/SetUpFactor").then(({ SetUpFactor }) => SetUpFactor));

export function SignIn() {
  const t = useT();
  const phase = useStore((store) => store.phase);
  const language = useStore((store) => store.language);
  const lost = useStore((store) => (store.socket.name === "lost" ? (store.socket.problem ?? noAnswer()) : null));
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [phone, setPhone] = useState("");
  const [chosen, setChosen] = useState(false);
  const [asksCode, setAsksCode] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Problem | null>(null);
  const cameBack = useStore((store) => store.refused);
  const ways = useWays(phase === "signed_out");
  const [emergency, setEmergency] = useState(false);
  const arrival = { phone: phone.trim() || null };

  async function signIn(code: string | null) {
    setBusy(true);
    refuse(null);
    try {
      const { must_set_up: mustSetUp, ...me } = await api.signIn(login.trim(), password, code);
      if (mustSetUp) return useStore.getState().set({ phase: "must_set_up" });
      // A language chosen here is the one meant, and the profile follows it.
      if (chosen && me.language !== language) void api.setLanguage(language).catch(() => null);
      begin(chosen ? { ...me, language } : me, arrival);
    } catch (error) {
      const problem = problemOf(error);
      if (problem.code === "code_needed") setAsksCode(true);
      else refuse(problem);
      // The password was changed meanwhile: the first step again.
      if (problem.code === "wrong_credentials") setAsksCode(false);
    } finally {
      setBusy(false);
    }
  }

  const usesPassword = ways?.password !== false || emergency;

  function submit(event: FormEvent) {
    event.preventDefault();
    void signIn(null);
  }

  function refuse(problem: Problem | null) {
    setRefused(problem);
    useStore.getState().set({ refused: null });
  }

  async function go() {
    setBusy(true);
    refuse(null);
    try {
      await goToProvider(arrival.phone);
    } catch (error) {
      refuse(problemOf(error));
      setBusy(false);
    }
  }

  async function leave() {
    await api.signOut().catch(() => null);
    useStore.getState().set({ phase: "signed_out" });
  }

  return (
    <main className="signin">
      <div className="signin-box">
        <header>
          <img src="/icon.svg" alt="" width={28} height={28} />
          <div>
            <h1>{t("app.name")}</h1>
            <p>{t("signin.lede")}</p>
          </div>
        </header>
        {phase === "starting" && (lost ? <Refusal problem={lost} /> : <p className="quiet" role="status">{t("signin.starting")}</p>)}
        {phase === "must_set_up" && (
          <>
            <div className="alert info">{t("factor.wanted")}</div>
            <SetUpFactor login={login.trim() || null} password={password} onDone={() => void resumeSession(arrival)} onCancel={() => void leave()} cancelText={t("bar.sign_out")} />
          </>
        )}
        {phase === "signed_out" && asksCode && (
          <CodeStep busy={busy} refused={refused} onCode={(code) => void signIn(code)} onTyped={() => refuse(null)} onBack={() => { setAsksCode(false); refuse(null); }} />
        )}
        {phase === "signed_out" && !asksCode && ways?.provider && (
          <ProviderStep name={ways.provider.name} busy={busy} refused={cameBack ?? (usesPassword ? null : refused)} onGo={() => void go()}>
            {usesPassword ? <p className="signin-or"><span>{t("signin.or_password")}</span></p> : (
              <Button className="button ghost small" onPress={() => setEmergency(true)}>{t("signin.emergency")}</Button>
            )}
          </ProviderStep>
        )}
        {phase === "signed_out" && !asksCode && ways && usesPassword && (
          <form onSubmit={submit} data-testid="signin-form">
            <Field label={t("signin.login")} name="login" value={login} onChange={setLogin} autoComplete="username" isRequired autoFocus={!ways.provider || emergency} />
            <Field label={t("signin.password")} name="password" type="password" value={password} onChange={setPassword} autoComplete="current-password" isRequired />
            <Field label={t("signin.phone")} name="phone" value={phone} onChange={setPhone} inputMode="tel" autoComplete="off" placeholder={t("signin.phone_hint")} />
            {refused && <Refusal problem={refused} />}
            <Button type="submit" className={`button wide ${ways.provider ? "" : "primary"}`} isDisabled={busy}>{t(busy ? "signin.busy" : "signin.submit")}</Button>
          </form>
        )}
        <footer><LanguageSwitch onChoose={() => setChosen(true)} /></footer>
      </div>
    </main>
  );
}
