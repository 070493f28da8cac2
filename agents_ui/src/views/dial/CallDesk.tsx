// What the call controls lay over the desk: the target picker, the pick-up list, the question before dialling, the spoken news.
import { useEffect } from "react";
import { later } from "../../parts/later";
import { followTelLinks } from "../../store/calls/dialling";
import { usePanel } from "../../store/calls/panel";
import { CallNews } from "../call/CallNews";
import { DialQuestion } from "./DialQuestion";
import { TargetPicker } from "./TargetPicker";

const PickUps = later(() => import("./PickUps").then(({ PickUps }) => PickUps));

export function CallDesk() {
  const pickUps = usePanel(({ pickUp }) => pickUp);
  useEffect(followTelLinks, []);
  return (
    <>
      <CallNews />
      <TargetPicker />
      {pickUps && <PickUps />}
      <DialQuestion />
    </>
  );
}
