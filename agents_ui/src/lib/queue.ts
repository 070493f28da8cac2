// A queue's title in the viewer's language, its name where it has none.
import { useCallback } from "react";
import { useStore } from "../store/desk/store";
import type { Language, QueueView } from "../wire/types";

export function queueTitle(queue: QueueView, language: Language): string {
  return (language === "zh" ? queue.title_zh : queue.title_en) || queue.queue;
}

/** Queue name to title, for rows that know only the name. */
export function useQueueTitle(): (name: string) => string {
  const language = useStore((store) => store.language);
  const queues = useStore((store) => store.desk.queues);
  return useCallback((name) => (queues[name] ? queueTitle(queues[name], language) : name), [queues, language]);
}
