// The phone at work: one line, one call at a time, and their ties to the floor. It decides; `sip`, `voice`, `sound`
// and `windows` do. Loaded only by who sits at a browser phone (index.ts).
import type { Problem, Softphone } from "../wire/types";
import { answersItself, floorCall, FLOOR_WAIT_MS, isFresh, isMeant, isOver, ringingHere, speakingHere, type ToAnswer } from "./floor";
import { MicrophoneError } from "./devices";
import type { Line, Session } from "./sip";
import type { AnsweredBy } from "./state";
import { openVoice, type Voice } from "./voice";
import type { Phone, World } from "./world";

const BRING_BACK_MS = 20_000;
/** So long after registering the server may say that it cannot reach the phone: it hears of it later than we do. */
const HEARD_MS = 10_000;
const ASK_AGAIN_MS = 300;
const notSeatedYet: ReadonlySet<string> = new Set(["other_phone", "no_shift"]);
const SEATED_TRIES = 3;
/** A voice without packets, on no call of the floor: the PBX has forgotten it. */
const FORGOTTEN_MS = 5000;
/** Answered while the server was away. */
const UNNAMED = "?";

export function openPhone(world: World): Phone {
  let line: Line | null = null;
  let session: Session | null = null;
  let voice: Voice | null = null;
  let rangAt = 0;
  let lookAgain: ReturnType<typeof setTimeout> | undefined;
  let giveUp: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let request: string | null = null;
  let asked = false;
  let wantsBack = false;
  let heardBy = 0;
  let askAgain: ReturnType<typeof setTimeout> | undefined;
  let mayHold = false;
  let opening = 0;
  let forgottenSince: number | null = null;
  let unanswerable: Session | null = null;
  let audible = false;
  let shownMuted: boolean | null = null;
  /** Kept a moment: it may come before the ring. */
  let toAnswer: ToAnswer | null = null;
  /** Lines that take no more calls and still carry one. */
  let parting: Line[] = [];
  let closed = false;

  const { tell, now } = world;
  const hold = world.hold({
    taken: () => { mayHold = true; void begin(); },
    elsewhere: () => { mayHold = false; letGo(); },
  });

  // --- the line ---------------------------------------------------------------------------------------------

  async function begin(attempt = 0): Promise<void> {
    const turn = (opening += 1);
    clearTimeout(retry);
    await world.arrived();
    if (closed || turn !== opening) return;
    // I speak on this phone, and this browser never did: another one does. It is not taken away unasked.
    if (!asked && isAnothers()) return letGo();
    if (attempt === 0) tell({ type: "opening", at: now() });
    let account: Softphone;
    try {
      account = await world.account();
    } catch (error) {
      const problem = world.problemOf(error);
      if (closed || turn !== opening) return;
      // Whoever has just sat down is told of it before the record has it.
      if (problem && notSeatedYet.has(problem.code ?? "") && attempt < SEATED_TRIES) {
        retry = setTimeout(() => void begin(attempt + 1), world.pause(attempt + 1));
        return;
      }
      if (problem && problem.status >= 400 && problem.status < 500 && problem.status !== 429) {
        return tell({ type: "off", at: now(), reason: "no_account", detail: problem.detail ?? problem.title, code: problem.code ?? null });
      }
      tell({ type: "lost", at: now(), fault: "unreachable", detail: "" });
      retry = setTimeout(() => void begin(attempt + 1), world.pause(attempt + 1));
      return;
    }
    if (closed || turn !== opening) return;
    // Said before we register: the other window lets go first. Without the server there is nobody to tell.
    await world.claim().catch(() => null);
    if (closed || turn !== opening) return;
    part();
    line = world.openLine(account, {
      registered: () => {
        tell({ type: "registered", at: now() });
        if (!session) wantsBack ||= asked || world.mark.get() !== null;
        asked = false;
        heardBy = now() + HEARD_MS;
        follow();
      },
      lost: (fault, detail) => tell({ type: "lost", at: now(), fault, detail }),
      rang,
    });
  }

  function isAnothers(): boolean {
    const [here, mark] = [speakingHere(world.desk()), world.mark.get()];
    return here !== null && mark !== here.call.call && mark !== UNNAMED;
  }

  function letGo(): void {
    opening += 1;
    clearTimeout(retry);
    tell({ type: "elsewhere", at: now() });
    if (session && world.state().call?.state !== "talking") session.end(480);
    part();
  }

  /** A call that is on goes on: here, until another window has it, or it ends. */
  function part(): void {
    line?.letGo();
    if (line) parting.push(line);
    line = null;
    if (!session) closeParting();
  }

  function closeParting(): void {
    for (const old of parting) old.close();
    parting = [];
  }

  // --- a call -----------------------------------------------------------------------------------------------

  function rang(fresh: Session): void {
    if (session) return fresh.end(486);
    session = fresh;
    rangAt = now();
    fresh.listen({
      answered: () => onAnswered(fresh),
      heard: (stream) => world.sound.heard(stream),
      ended: (by) => onEnded(fresh, by),
    });
    voice = openVoice(fresh, world, () => void swapMicrophone());
    tell({ type: "rang", at: rangAt, id: fresh.id, number: fresh.number, name: fresh.name });
    audible = false;
    lookAgain = setTimeout(follow, FLOOR_WAIT_MS + 50);
    follow();
  }

  async function answer(by: AnsweredBy = "agent"): Promise<void> {
    const [here, own] = [session, voice];
    if (!here || !own || world.state().call?.state !== "ringing") return;
    tell({ type: "answering", id: here.id, by });
    toAnswer = null;
    world.sound.ring(false);
    try {
      await own.answer(world.mic(), by === "preference");
    } catch (error) {
      if (session !== here) return;
      unanswerable = here;
      // Not refused: a colleague, or the agent once the microphone is allowed, can still take it.
      tell({ type: "not_answered", id: here.id, trouble: error instanceof MicrophoneError ? error.trouble : "mic_failed" });
      world.sound.ring(true);
    }
  }

  function onAnswered(here: Session): void {
    if (session !== here) return;
    clearTimeout(giveUp);
    tell({ type: "answered", at: now(), id: here.id });
    world.warnOnLeave(true);
    remember();
    forgottenSince = null;
    wantsBack = false;
    voice?.answered(({ quality, figures, deaf, dumb }) => {
      tell({ type: "measured", at: now(), quality, figures, deaf, dumb });
      const gone = quality === "none" && world.isCurrent() && !speakingHere(world.desk()) && ringingHere(world.desk()).length === 0;
      forgottenSince = gone ? (forgottenSince ?? now()) : null;
      if (forgottenSince !== null && now() - forgottenSince >= FORGOTTEN_MS) here.end();
    });
  }

  /** By the floor's name, which a transfer may change. */
  function remember(): void {
    const { call, registration } = world.state();
    if (call?.state !== "talking" || registration.name === "elsewhere") return;
    const name = floorCall(world.desk(), call)?.call.call ?? world.mark.get() ?? UNNAMED;
    if (name !== world.mark.get()) world.mark.set(name);
  }

  function onEnded(here: Session, by: "me" | "them" | "network"): void {
    if (session !== here) return;
    toAnswer = null;
    clearTimeout(lookAgain);
    const spoke = world.state().call?.state === "talking";
    voice?.close();
    [session, voice] = [null, null];
    world.sound.ring(false);
    world.warnOnLeave(false);
    tell({ type: "ended", at: now(), id: here.id, by });
    closeParting();
    if (world.state().registration.name === "elsewhere") return; // the mark is the other window's now
    if (by !== "network") world.mark.set(null);
    else if (spoke) wantsBack = true;
    follow();
  }

  // --- a call that was here before --------------------------------------------------------------------------

  function seekLost(): void {
    if (!wantsBack || session || world.state().registration.name !== "registered" || !world.isCurrent()) return;
    const here = speakingHere(world.desk());
    // The PBX tells us that we are registered, and the server a moment later: until then it would refuse.
    if (here && world.desk().me?.state.phone.reachable === false) return;
    wantsBack = false;
    if (here) void ask(here.call.call);
    else world.mark.set(null);
  }

  async function ask(call: string): Promise<void> {
    tell({ type: "recovery", recovery: { call, state: "asking", code: null, detail: null } });
    clearTimeout(giveUp);
    try {
      request = await world.reconnect(call);
    } catch (error) {
      return failed(call, world.problemOf(error));
    }
    if (world.state().recovery?.state !== "asking") return;
    tell({ type: "recovery", recovery: { call, state: "coming", code: null, detail: null } });
    giveUp = setTimeout(() => failed(call, null), BRING_BACK_MS);
    follow();
  }

  function failed(call: string, problem: Problem | null): void {
    clearTimeout(giveUp);
    request = null;
    // What the floor shows may be from before the other window let go: then nothing was done, and it is asked again.
    if (problem?.code === "phone_unreachable" && !session && now() < heardBy) {
      wantsBack = true;
      clearTimeout(askAgain);
      askAgain = setTimeout(seekLost, ASK_AGAIN_MS);
      return;
    }
    // It rings, or is being answered: it came after all. Another call that rings is no return.
    if (!world.state().recovery || (session && ringingHere(world.desk()).some((here) => here.call.call === call))) return;
    world.mark.set(null);
    const over = problem?.code === "call_over";
    tell({ type: "recovery", recovery: over ? null : { call, state: "failed", code: problem?.code ?? "did_not_come", detail: problem?.detail ?? null } });
  }

  // --- the floor --------------------------------------------------------------------------------------------

  function setMuted(on: boolean): void {
    voice?.mute(on);
    tell({ type: "muted", on });
  }

  /** Muted or not by another window, or by a key of the panel: the microphone is here. */
  function followMute(): void {
    const shown = floorCall(world.desk(), world.state().call)?.part.muted ?? null;
    if (shown !== null && shownMuted !== null && shown !== shownMuted && shown !== world.state().muted) setMuted(shown);
    shownMuted = shown;
  }

  function follow(): void {
    if (closed) return;
    followMute();
    if (world.state().call?.state === "ringing" && session !== unanswerable) heed();
    const { recovery } = world.state();
    remember();
    const done = request === null ? undefined : world.desk().commands[request];
    if (done) {
      request = null;
      if (!done.ok && recovery) failed(recovery.call, done.problem);
    }
    // It ended, or went to another phone, before it could come back.
    if (recovery?.state === "failed" && world.isCurrent() && !speakingHere(world.desk())) tell({ type: "recovery", recovery: null });
    const back = returning();
    if (back !== null && world.isCurrent() && isOver(world.desk(), back, world.state().recovery?.state === "asking" || request !== null)) {
      clearTimeout(giveUp);
      request = null;
      world.mark.set(null);
      tell({ type: "recovery", recovery: null });
    }
    seekLost();
  }

  /** The call that was asked for and is not here yet. */
  function returning(): string | null {
    const { recovery } = world.state();
    return recovery && recovery.state !== "failed" ? recovery.call : null;
  }

  /** Something rings: it is answered if it was asked for or is wanted so, and else heard. */
  function heed(): void {
    if (toAnswer && isMeant(world.desk(), toAnswer, now())) return void answer("server");
    const back = returning();
    const by = answersItself(world.desk(), now() - rangAt, back);
    if (by && by !== "wait") return void answer(by);
    // What may be the call on its way back does not ring first.
    if (audible || (by === "wait" && back !== null)) return;
    audible = true;
    world.sound.ring(true);
  }

  async function swapMicrophone(): Promise<void> {
    try {
      await voice?.swap(world.mic());
      if (world.state().trouble?.startsWith("mic_")) tell({ type: "trouble", code: null });
    } catch (error) {
      tell({ type: "trouble", code: error instanceof MicrophoneError ? error.trouble : "mic_failed" });
    }
  }

  return {
    answer,
    reject: (busy = false) => session?.end(busy ? 486 : 480),
    hangUp: () => session?.end(),
    setMuted,
    press: (digits) => session?.press(digits),
    useHere: () => {
      asked = true;
      if (mayHold) void begin();
      else hold.take();
    },
    bringBack: () => {
      const here = speakingHere(world.desk());
      if (here && !session) void ask(here.call.call);
    },
    look: () => line?.look(),
    swapMicrophone,
    follow,
    claimed: (by) => {
      if (by === "other" && mayHold) letGo();
    },
    toAnswer: (event) => {
      if (!isFresh(event, now())) return;
      toAnswer = event;
      // Asked for anew: the microphone may be allowed by now.
      unanswerable = null;
      follow();
    },
    rest: () => {
      opening += 1;
      clearTimeout(retry);
      tell({ type: "off", at: now(), reason: null });
      part();
    },
    close: () => {
      closed = true;
      opening += 1;
      for (const timer of [lookAgain, giveUp, retry, askAgain]) clearTimeout(timer);
      if (session) session.end();
      voice?.close();
      [session, voice] = [null, null];
      world.warnOnLeave(false);
      world.sound.close();
      line?.close();
      closeParting();
      hold.release();
      tell({ type: "off", at: now(), reason: null });
    },
  };
}
