// Telephone numbers as people and links write them, and as the server sends them to whoever may not see them in full.

const MASKED = /^(\+?\d*•{4}\d+)~[\w-]+$/;

/** What a person reads of a number: of a masked one, `+86138••••8000~…`, without the handle by which the server knows it. */
export const readable = (number: string) => MASKED.exec(number)?.[1] ?? number;

/** Whether the server knows the rest of this number, and this page does not. */
export const isMasked = (number: string) => MASKED.test(number);

// What networks send in the place of a number or a name that the caller withholds; the server's list is longer.
const WITHHELD: ReadonlySet<string> = new Set(["anonymous", "withheld", "unknown", "private", "restricted", "unavailable", "blocked", "hidden", "asterisk", "匿名", "未知", "隐藏", "保密"]);

/** Whether this is a network's word for having none: a caller is never called "anonymous". */
export const isWithheld = (text: string | null | undefined): boolean => !text || WITHHELD.has(text.trim().toLowerCase());

/** `tel:+86-138;ext=602`, `web+tel:…` or what a person wrote, as digits with a leading + where there was one; null when no number. */
export function numberOf(text: string): string | null {
  const bare = text.trim().replace(/^(web\+)?tel:\/*/i, "").split(/[;?]/)[0] ?? "";
  let plain = bare;
  try {
    plain = decodeURIComponent(bare);
  } catch {
    // A lone % is part of no number: what follows refuses it.
  }
  if (MASKED.test(plain)) return plain;
  const digits = plain.normalize("NFKC").replace(/[\s().\-–—/]/g, "");
  return /^\+?[0-9*#]{2,32}$/.test(digits) ? digits : null;
}
