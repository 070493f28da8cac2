// The whole screen: sign-in, or the bar with the desk, a customer, an interaction or another room below it.
import { useEffect, type ReactNode } from "react";
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
import { DayView } from "./views/DayView";
import { Desk } from "./views/Desk";
import { Floor } from "./views/Floor";
import { InteractionView } from "./views/InteractionView";
import { KeysOverlay } from "./views/KeysOverlay";
import { LinkBanner } from "./views/LinkState";
import { OwedTray } from "./views/OwedTray";
import { PhoneSlot } from "./views/PhoneSlot";
import { PromisesView } from "./views/PromisesView";
import { Rail } from "./views/Rail";
import { Rooms } from "./views/Rooms";
import { SeatDialog } from "./views/SeatDialog";
import { SettingsDialog } from "./views/SettingsDialog";
import { SignIn } from "./views/SignIn";
import { TeamView } from "./views/TeamView";
import { Toasts } from "./views/Toasts";
import { TopBar } from "./views/TopBar";
import { useMyCalls } from "./store/hooks";

const rooms: Record<string, () => ReactNode> = { "/floor": Floor, "/owed": OwedTray, "/promises": PromisesView, "/team": TeamView, "/day": DayView };

function Centre({ path }: { path: string }) {
  const customer = /^\/customers\/(\d+)(\/edit)?$/.exec(path);
  if (customer) {
    const id = Number(customer[1]);
    return customer[2] ? <CustomerForm key={path} id={id} /> : <CustomerView key={path} id={id} />;
  }
  if (path === "/customers/new") return <CustomerForm id={null} />;
  const interaction = /^\/interactions\/(\d+)$/.exec(path);
  if (interaction) return <InteractionView key={path} id={Number(interaction[1])} />;
  const Room = rooms[path];
  if (Room) return <Room />;
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
          <Rooms />
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
      {phase === "signed_in" && <><CallDesk /><SeatDialog /><SettingsDialog /></>}
      <Toasts />
      <KeysOverlay />
    </I18nProvider>
  );
}
