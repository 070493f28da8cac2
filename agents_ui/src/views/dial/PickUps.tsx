// Calls that I can take to my phone: parked ones, those that ring at a colleague, and, by permission, waiting callers.
import { useEffect, useMemo, useState } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { named, useT } from "../../i18n";
import { isForTheTaking } from "../../lib/controls";
import { useQueueTitle } from "../../lib/queue";
import { phoneOf, whoIs } from "../../lib/who";
import { Command } from "../../parts/Command";
import { Icon } from "../../parts/Icon";
import { Tier, VerdictMark } from "../../parts/marks";
import { Timer } from "../../parts/Timer";
import { isBusy, myPart, seatOf } from "../../store/desk/desk";
import { plain } from "../../store/calls/commands";
import { usePanel } from "../../store/calls/panel";
import { useConnected } from "../../store/session/reach";
import { useStore } from "../../store/desk/store";
import { api } from "../../wire/api";
import type { CallView, Me } from "../../wire/types";

const REFRESH_MS = 2000;

/** Why I cannot take this call, as a key of `cannot.*`. */
function refusal(call: CallView, me: Me | null, connected: boolean, busy: boolean): string | null {
  if (!connected) return "no_pbx";
  if (me === null || seatOf(me) === null) return "no_phone";
  if (busy) return "busy";
  if (call.state === "queued" && me.role === "agent" && me.may_pick === false) return "not_allowed";
  return null;
}

export function PickUpCommand({ call, look = "small" }: { call: CallView; look?: "small" | "wide" }) {
  const t = useT();
  const me = useStore((store) => store.desk.me);
  const connected = useConnected(call.pbx);
  const busy = useStore((store) => isBusy(store.desk, call.call));
  const label = t(call.state === "parked" ? "pickup.fetch" : "verb.pick-up");
  return (
    <Command
      verb="pick-up" call={call.call} cannot={refusal(call, me, connected, busy)} icon="hand_up" label={label} name={`${label}: ${whoIs(call, t)}`} look={look}
      onPress={() => void plain("pick-up", call.call).then((outcome) => outcome.ok && usePanel.getState().set({ pickUp: false }))}
    />
  );
}

export function PickUps() {
  const open = usePanel((panel) => panel.pickUp);
  const set = usePanel((panel) => panel.set);
  return (
    <ModalOverlay className="scrim top" isOpen={open} onOpenChange={(next) => set({ pickUp: next })} isDismissable>
      <Modal className="modal picker-modal">{open && <List />}</Modal>
    </ModalOverlay>
  );
}

function List() {
  const t = useT();
  const titled = useQueueTitle();
  const desk = useStore((store) => store.desk);
  const [read, setRead] = useState<CallView[] | null>(null);
  // My desk holds my own calls; of others' the server is asked while the list is open.
  useEffect(() => {
    let open = true;
    const look = () => api.calls().then(({ value }) => open && setRead(value), () => open && setRead((before) => before ?? []));
    void look();
    const timer = setInterval(() => void look(), REFRESH_MS);
    return () => {
      open = false;
      clearInterval(timer);
    };
  }, []);
  const calls = useMemo(() => {
    const all = new Map((read ?? []).map((call) => [call.call, call]));
    for (const call of Object.values(desk.calls)) all.set(call.call, call);
    return [...all.values()].filter((call) => isForTheTaking(call, myPart(desk, call.call))).sort((a, b) => waitsSince(a).localeCompare(waitsSince(b)));
  }, [read, desk]);
  return (
    <Dialog className="picker" data-testid="pick-ups" aria-label={t("pickup.heading")}>
      <header>
        <Heading slot="title">{t("pickup.heading")}</Heading>
        <span className="picker-call" />
        <Button slot="close" className="button ghost square" aria-label={t("common.close")}><Icon name="close" /></Button>
      </header>
      {calls.length === 0 && <p className="quiet pad" role="status">{t(read === null ? "common.loading" : "pickup.none")}</p>}
      <ul className="pick-ups">
        {calls.map((call) => {
          const rung = call.agents.filter((agent) => agent.state === "ringing").map((agent) => agent.name ?? phoneOf(agent.seat));
          return (
            <li key={call.call} data-call={call.call}>
              <Icon name={call.state === "parked" ? "parking" : call.state === "ringing" ? "bell" : "clock"} />
              <span className="item-main">
                <span className="item-title">{whoIs(call, t)} <Tier tier={call.customer?.tier ?? null} /> <VerdictMark code={call.verdict} /></span>
                <span className="item-sub">
                  {[named("call_state", call.state), call.park_space ? t("pickup.space", { space: call.park_space }) : null, rung.length ? t("pickup.at", { who: rung.join(", ") }) : null, call.queue && titled(call.queue)].filter(Boolean).join(" · ")}
                  {" · "}<Timer since={waitsSince(call)} />
                </span>
              </span>
              <PickUpCommand call={call} />
            </li>
          );
        })}
      </ul>
    </Dialog>
  );
}

/** Of a parked call: since it was parked. */
const waitsSince = (call: CallView) => (call.state === "parked" ? call.held_since : null) ?? call.waiting_since ?? call.queued_at ?? call.started_at;
