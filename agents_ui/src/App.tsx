// The whole screen: sign-in, or the bar with the desk, a customer, an interaction or another room below it.
import { useEffect, type ReactNode } from "react";
import { I18nProvider } from "react-aria-components";
import { useT } from "./i18n";
import { useKeys } from "./keys";
import { useStore } from "./store/desk/store";
import { Announcer } from "./views/shell/Announcer";
import { CallDesk } from "./views/dial/CallDesk";
import { CallPanel } from "./views/call/CallPanel";
import { CallTabs } from "./views/call/CallTabs";
import { CustomerForm } from "./views/customer/CustomerForm";
import { CustomerView } from "./views/customer/CustomerView";
import { DayView } from "./views/desk/DayView";
import { Desk } from "./views/desk/Desk";
import { Floor } from "./views/floor/Floor";
import { InteractionView } from "./views/customer/InteractionView";
import { KeysOverlay } from "./views/shell/KeysOverlay";
import { LinkBanner } from "./views/shell/LinkState";
import { NotHere } from "./views/shell/NotHere";
import { OwedTray } from "./views/wrapup/OwedTray";
import { PhoneSlot } from "./views/phone/PhoneSlot";
import { PromisesView } from "./views/promises/PromisesView";
import { Rail } from "./views/shell/Rail";
import { Rooms } from "./views/shell/Rooms";
import { SeatDialog } from "./views/shift/SeatDialog";
import { SettingsDialog } from "./views/shell/SettingsDialog";
import { SignIn } from "./views/shift/SignIn";
import { TeamView } from "./views/team/TeamView";
import { Toasts } from "./views/shell/Toasts";
import { TopBar } from "./views/shell/TopBar";
import { useMyCalls } from "./store/desk/hooks";

const rooms: Record<string, () => ReactNode> = { "/floor": Floor, "/owed": OwedTray, "/promises": PromisesView, "/team": TeamView, "/day": DayView };

function Centre({ path, supervises }: { path: string; supervises: boolean }) {
  const customer = /^\/customers\/(\d+)(\/edit)?$/.exec(path);
  if (customer) {
    const id = Number(customer[1]);
    return customer[2] ? <CustomerForm key={path} id={id} /> : <CustomerView key={path} id={id} />;
  }
  if (path === "/customers/new") return <CustomerForm id={null} />;
  const interaction = /^\/interactions\/(\d+)$/.exec(path);
  if (interaction) return <InteractionView key={path} id={Number(interaction[1])} />;
  const Room = path === "/floor" && !supervises ? undefined : rooms[path];
  if (Room) return <Room />;
  return path === "/" ? <Desk /> : <NotHere what="address" />;
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

  return (
    <I18nProvider locale={language === "zh" ? "zh-CN" : "en-GB"}>
      {phase === "signed_in" ? (
        <div className={`app ${hasCalls ? "has-call" : ""} ${path === "/floor" && supervises ? "is-floor" : ""}`}>
          <a className="skip" href="#centre">{t("app.skip")}</a>
          <TopBar />
          <PhoneSlot />
          <Rooms />
          <Rail />
          <main id="centre" tabIndex={-1}>
            <LinkBanner />
            <CallTabs />
            <Centre path={path} supervises={supervises} />
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
