// Sign in: login, password, the phone I sit at, language; says clearly what went wrong and keeps what was typed.
import { useState, type FormEvent } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { problemText } from "../../lib/problem";
import { Field } from "../../parts/Field";
import { Icon } from "../../parts/Icon";
import { begin } from "../../store/session/session";
import { useStore } from "../../store/desk/store";
import { api, ProblemError } from "../../wire/api";
import { noAnswer } from "../../wire/foreign";
import type { Problem } from "../../wire/types";
import { LanguageSwitch } from "../shell/LanguageSwitch";

export function SignIn() {
  const t = useT();
  const phase = useStore((store) => store.phase);
  const language = useStore((store) => store.language);
  const lost = useStore((store) => (store.socket.name === "lost" ? (store.socket.problem ?? noAnswer()) : null));
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [phone, setPhone] = useState("");
  const [chosen, setChosen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Problem | null>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setRefused(null);
    try {
      const me = await api.signIn(login.trim(), password);
      // A language chosen here is the one meant, and the profile follows it.
      if (chosen && me.language !== language) void api.setLanguage(language).catch(() => null);
      begin(chosen ? { ...me, language } : me, { phone: phone.trim() || null });
    } catch (error) {
      setRefused(error instanceof ProblemError ? error.problem : noAnswer());
      setBusy(false);
    }
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
        {phase !== "starting" && (
          <form onSubmit={(event) => void submit(event)} data-testid="signin-form">
            <Field label={t("signin.login")} name="login" value={login} onChange={setLogin} autoComplete="username" isRequired autoFocus />
            <Field label={t("signin.password")} name="password" type="password" value={password} onChange={setPassword} autoComplete="current-password" isRequired />
            <Field label={t("signin.phone")} name="phone" value={phone} onChange={setPhone} inputMode="tel" autoComplete="off" placeholder={t("signin.phone_hint")} />
            {refused && <Refusal problem={refused} />}
            <Button type="submit" className="button primary wide" isDisabled={busy}>{t(busy ? "signin.busy" : "signin.submit")}</Button>
          </form>
        )}
        <footer><LanguageSwitch onChoose={() => setChosen(true)} /></footer>
      </div>
    </main>
  );
}

/** What the server said, or whatever answers in its place, and what mends it. */
function Refusal({ problem }: { problem: Problem }) {
  const t = useT();
  const ours = problem.code === "wrong_credentials" ? "wrong" : problem.code === "unreachable" ? "unreachable" : null;
  const said = ours ? { title: t(`signin.${ours}`), detail: t(`signin.${ours}_remedy`) } : problemText(problem, t);
  return (
    <div className="alert bad" role="alert" data-testid="signin-refusal" data-code={problem.code}>
      <Icon name="warn" />
      <div>
        <strong>{said.title}</strong>
        <div>{said.detail}</div>
      </div>
    </div>
  );
}
