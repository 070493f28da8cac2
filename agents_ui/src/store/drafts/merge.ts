// Two texts of one note, typed in two places: what both said stays.

/** `base` is what both began with. Whoever did not change it gives way; two changes are kept one after the other. */
export function mergeTexts(base: string, mine: string, theirs: string): string {
  if (mine === theirs || theirs === base) return mine;
  if (mine === base) return theirs;
  if (mine.includes(theirs)) return mine;
  if (theirs.includes(mine)) return theirs;
  if (base && mine.startsWith(base) && theirs.startsWith(base)) return `${theirs.trimEnd()}\n${mine.slice(base.length).trimStart()}`;
  return `${theirs.trimEnd()}\n${mine.trimStart()}`;
}
