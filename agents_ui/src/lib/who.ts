// Who a call is with, in the words of the viewer.
import type { T } from "../i18n";
import type { CallView, Interaction } from "../wire/types";
import { formatNumber } from "./format";

export function whoIs(call: CallView, t: T): string {
  if (call.customer) return call.customer.name;
  if (call.direction === "internal") return call.ani_name ?? call.ani ?? t("common.unknown");
  const outbound = call.direction === "outbound" ? call.others[0] : undefined;
  if (outbound) return outbound.name ?? (formatNumber(outbound.number) || t("common.unknown"));
  if (call.ani) return formatNumber(call.ani);
  return call.ani_name ?? t("common.withheld");
}

/** The number at the other end. */
export function numberWith(entry: Interaction): string | null {
  return (entry.direction === "outbound" ? (entry.dnis ?? entry.ani) : entry.ani) ?? null;
}

export function whoWas(entry: Interaction, t: T): string {
  if (entry.customer) return entry.customer.name;
  const number = formatNumber(numberWith(entry));
  return number || entry.ani_name || t("common.unknown_caller");
}
