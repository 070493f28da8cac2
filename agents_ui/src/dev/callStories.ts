// Stories of call control: consultation, conference, handover, recording, the pickers, a refusal.
import type { CallView, HandoverView, PartView, Person, Targets } from "../wire/types";
import type { Story } from "./fixtures";
import { ago, callOf, emilyCard, queues, stateOf, storyCall, team, unknownCard, wangCard, type StoryCall } from "./people";

const call = wangCard.call;
const caller = (state: Person["state"]): Person => ({ leg: "demo-1795323611.4", role: "customer", agent: null, seat: null, number: "+8613800138000", name: "王秀英", state });
const li = (state: Person["state"] = "talking"): Person => ({ leg: "demo-1795323651.5", role: "agent", agent: 3, seat: "PJSIP/1001", number: "1001", name: "Li Wei", state });
const chen = (state: Person["state"]): Person => ({ leg: "demo-1795323700.9", role: "agent", agent: 5, seat: "PJSIP/1003", number: "1003", name: "Chen Jie", state });
const engineer = (state: Person["state"]): Person => ({ leg: "demo-1795323710.2", role: "other", agent: null, seat: null, number: "+8613700001111", name: "Zhou Lei", state });
const chens = (part: Partial<PartView>): Partial<PartView> => ({ agent: 5, seat: "PJSIP/1003", name: "Chen Jie", leg: "demo-1795323700.9", from: "Li Wei", why: { kind: "consult", queue: "support", from: "Li Wei", penalty: null, waited_ms: null }, ...part });
const talks = { state: stateOf("talking", 214) };

const handover = (part: Partial<HandoverView> = {}): HandoverView => ({
  from: { agent: 5, name: "Chen Jie" }, kind: "consult", note: "主轴温度 86℃ 仍报警，已停机。客户要求今天内上门，已查 AL-417：先看主轴冷却。", code: "fault/spindle", match: "verified",
  path: [{ step: "language", choice: "1", at: ago(268) }, { step: "main-menu", choice: "1", at: ago(259) }],
  said: "客户很急：停机已 2 小时，问今天能否派工程师。", since: ago(9), ...part,
});
const sentToMe = (kind: "consult" | "transfer"): StoryCall =>
  storyCall(wangCard, { people: [caller("hold"), ...(kind === "consult" ? [chen("talking")] : []), li("ringing")] }, [
    { ...chens({}), from: null, why: null, state: kind === "consult" ? "consulting" : "left", reason: "transferred" },
    { state: "ringing", since: ago(4), answered_at: null, from: "Chen Jie", why: { kind, queue: "support", from: "Chen Jie", penalty: null, waited_ms: null } },
  ]);
const waiting = (id: string, part: Partial<CallView>): CallView =>
  callOf(unknownCard, { call: id, answered_at: null, wait_ms: null, started_at: ago(90), queued_at: ago(74), waiting_since: ago(74), recording: "off", ...part });
/** My part in a consultation with Chen Jie. */
const asking = (standing: "reaching" | "consulting" | "alternated", part: Partial<PartView> = {}): Partial<PartView> =>
  ({ standing, consultation: { leg: "demo-1795323700.9", answered: standing !== "reaching", with_them: standing !== "alternated" }, ...part });

export const targets: Targets = {
  agents: team, queues: queues.map((queue) => ({ ...queue, ewt: null })),
  contacts: [
    { customer: { id: 90, kind: "person", name: "陈美玲", tier: "platinum", company: null }, number: "+8613688886666", label: "" },
    { customer: { id: 91, kind: "person", name: "Daniel Okafor", tier: null, company: null }, number: "+14155550123", label: "" },
  ],
};
export const othersCalls: CallView[] = [
  callOf(emilyCard, { call: "parked", state: "parked", park_space: "701", waiting_since: ago(35) }),
  waiting("waits", { state: "queued", position: 1 }),
  waiting("rings", { state: "ringing", ani: "+8613511112222", queue: "sales", queued_at: ago(9), waiting_since: ago(9), agents: [{ agent: 5, seat: "PJSIP/1003", name: "Chen Jie", state: "ringing", since: ago(5) }] }),
];

export const callStories: Record<string, Story> = {
  calling: { me: talks, cards: [wangCard], calls: [storyCall(wangCard, { people: [caller("hold"), li(), chen("ringing")] }, [asking("reaching"), chens({ state: "ringing", since: ago(5), answered_at: null })])] },
  consulting: { me: { state: stateOf("talking", 34) }, cards: [wangCard], calls: [storyCall(wangCard, { people: [caller("hold"), li(), chen("talking")] }, [asking("consulting", { state: "consulting", since: ago(34), talk_ms: 180_000 }), chens({ since: ago(30) })])] },
  alternated: { me: talks, cards: [wangCard], calls: [storyCall(wangCard, { people: [caller("talking"), li(), chen("hold")] }, [asking("alternated", { muted: true }), chens({ since: ago(30) })])] },
  conference: { me: talks, cards: [wangCard], calls: [storyCall(wangCard, { state: "conference", recording: "paused", people: [caller("talking"), li(), chen("talking"), engineer("ringing")] }, [{ standing: "conference" }, chens({ since: ago(30) })])] },
  alone: { me: { state: stateOf("hold", 25) }, cards: [wangCard], calls: [storyCall(wangCard, { state: "conference", recording: "off", people: [li()] }, [{ standing: "alone", state: "hold", since: ago(25) }])] },
  waiting: { me: { state: stateOf("hold", 9) }, cards: [wangCard], calls: [storyCall(wangCard, { direction: "internal", recording: "off", queue: "support", people: [li()] }, [{ standing: "waiting", state: "hold", since: ago(9) }])] },
  handover: { me: { state: stateOf("reserved", 4) }, cards: [wangCard], calls: [sentToMe("consult")], handovers: { [call]: handover() } },
  handed: { me: { state: stateOf("reserved", 4) }, cards: [wangCard], calls: [sentToMe("transfer")], handovers: { [call]: handover({ kind: "transfer", said: null, code: null }) } },
  parked: { me: { state: stateOf("wrap_up", 12) }, cards: [wangCard], calls: [storyCall(wangCard, { state: "parked", park_space: "701", people: [caller("parked")] }, [{ state: "wrap_up", since: ago(12), talk_ms: 200_000 }])] },
  keypad: { me: talks, cards: [wangCard], calls: [storyCall(wangCard, { recording: "off" })], panel: { keypad: call } },
  picker: { me: talks, cards: [wangCard], calls: [storyCall(wangCard)], panel: { picker: { mode: "consult", call, search: "" } } },
  transfer: { me: talks, cards: [wangCard], calls: [storyCall(wangCard)], panel: { picker: { mode: "transfer", call, search: "02150001234" } } },
  dial: { panel: { picker: { mode: "dial", call: null, search: "10" } } },
  dialask: { me: talks, cards: [wangCard], calls: [storyCall(wangCard)], panel: { asked: { number: "+862150001234", why: "busy" } } },
  pickup: { panel: { pickUp: true } },
  helpasked: {
    me: talks, cards: [wangCard], calls: [storyCall(wangCard)],
    help: [{ id: 4, call, interaction: 612, agent: { id: 3, name: "Li Wei" }, said: "客户要求赔偿停机损失", state: "taken", asked_at: ago(40), taken_by: { id: 2, name: "Zhang Min" }, taken_at: ago(12), done_at: null }],
  },
  refusal: {
    me: talks, cards: [wangCard], calls: [storyCall(wangCard)],
    toasts: [{ tone: "bad", about: "verb.consult", problem: { title: "Conflict", status: 409, code: "wrong_state", detail: "The call is on hold.", remedy: "Retrieve it first." } }],
  },
};
