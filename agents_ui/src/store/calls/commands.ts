// Commands to the PBX: sent once, accepted with a request id, under way until `command.done` carries that id.
// A failure is said with its cause and remedy. The same command on the same call is never sent while it runs.
import { create } from "zustand";
import { translate } from "../../i18n";
import { api, ProblemError, type Accepted } from "../../wire/api";
import type { Problem, Target } from "../../wire/types";
import { noteDrafts } from "../drafts/noteDrafts";
import { toast, useStore } from "../desk/store";

export type Verb =
  | "answer" | "hangup" | "hold" | "retrieve" | "mute" | "unmute" | "dtmf" | "transfer" | "consult" | "alternate" | "complete"
  | "cancel" | "conference" | "drop" | "park" | "pick-up" | "record-start" | "record-pause" | "record-resume" | "record-stop"
  | "help" | "dial";

export interface Running { verb: Verb; call: string | null; request: string | null }
export type Outcome = { ok: true } | { ok: false; problem: Problem };

/** What is under way, by call and verb, for buttons to show. */
export const useCommands = create<{ running: Record<string, Running> }>(() => ({ running: {} }));

/** The server confirms within 5 s or says that it could not; after this long nothing comes any more. */
export const RESULT_MS = 15_000;
const NOTE_MS = 1500;

/** Those that move people about: one at a time on a call. Hanging up and going back are never held up. */
const moving: ReadonlySet<Verb> = new Set(["hold", "retrieve", "transfer", "consult", "alternate", "complete", "conference", "park"]);

const going = new Map<string, Promise<Outcome>>();

/** `part` tells two of one verb on one call apart: the leg that is dropped. */
export const keyOf = (verb: Verb, call: string | null, part = "") => [call ?? "", verb, part].join(" ");

/** The command that holds up others of its call, if one does. */
export function mover(running: Record<string, Running>, call: string): Verb | null {
  return Object.values(running).find((command) => command.call === call && moving.has(command.verb))?.verb ?? null;
}

export const isMoving = (verb: Verb) => moving.has(verb);

/** Runs it, or joins the one that is under way. Never rejects. */
export function run(verb: Verb, call: string | null, send: () => Promise<Accepted>, part = ""): Promise<Outcome> {
  const key = keyOf(verb, call, part);
  const before = going.get(key);
  if (before) return before;
  show(key, { verb, call, request: null });
  const work = perform(key, send).then((outcome) => {
    going.delete(key);
    show(key, null);
    if (!outcome.ok && useStore.getState().phase === "signed_in") {
      toast({ tone: "bad", about: translate(`verb.${verb}`), problem: outcome.problem });
    }
    return outcome;
  });
  going.set(key, work);
  return work;
}

/** One limit for the answer and the event together: a server that hangs holds no button for ever. */
function perform(key: string, send: () => Promise<Accepted>): Promise<Outcome> {
  return new Promise((resolve) => {
    let stop: (() => void) | null = null;
    let over = false;
    const end = (outcome: Outcome) => {
      over = true;
      clearTimeout(timer);
      stop?.();
      resolve(outcome);
    };
    const fail = (problem: Problem) => end({ ok: false, problem });
    const timer = setTimeout(() => fail({ title: "", status: 0, code: "no_result" }), RESULT_MS);

    function follow({ request }: Accepted): void {
      if (over) return;
      const running = useCommands.getState().running[key];
      if (running) show(key, { ...running, request });
      const look = () => {
        const done = useStore.getState().desk.commands[request];
        if (done?.ok) end({ ok: true });
        else if (done) fail(done.problem ?? { title: "", status: 0, code: "not_confirmed" });
      };
      stop = useStore.subscribe(look);
      // The event may have come before the answer that names the request.
      look();
    }
    // Where no answer came it may have been done all the same. It is not sent again: the call's state tells.
    send().then(follow).catch((error: unknown) => fail(error instanceof ProblemError ? error.problem : { title: String(error), status: 0 }));
  });
}

function show(key: string, running: Running | null): void {
  const { [key]: _gone, ...rest } = useCommands.getState().running;
  useCommands.setState({ running: running ? { ...rest, [key]: running } : rest });
}

type Plain = "answer" | "hangup" | "hold" | "retrieve" | "mute" | "unmute" | "alternate" | "complete" | "cancel" | "park" | "pick-up";
const recording = { "record-start": "start", "record-pause": "pause", "record-resume": "resume", "record-stop": "stop" } as const;

export const plain = (verb: Plain, call: string) => run(verb, call, () => api.command(call, verb, {}));

export const record = (verb: keyof typeof recording, call: string) =>
  run(verb, call, () => api.command(call, `recording/${recording[verb]}`, {}));

/** The note goes along: what was typed a moment ago is saved first, unless the server takes too long over it. */
export function give(verb: "transfer" | "consult", call: string, target: Target, said: string | null): Promise<Outcome> {
  const send = () => api.command(call, verb, { target, said });
  const drafts = noteDrafts();
  if (!drafts?.unsaved().includes(call)) return run(verb, call, send);
  return run(verb, call, () => Promise.race([drafts.flush(call), new Promise((enough) => setTimeout(enough, NOTE_MS))]).then(send));
}

/** Without a target the consultation becomes the conference. */
export const conference = (call: string, target: Target | null) =>
  run("conference", call, () => api.command(call, "conference", { target }));

export const drop = (call: string, leg: string) => run("drop", call, () => api.command(call, "drop", { leg }), leg);

export const press = (call: string, digits: string) => run("dtmf", call, () => api.command(call, "dtmf", { digits }));

export const askHelp = (call: string, said: string | null) => run("help", call, () => api.command(call, "help", { said }));

export const dial = (to: string) => run("dial", null, () => api.dial(to, location.pathname));
