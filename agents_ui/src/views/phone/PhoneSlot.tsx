// Where the phone is on the screen: nothing for who has one on the desk, and nothing of it is loaded then.
import { lazy, Suspense, useEffect } from "react";
import { useT } from "../../i18n";
import { startPhone, usePhone } from "../../phone";
import { useStore } from "../../store/desk/store";

// A part that does not come (the server was updated since this page was loaded) must not take the desk with it.
const PhoneBar = lazy(() => import("./PhoneBar").then(({ PhoneBar }) => ({ default: PhoneBar }), () => ({ default: Unloaded })));

export function PhoneSlot() {
  // A story page shows a phone's state and is none.
  useEffect(() => (import.meta.env.MODE === "fixtures" ? undefined : startPhone()), []);
  const mine = useStore((store) => store.phase === "signed_in" && store.desk.me?.shift?.kind === "browser");
  const { call } = usePhone();
  // A call outlives the session in which it began.
  if (!mine && !call) return null;
  return <Suspense fallback={null}><PhoneBar /></Suspense>;
}

function Unloaded() {
  const t = useT();
  return <p className="phone-bar phone-line bad" role="alert" data-testid="phone-bar" data-state="off" data-quality="none">{t("phone.off_unsupported")}</p>;
}
