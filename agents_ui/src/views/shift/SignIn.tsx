// Sign in: login, password, the phone I sit at, language; says clearly what went wrong and keeps what was typed.
import { useState, type FormEvent } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { Field } from "../../parts/Field";
import { Icon } from "../../parts/Icon";
import { begin } from "../../store/session/session";
import { useStore } from "../../store/desk/store";
import { api, ProblemError } from "../../wire/api";
import { LanguageSwitch } from "../shell/LanguageSwitch";

export function SignIn() {
  const t = useT();
  const phase = useStore((store) => store.phase);
  const language = useStore((store) => store.language);
  const lost = useStore((store) => store.socket.name === "lost");
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [phone, setPhone] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<"wrong" | "unreachable" | null>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const me = await api.signIn(login.trim(), password);
      // The language chosen here is the one meant; the profile follows it.
      if (me.language !== language) void api.setLanguage(language).catch(() => null);
      begin({ ...me, language }, { phone: phone.trim() || null });
    } catch (problem) {
      setError(problem instanceof ProblemError && problem.status === 401 ? "wrong" : "unreachable");
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
        {phase === "starting" ? (
          <p className="quiet" role="status">{lost ? t("signin.unreachable") : t("signin.starting")}</p>
        ) : (
          <form onSubmit={(event) => void submit(event)} data-testid="signin-form">
            <Field label={t("signin.login")} name="login" value={login} onChange={setLogin} autoComplete="username" isRequired autoFocus />
            <Field label={t("signin.password")} name="password" type="password" value={password} onChange={setPassword} autoComplete="current-password" isRequired />
            <Field label={t("signin.phone")} name="phone" value={phone} onChange={setPhone} inputMode="tel" autoComplete="off" placeholder={t("signin.phone_hint")} />
            {error && (
              <div className="alert bad" role="alert">
                <Icon name="warn" />
                <div>
                  <strong>{t(`signin.${error}`)}</strong>
                  <div>{t(`signin.${error}_remedy`)}</div>
                </div>
              </div>
            )}
            <Button type="submit" className="button primary wide" isDisabled={busy}>{t(busy ? "signin.busy" : "signin.submit")}</Button>
          </form>
        )}
        <footer><LanguageSwitch /></footer>
      </div>
    </main>
  );
}
