// The whole screen: sign-in, or the bar with the desk, a customer, an interaction or the floor below it.
import { useEffect } from "react";
import { I18nProvider } from "react-aria-components";
import { useT } from "./i18n";
import { useKeys } from "./keys";
import { useStore } from "./store/store";
import { Announcer } from "./views/Announcer";
import { CallDesk } from "./views/CallDesk";
import { CallPanel } from "./views/CallPanel";
import { CallTabs } from "./views/CallTabs";
import { CustomerForm } from "./views/CustomerForm";
import { CustomerView } from "./views/CustomerView";
import { Desk } from "./views/Desk";
import { Floor } from "./views/Floor";
import { InteractionView } from "./views/InteractionView";
import { KeysOverlay } from "./views/KeysOverlay";
import { LinkBanner } from "./views/LinkState";
import { PhoneSlot } from "./views/PhoneSlot";
import { Rail } from "./views/Rail";
import { SignIn } from "./views/SignIn";
import { Toasts } from "./views/Toasts";
import { TopBar } from "./views/TopBar";
import { useMyCalls } from "./store/hooks";

function Centre({ path }: { path: string }) {
  const customer = /^\/customers\/(\d+)(\/edit)?$/.exec(path);
  if (customer) {
    const id = Number(customer[1]);
    return customer[2] ? <CustomerForm key={path} id={id} /> : <CustomerView key={path} id={id} />;
  }
  if (path === "/customers/new") return <CustomerForm id={null} />;
  const interaction = /^\/interactions\/(\d+)$/.exec(path);
  if (interaction) return <InteractionView key={path} id={Number(interaction[1])} />;
  if (path === "/floor") return <Floor />;
  return <Desk />;
}

export function App() {
  const phase = useStore((store) => store.phase);
  const path = useStore((store) => store.path);
  const language = useStore((store) => store.language);
  const supervises = useStore((store) => (store.desk.me?.role ?? "agent") !== "agent");
  const hasCalls = useMyCalls().length > 0;
  const t = useT();
  useKeys();
  useEffect(() => {
    if (phase !== "signed_in") document.title = `${t("signin.heading")} · ${t("app.name")}`;
  }, [phase, t]);

  const shown = path === "/floor" && !supervises ? "/" : path;
  return (
    <I18nProvider locale={language === "zh" ? "zh-CN" : "en-GB"}>
      {phase === "signed_in" ? (
        <div className={`app ${hasCalls ? "has-call" : ""} ${shown === "/floor" ? "is-floor" : ""}`}>
          <a className="skip" href="#centre">{t("app.skip")}</a>
          <TopBar />
          <PhoneSlot />
          <Rail />
          <main id="centre" tabIndex={-1}>
            <LinkBanner />
            <CallTabs />
            <Centre path={shown} />
          </main>
          {hasCalls && <CallPanel />}
        </div>
      ) : (
        <>
          <PhoneSlot />
          <SignIn />
        </>
      )}
      <Announcer />
      {phase === "signed_in" && <CallDesk />}
      <Toasts />
      <KeysOverlay />
    </I18nProvider>
  );
}
