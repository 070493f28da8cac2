// Where the phone is on the screen: nothing for who has one on the desk, and nothing of it is loaded then.
import { lazy, Suspense, useEffect } from "react";
import { startPhone, usePhone } from "../phone";
import { useStore } from "../store/store";

const PhoneBar = lazy(async () => ({ default: (await import("./PhoneBar")).PhoneBar }));

export function PhoneSlot() {
  // A story page shows a phone's state and is none.
  useEffect(() => (import.meta.env.MODE === "fixtures" ? undefined : startPhone()), []);
  const mine = useStore((store) => store.phase === "signed_in" && store.desk.me?.shift?.kind === "browser");
  const { call } = usePhone();
  // A call outlives the session in which it began.
  if (!mine && !call) return null;
  return <Suspense fallback={null}><PhoneBar /></Suspense>;
}
