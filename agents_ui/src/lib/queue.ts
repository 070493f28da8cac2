// A queue's title in the viewer's language, its name where it has none.
import type { Language, QueueView } from "../wire/types";

export function queueTitle(queue: QueueView, language: Language): string {
  return (language === "zh" ? queue.title_zh : queue.title_en) || queue.queue;
}
