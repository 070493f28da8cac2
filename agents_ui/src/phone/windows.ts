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
    let held = false;
    try {
      await locks.request(name, options, (lock) => {
        if (done) return;
        if (!lock) return behind();
        held = true;
        on.taken();
        return new Promise<void>((resolve) => { giveBack = resolve; });
      });
    } catch {
      // Stolen by another window. Given up before it was ours: that was us, to take it at once.
      if (!held || done) return;
      giveBack = null;
      behind();
    }
  }

  function behind(): void {
    on.elsewhere();
    waiting = new AbortController();
    void ask({ signal: waiting.signal });
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
