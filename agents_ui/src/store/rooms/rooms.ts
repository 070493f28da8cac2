// What the rooms beside the desk hold — owed, promises, team, messages, help: read at sign-in and after a fresh snapshot,
// kept current by events, and told as toasts and notifications when they happen.
import { translate } from "../../i18n";
import type { EventOf } from "../../wire/types";
import { endsForMe } from "../desk/desk";
import { attract } from "../session/attention";
import { notReached } from "../calls/reached";
import { onEvent } from "../desk/events";
import { loadHelp } from "./help";
import { forgetCodes, forgetLists, loadQueueTitles, loadReasons } from "./lists";
import { loadMessages, readUpTo, useMessages } from "./messages";
import { navigate } from "../session/navigate";
import { draftKey, forgetOwed, loadOwed, refreshOwed } from "../drafts/owed";
import { loadPromises, urgencyOf } from "./promises";
import { noteDrafts } from "../drafts/noteDrafts";
import { toast, useStore } from "../desk/store";
import { watchShift } from "../shift/shift";
import { serverNow } from "../../wire/clock";

/** Events that may have changed what is owed. */
const owing = ["call.ended", "interaction.changed", "me.changed"] as const;

/** Everything by REST that events do not repeat; called at each welcome with a snapshot. */
export function loadRooms(): void {
  // Agents know the titles of their own queues from the snapshot; supervisors meet all of them in lists of calls.
  if (useStore.getState().desk.me?.role !== "agent") void loadQueueTitles();
  void loadReasons();
  void loadOwed();
  void loadPromises();
  void loadMessages();
  void loadHelp();
}

function drafted({ body }: EventOf<"draft.changed">): void {
  const { me } = useStore.getState().desk;
  if (body.agent !== me?.id) return;
  const key = draftKey(body.draft.interaction);
  noteDrafts()?.seed(key, body.draft.interaction, body.draft);
  if (body.draft.finished_at) {
    if (noteDrafts()?.status(key) === "saved") noteDrafts()?.discard(key);
    refreshOwed();
  }
}

function written({ body: { message } }: EventOf<"message.sent">): void {
  const { desk, path } = useStore.getState();
  if (message.from.id === desk.me?.id) return;
  const open = () => navigate("/team");
  const text = translate("messages.from", { name: message.from.name });
  attract({ title: text, body: message.text, tag: `message-${message.id}`, open });
  if (path !== "/team") toast({ tone: "info", text, detail: message.text, action: { text: translate("messages.open"), run: open }, path: "/team" });
}

function due({ body: { promise } }: EventOf<"promise.due">): void {
  const { me } = useStore.getState().desk;
  if (promise.owner !== null && promise.owner.id !== me?.id) return;
  if (promise.state !== "open") return;
  const open = () => navigate(`/customers/${promise.customer.id}`);
  const text = translate(urgencyOf(promise, serverNow()) === "late" ? "promise.is_late" : "promise.is_due", { name: promise.customer.name });
  attract({ title: text, body: promise.text, tag: `promise-${promise.id}`, open });
  toast({ tone: "warn", text, detail: promise.text, action: { text: translate("promise.show_customer"), run: open }, stays: true, path: `/customers/${promise.customer.id}` });
}

function helped({ body: { help } }: EventOf<"help.changed">): void {
  const { me } = useStore.getState().desk;
  if (!me) return;
  if (help.agent.id === me.id) {
    if (help.state === "taken" && help.taken_by) toast({ tone: "ok", text: translate("help.coming", { name: help.taken_by.name }) });
    return;
  }
  if (me.role === "agent" || help.state !== "open") return;
  const open = () => navigate("/team");
  const text = translate("help.asked_by", { name: help.agent.name });
  attract({ title: text, body: help.said ?? "", tag: `help-${help.id}`, open });
  toast({ tone: "warn", text, ...(help.said ? { detail: help.said } : {}), action: { text: translate("help.show"), run: open }, stays: true, path: "/team" });
}

/** Returns what ends it. */
export function openRooms(): () => void {
  const ends = [
    watchShift(),
    ...owing.map((kind) => onEvent(kind, refreshOwed)), onEvent("part.changed", notReached), onEvent("part.changed", ({ body }) => endsForMe(useStore.getState().desk, body) && refreshOwed()),
    onEvent("reasons.changed", () => void loadReasons()), onEvent("codes.changed", forgetCodes),
    onEvent("message.read", ({ body }) => body.agent === useStore.getState().desk.me?.id && readUpTo(body.read_to)),
    onEvent("draft.changed", drafted), onEvent("message.sent", written), onEvent("promise.due", due), onEvent("help.changed", helped),
  ];
  return () => {
    for (const end of ends) end();
    forgetOwed();
    forgetLists();
    useMessages.setState({ readTo: 0, loaded: false, failed: false });
  };
}
