// Who a call is with, in the words of the viewer.
import type { T } from "../i18n";
import type { CallView, Customer, Interaction } from "../wire/types";
import { formatNumber } from "./format";
import { isWithheld } from "./number";

export function whoIs(call: CallView, t: T): string {
  if (call.customer) return call.customer.name;
  if (call.direction === "internal") return call.ani_name ?? call.ani ?? t("common.unknown");
  if (call.direction === "outbound") {
    const called = call.people.find((person) => person.role === "customer")?.name ?? formatNumber(call.dnis);
    if (called) return called;
  }
  if (!isWithheld(call.ani)) return formatNumber(call.ani);
  return nameOr(call.ani_name, t("common.withheld"));
}

const nameOr = (name: string | null | undefined, other: string): string => (name && !isWithheld(name) ? name : other);

/** An agent's phone as people call it: 1001, of PJSIP/1001 or Local/1001@agents. */
export const phoneOf = (seat: string): string => seat.replace(/^\w+\//, "").replace(/@.*$/, "");

/** The name with the salutation before it, as they are spoken to. */
export function fullName({ salutation, name }: Pick<Customer, "salutation" | "name">): string {
  return salutation ? `${salutation} ${name}` : name;
}

/** The number at the other end. */
export function numberWith(entry: Interaction): string | null {
  return (entry.direction === "outbound" ? (entry.dnis ?? entry.ani) : entry.ani) ?? null;
}

export function whoWas(entry: Interaction, t: T): string {
  if (entry.customer) return entry.customer.name;
  const number = numberWith(entry);
  return isWithheld(number) ? nameOr(entry.ani_name, t("common.unknown_caller")) : formatNumber(number);
}
