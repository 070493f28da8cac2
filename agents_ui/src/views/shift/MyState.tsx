// My state: what it is and since when; the choice of another one, of which the one key each is shown; what waits for the call's end.
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from "react-aria-components";
import { useT } from "../../i18n";
import { reasonTitle, stateTitle } from "../../lib/explain";
import { Icon } from "../../parts/Icon";
import { Timer } from "../../parts/Timer";
import { titleOf, useLists } from "../../store/rooms/lists";
import { changeState } from "../../store/shift/state";
import { beginShift, endShift, openSeats, useSeating } from "../../store/shift/shift";
import { useStore } from "../../store/desk/store";
import type { AgentStateName, AgentStateView } from "../../wire/types";

export const stateTone: Record<AgentStateName, string> = {
  ready: "ok", not_ready: "warn", signed_out: "neutral", reserved: "info", talking: "info", hold: "warn", wrap_up: "info",
};
const inCall: ReadonlySet<AgentStateName> = new Set(["reserved", "talking", "hold", "wrap_up"]);

export function MyState() {
  const t = useT();
  const language = useStore((store) => store.language);
  const me = useStore((store) => store.desk.me);
  const connected = useStore((store) => store.socket.name === "open");
  const reasons = useLists((lists) => lists.reasons);
  const beginning = useSeating((seating) => seating.request !== null);
  if (!me) return null;
  const { state } = me;
  if (!me.shift && !state.on_shift) {
    // Who has no phone of their own only watches, until they take one.
    const watches = me.role !== "agent" && !me.seat;
    if (watches) {
      return (
        <div className="my-state" data-testid="my-state" data-state="watching">
          <Button className="button ghost" isDisabled={!connected || beginning} onPress={() => void openSeats()}>
            <Icon name="phone" size={14} />{t(beginning ? "seat.beginning" : "seat.take")}
          </Button>
        </div>
      );
    }
    return (
      <div className="my-state" data-testid="my-state" data-state="signed_out">
        <Button className="button state primary" isDisabled={!connected || beginning} onPress={() => void beginShift(null)}>
          <Icon name="phone" size={14} />{t(beginning ? "seat.beginning" : "seat.begin")}
        </Button>
      </div>
    );
  }
  const digits = reasons.slice(0, 9).map((reason) => reason.code);

  function choose(key: string) {
    if (key === "phone") void openSeats();
    else if (key === "leave") void endShift();
    else void (key === "ready" ? changeState("ready", null) : changeState("not_ready", key.replace(/^reason:/, "")));
  }

  return (
    <div className="my-state" data-testid="my-state" data-state={state.name}>
      <MenuTrigger>
        <Button className={`button state ${stateTone[state.name]}`} isDisabled={!connected}>
          <span className="sr">{t("state.label")}: </span>
          <span className="dot" aria-hidden="true" />
          <span>{t(`state.${state.name}`)}</span>
          {state.reason && state.name === "not_ready" && <span className="state-reason">{reasonTitle(state.reason, reasons, language)}</span>}
          <Timer since={state.since} />
          <Icon name="chevron" size={14} />
        </Button>
        <Popover className="popover">
          <div
            data-testid="state-menu"
            onKeyDownCapture={(event) => {
              const reason = /^[1-9]$/.test(event.key) ? digits[Number(event.key) - 1] : undefined;
              if (reason) document.querySelector<HTMLElement>(`[data-testid=state-menu] [data-reason="${CSS.escape(reason)}"]`)?.click();
            }}
          >
            {inCall.has(state.name) && <p className="menu-note">{t("state.after_call")}</p>}
            <Menu className="menu" aria-label={t("state.choose")} onAction={(key) => choose(String(key))}>
              <MenuItem id="ready" className="menu-item" textValue={t("state.go_ready")}>
                <span className="dot ok" aria-hidden="true" />{t("state.go_ready")}<kbd>R</kbd>
              </MenuItem>
              <MenuSection className="menu-section">
                <Header>{t("state.go_not_ready")}</Header>
                {reasons.map((reason, index) => (
                  <MenuItem key={reason.code} id={`reason:${reason.code}`} data-reason={reason.code} className="menu-item" textValue={titleOf(reason, language)}>
                    <span className="dot warn" aria-hidden="true" />{titleOf(reason, language)}{index < 9 && <kbd>{index + 1}</kbd>}
                  </MenuItem>
                ))}
              </MenuSection>
              <MenuSection className="menu-section">
                <Header>{t("seat.here", { phone: me.shift?.extension ?? me.extension ?? "–" })}</Header>
                <MenuItem id="phone" className="menu-item" textValue={t("seat.change")}><Icon name="phone" size={14} />{t("seat.change")}</MenuItem>
                {me.seat === null && <MenuItem id="leave" className="menu-item" textValue={t("seat.leave")}><Icon name="signout" size={14} />{t("seat.leave")}</MenuItem>}
              </MenuSection>
            </Menu>
          </div>
        </Popover>
      </MenuTrigger>
      <Pending state={state} />
    </div>
  );
}

/** What was asked for and takes effect after the call, or is not confirmed yet. */
function Pending({ state }: { state: AgentStateView }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const reasons = useLists((lists) => lists.reasons);
  const asked = useStore((store) => store.pendingState);
  const resting = useStore((store) => store.desk.resting);
  const title = (next: { name: string; reason: string | null }) => stateTitle(next, { t, reasons, language });
  if (state.pending) {
    const { pending } = state;
    const back = resting ?? { name: "ready", reason: null };
    const changes = pending.name !== back.name || pending.reason !== back.reason;
    // Asking for what was before is how a wish is taken back; the server then shows that instead.
    return (
      <span className="pending" data-testid="state-pending" role="status">
        {t("state.then", { state: title(pending) })}
        {changes && (
          <Button className="button ghost square small" aria-label={t("state.take_back", { state: title(pending) })} onPress={() => void changeState(back.name, back.name === "ready" ? null : back.reason)}>
            <Icon name="close" size={14} />
          </Button>
        )}
      </span>
    );
  }
  return asked ? <span className="pending" role="status">{t("state.pending")}: {title(asked)}</span> : null;
}
