// Topics that are open on this screen. Views open what they show; each topic is counted, asked of the server once, and
// closed a moment after its last view is gone, as going from one page to another often opens it again.
import { useEffect } from "react";
import type { Watch } from "../../wire/types";
import { useStore } from "../desk/store";
import { withClosed, withOpened } from "../desk/topicFold";

/** The server takes at most this many names in one message. */
export const BATCH = 50;
export const LINGER_MS = 1000;

export interface Topics {
  /** Returns what closes it. */
  open(topic: string): () => void;
  /** What a resume names. */
  names(): string[];
  /** The server was greeted with these names: the rest is asked for. */
  welcomed(named: string[]): void;
}

/** `say` is false while no connection is open; then the next welcome brings the server up to date. */
export function openTopics(say: (watch: Watch) => boolean, changed: (opened: string[], closed: string[]) => void): Topics {
  const users = new Map<string, number>();
  const closing = new Map<string, ReturnType<typeof setTimeout>>();
  /** What the server has open for this desktop. */
  let held = new Set<string>();
  let pending: ReturnType<typeof setTimeout> | undefined;
  const gone = new Set<string>();

  function flush(): void {
    clearTimeout(pending);
    pending = undefined;
    const open = [...users.keys()].filter((topic) => !held.has(topic));
    const close = [...gone].filter((topic) => !users.has(topic));
    gone.clear();
    // Also where the server cannot be told now: what a closed topic showed leaves the screen all the same.
    changed(open, close);
    const atServer = close.filter((topic) => held.has(topic));
    for (let at = 0; at < Math.max(open.length, atServer.length); at += BATCH) {
      const [opened, closed] = [open.slice(at, at + BATCH), atServer.slice(at, at + BATCH)];
      if (!say({ type: "watch", ...(opened.length ? { open: opened } : {}), ...(closed.length ? { close: closed } : {}) })) return;
      for (const topic of opened) held.add(topic);
      for (const topic of closed) held.delete(topic);
    }
  }

  /** What several views open at one moment goes in one message. */
  function soon(): void {
    pending ??= setTimeout(flush, 0);
  }

  return {
    open: (topic) => {
      clearTimeout(closing.get(topic));
      closing.delete(topic);
      const before = users.get(topic) ?? 0;
      users.set(topic, before + 1);
      if (before === 0 && !held.has(topic)) soon();
      let done = false;
      return () => {
        if (done) return;
        done = true;
        const left = (users.get(topic) ?? 1) - 1;
        if (left > 0) return void users.set(topic, left);
        closing.set(topic, setTimeout(() => {
          closing.delete(topic);
          users.delete(topic);
          gone.add(topic);
          soon();
        }, LINGER_MS));
        users.set(topic, 0);
      };
    },
    names: () => [...users.keys()],
    welcomed: (named) => {
      held = new Set(named);
      for (const topic of named) if (!users.has(topic)) gone.add(topic);
      flush();
    },
  };
}

let say: (watch: Watch) => boolean = () => false;

/** Who carries the messages to the server: the socket of the session, while there is one. */
export function carryTopics(carrier: ((watch: Watch) => boolean) | null): void {
  say = carrier ?? (() => false);
}

export const topics = openTopics(
  (watch) => say(watch),
  (opened, closed) => useStore.getState().change((desk) => withClosed(withOpened(desk, opened), closed)),
);

/** While the view is there its topics are open. */
export function useTopics(names: string[]): void {
  const key = names.join("\n");
  useEffect(() => {
    const closes = key === "" ? [] : key.split("\n").map((topic) => topics.open(topic));
    return () => closes.forEach((close) => close());
  }, [key]);
}

export function useTopic(name: string | null): void {
  useTopics(name === null ? [] : [name]);
}

/** What is shown of a person takes in the promises to their company. */
export const customerTopics = (customer: { id: number; company: { id: number } | null } | null): string[] =>
  customer ? [customer.id, ...(customer.company ? [customer.company.id] : [])].map((id) => `customer:${id}`) : [];

/** Whether what a topic shows has come from some PBX at least; with no PBX there is nothing to wait for. */
export const useShown = (topic: string): boolean =>
  useStore(({ desk }) => (desk.topics[topic]?.streams.length ?? 0) > 0 || Object.keys(desk.links).length === 0);
