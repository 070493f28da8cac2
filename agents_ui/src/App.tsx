// The whole screen: sign-in, or the bar with the desk, a customer, an interaction or another room below it.
import { useEffect, type ComponentType } from "react";
import { I18nProvider } from "react-aria-components";
import { useT } from "./i18n";
import { useKeys } from "./keys";
import { later } from "./parts/later";
import { useStore } from "./store/desk/store";
import { useSettings } from "./store/session/settings";
import { useSeating } from "./store/shift/shift";
import { Announcer } from "./views/shell/Announcer";
import { CallDesk } from "./views/dial/CallDesk";
import { CallTabs } from "./views/call/CallTabs";
import { LinkBanner } from "./views/shell/LinkState";
import { NotHere } from "./views/shell/NotHere";
import { PhoneSlot } from "./views/phone/PhoneSlot";
import { Rail } from "./views/shell/Rail";
import { Rooms } from "./views/shell/Rooms";
import { SignIn } from "./views/shift/SignIn";
import { Toasts } from "./views/shell/Toasts";
import { TopBar } from "./views/shell/TopBar";
import { useMyCalls } from "./store/desk/hooks";

const CallPanel = later(() => import("./views/call/CallPanel").then(({ CallPanel }) => CallPanel));
const CustomerForm = later(() => import("./views/customer/CustomerForm").then(({ CustomerForm }) => CustomerForm));
const CustomerView = later(() => import("./views/customer/CustomerView").then(({ CustomerView }) => CustomerView));
const DayView = later(() => import("./views/desk/DayView").then(({ DayView }) => DayView));
const Desk = later(() => import("./views/desk/Desk").then(({ Desk }) => Desk));
const Floor = later(() => import("./views/floor/Floor").then(({ Floor }) => Floor));
const InteractionView = later(() => import("./views/customer/InteractionView").then(({ InteractionView }) => InteractionView));
const OwedTray = later(() => import("./views/wrapup/OwedTray").then(({ OwedTray }) => OwedTray));
const PromisesView = later(() => import("./views/promises/PromisesView").then(({ PromisesView }) => PromisesView));
const KeysOverlay = later(() => import("./views/shell/KeysOverlay").then(({ KeysOverlay }) => KeysOverlay));
const SeatDialog = later(() => import("./views/shift/SeatDialog").then(({ SeatDialog }) => SeatDialog));
const SettingsDialog = later(() => import("./views/shell/SettingsDialog").then(({ SettingsDialog }) => SettingsDialog));
const TeamView = later(() => import("./views/team/TeamView").then(({ TeamView }) => TeamView));

const rooms: Record<string, ComponentType> = { "/floor": Floor, "/owed": OwedTray, "/promises": PromisesView, "/team": TeamView, "/day": DayView };

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
  const keysOpen = useStore((store) => store.overlay === "keys");
  const seatsOpen = useSeating(({ open }) => open);
  const settingsOpen = useSettings(({ open }) => open);
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
      {phase === "signed_in" && <><CallDesk />{seatsOpen && <SeatDialog />}{settingsOpen && <SettingsDialog />}</>}
      <Toasts />
      {keysOpen && <KeysOverlay />}
    </I18nProvider>
  );
}
