// What the call controls lay over the desk: the target picker, the pick-up list, the question before dialling, the spoken news.
import { useEffect } from "react";
import { followTelLinks } from "../../store/calls/dialling";
import { CallNews } from "../call/CallNews";
import { DialQuestion } from "./DialQuestion";
import { PickUps } from "./PickUps";
import { TargetPicker } from "./TargetPicker";

export function CallDesk() {
  useEffect(followTelLinks, []);
  return (
    <>
      <CallNews />
      <TargetPicker />
      <PickUps />
      <DialQuestion />
    </>
  );
}
