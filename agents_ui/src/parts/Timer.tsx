// A running time: the difference of two timestamps on the server's clock, so a sleeping tab shows the right one on waking.
import { formatSpan } from "../lib/format";
import { useNow } from "../lib/clock";

export function Timer({ since, plusMs = 0 }: { since: string; plusMs?: number }) {
  const now = useNow();
  return <span className="num" role="timer">{formatSpan(now - Date.parse(since) + plusMs)}</span>;
}

export function Span({ ms }: { ms: number | null | undefined }) {
  return <span className="num">{ms === null || ms === undefined ? "–" : formatSpan(ms)}</span>;
}
