// A telephone number that can be dialled where it stands: a tel: link, which store/dialling.ts takes over.
import type { KeyboardEvent, ReactNode, SyntheticEvent } from "react";
import { useT } from "../i18n";
import { formatNumber } from "../lib/format";
import { numberOf } from "../lib/number";
import { Icon } from "./Icon";

const keep = (event: SyntheticEvent) => event.stopPropagation();

/** In a row that can be pressed itself, pressing the link is not pressing the row: that press would never end. */
const ownPress = {
  onPointerDown: keep, onMouseDown: keep, onClick: keep,
  onKeyDown: (event: KeyboardEvent) => { if (event.key === "Enter") event.stopPropagation(); },
};

/** The same as a small sign at the end of a row. */
export function CallBack({ number, who }: { number: string | null; who: string }) {
  const t = useT();
  const plain = number ? numberOf(number) : null;
  if (!plain) return null;
  return <a className="call-back" href={`tel:${plain}`} aria-label={t("dial.back", { name: who })} title={t("dial.hint", { number: formatNumber(plain) })} {...ownPress}><Icon name="phone_out" size={14} /></a>;
}

export function TelLink({ number, children }: { number: string | null | undefined; children?: ReactNode }) {
  const t = useT();
  const plain = number ? numberOf(number) : null;
  const shown = children ?? (formatNumber(number) || number);
  if (!plain) return <span className="num">{shown}</span>;
  return <a className="tel num" href={`tel:${plain}`} title={t("dial.hint", { number: formatNumber(plain) })} data-testid="tel" {...ownPress}>{shown}</a>;
}
