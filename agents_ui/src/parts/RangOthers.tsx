// Those who were rung beside whoever took a call: counted, and named on demand. A ring-all queue of twenty has nineteen a call.
import { useState } from "react";
import { Button } from "react-aria-components";
import { useT } from "../i18n";

export function RangOthers({ names }: { names: string[] }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  if (names.length === 0) return null;
  return (
    <li className="rang-others" data-testid="rang-others">
      <Button className="link-button" aria-expanded={open} onPress={() => setOpen(!open)}>{t("call.rang_others", { count: names.length })}</Button>
      {open && <span className="quiet">{names.join(", ")}</span>}
    </li>
  );
}

/** Whether somebody was only rung, and another took the call. */
export const wasElsewhere = (outcome: string | null) => outcome === "answered_elsewhere";
