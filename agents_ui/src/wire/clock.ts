// The server's time, carried forward by the monotonic clock, so that a wrong or changed PC clock moves no timer.

let offset: number | null = null; // server epoch ms minus performance.now()

/** Takes a `server_time` from welcome or heartbeat; the least delayed sample is the nearest to the truth. */
export function syncClock(serverTime: string, monotonic = performance.now()): void {
  const sample = Date.parse(serverTime) - monotonic;
  if (Number.isNaN(sample)) return;
  // A sample far behind means the monotonic clock stood still (sleep) or the server was set back: believe it.
  if (offset === null || sample > offset || offset - sample > 2000) offset = sample;
}

/** Epoch milliseconds by the server's clock; the PC's own until the first welcome. */
export function serverNow(): number {
  return offset === null ? Date.now() : offset + performance.now();
}

export function forgetClock(): void {
  offset = null;
}
