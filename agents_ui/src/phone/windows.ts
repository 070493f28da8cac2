// One phone, one window. Within a browser a lock says whose it is: it passes on by itself when its window closes.
// Across browsers the server passes on who claimed it last (phone.claimed), see phone.ts.

export interface Hold {
  /** Takes it from another window of this browser. */
  take(): void;
  release(): void;
}

/** `taken`: it is ours, at once or when the window that has it closes. `elsewhere`: another window has it (now). */
export function holdPhone(name: string, on: { taken: () => void; elsewhere: () => void }, locks: LockManager = navigator.locks): Hold {
  let giveBack: (() => void) | null = null;
  let done = false;
  let waiting = new AbortController();

  async function ask(options: LockOptions): Promise<void> {
    try {
      await locks.request(name, options, (lock) => {
        if (done) return;
        if (!lock) {
          on.elsewhere();
          waiting = new AbortController();
          void ask({ signal: waiting.signal });
          return;
        }
        on.taken();
        return new Promise<void>((resolve) => { giveBack = resolve; });
      });
    } catch (error) {
      // Stolen: whoever took it has it, and we wait behind them.
      const stolen = giveBack !== null && (error as DOMException).name === "AbortError";
      giveBack = null;
      if (!stolen || done) return;
      on.elsewhere();
      waiting = new AbortController();
      void ask({ signal: waiting.signal });
    }
  }

  void ask({ ifAvailable: true });
  return {
    take: () => {
      if (giveBack) return;
      waiting.abort();
      void ask({ steal: true });
    },
    release: () => {
      done = true;
      waiting.abort();
      giveBack?.();
    },
  };
}
