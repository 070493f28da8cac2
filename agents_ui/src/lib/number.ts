// Telephone numbers as people and links write them.

/** `tel:+86-138;ext=602`, `web+tel:…` or what a person wrote, as digits with a leading + where there was one; null when no number. */
export function numberOf(text: string): string | null {
  const bare = text.trim().replace(/^(web\+)?tel:\/*/i, "").split(/[;?]/)[0] ?? "";
  let plain = bare;
  try {
    plain = decodeURIComponent(bare);
  } catch {
    // A lone % is part of no number: what follows refuses it.
  }
  const digits = plain.normalize("NFKC").replace(/[\s().\-–—/]/g, "");
  return /^\+?[0-9*#]{2,32}$/.test(digits) ? digits : null;
}
