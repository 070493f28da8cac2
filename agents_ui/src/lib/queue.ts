// A queue's title in the viewer's language, its name where it has none.
import { useCallback } from "react";
import { useStore } from "../store/desk/store";
import { useLists } from "../store/rooms/lists";
import type { Language, QueueView } from "../wire/types";

export function queueTitle(queue: Pick<QueueView, "queue" | "title_en" | "title_zh">, language: Language): string {
  return (language === "zh" ? queue.title_zh : queue.title_en) || queue.queue;
}

/** Queue name to title, for rows that know only the name. */
export function useQueueTitle(): (name: string) => string {
  const language = useStore((store) => store.language);
  const queues = useStore((store) => store.desk.queues);
  const titles = useLists((lists) => lists.titles);
  return useCallback((name) => {
    const queue = Object.values(queues).find((view) => view.queue === name) ?? titles[name];
    return queue ? queueTitle(queue, language) : name;
  }, [queues, titles, language]);
}
