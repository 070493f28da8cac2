// Whether my phone can be rung, as news: lost only once it has been for a moment, as moving it to another window takes
// less; and no longer said once it is found.

export const LOST_FOR_MS = 3000;

interface News {
  /** Returns what takes it back. */
  lost: () => () => void;
  found: () => void;
}

export interface ReachWatch { heard: (reachable: boolean | null) => void; end: () => void }

export function watchReach(news: News): ReachWatch {
  let reached = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let takeBack: (() => void) | null = null;

  function end(): void {
    clearTimeout(timer);
    timer = undefined;
    takeBack?.();
    takeBack = null;
  }

  return {
    heard: (reachable) => {
      if (reachable === false) {
        // Who begins with a phone that is off sees the mark in the bar.
        if (!reached || timer !== undefined || takeBack) return;
        timer = setTimeout(() => {
          timer = undefined;
          reached = false;
          takeBack = news.lost();
        }, LOST_FOR_MS);
        return;
      }
      const was = takeBack !== null;
      end();
      reached = reachable === true;
      if (was && reached) news.found();
    },
    end,
  };
}
