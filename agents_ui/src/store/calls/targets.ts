// Whom a call can go to: colleagues and queues as the desk knows them now, and contacts that the server finds.
import { useEffect, useMemo, useState } from "react";
import { queueTitle } from "../../lib/queue";
import { rankTargets, type TargetRow } from "../../lib/targets";
import { api } from "../../wire/api";
import type { Targets } from "../../wire/types";
import type { PickFor } from "./panel";
import { useStore } from "../desk/store";
import { useTopic } from "../session/topics";

const PAUSE_MS = 150;

export interface Found { rows: TargetRow[]; searching: boolean; failed: boolean }

export function useTargets(mode: PickFor, call: string | null, query: string): Found {
  const asked = query.trim();
  useTopic("team");
  const { me, team, queues, calls, cards } = useStore((store) => store.desk);
  const language = useStore((store) => store.language);
  const [answer, setAnswer] = useState<{ q: string; found: Targets } | null>(null);
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      api.targets(asked, abort.signal).then(
        (found) => {
          setAnswer({ q: asked, found });
          setFailed(false);
        },
        () => !abort.signal.aborted && setFailed(true),
      );
    }, asked ? PAUSE_MS : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [asked]);

  const rows = useMemo(
    () =>
      rankTargets({
        query: asked, mode, me, team, queues, titleOf: (queue) => queueTitle(queue, language),
        call: call ? (calls[call] ?? null) : null, card: call ? (cards[call] ?? null) : null, found: answer,
      }),
    [asked, mode, me, team, queues, language, call, calls, cards, answer],
  );
  return { rows, searching: answer?.q !== asked && !failed, failed };
}
