// A running time: the difference of two timestamps on the server's clock, so a sleeping tab shows the right one on waking.
import { useNow } from "../lib/clock";
import { formatSpan } from "../lib/format";

export function Timer({ since, plusMs = 0 }: { since: string | null; plusMs?: number }) {
  const now = useNow();
  if (since === null) return <span className="num">–</span>;
  return <span className="num" role="timer">{formatSpan(now - Date.parse(since) + plusMs)}</span>;
}

export function Span({ ms }: { ms: number | null | undefined }) {
  return <span className="num">{ms === null || ms === undefined ? "–" : formatSpan(ms)}</span>;
}
