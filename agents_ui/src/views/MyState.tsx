// My state: what it is, why, since when; and the choice of another one.
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from "react-aria-components";
import { named, useT } from "../i18n";
import { Icon } from "../parts/Icon";
import { Timer } from "../parts/Timer";
import { changeState } from "../store/session";
import { useStore } from "../store/store";
import type { AgentStateName } from "../wire/types";

const reasons = ["break", "lunch", "meeting", "training", "paperwork", "other"];
export const stateTone: Record<AgentStateName, string> = {
  ready: "ok", not_ready: "warn", signed_out: "neutral", reserved: "info", talking: "info", hold: "warn", wrap_up: "info",
};

export function MyState() {
  const t = useT();
  const state = useStore((store) => store.desk.me?.state);
  const seat = useStore((store) => store.desk.me?.seat);
  const pending = useStore((store) => store.pendingState);
  const connected = useStore((store) => store.socket.name === "open");
  // Who has no phone has no state to choose.
  if (!state || !seat) return null;
  return (
    <div className="my-state" data-testid="my-state" data-state={state.name}>
      <MenuTrigger>
        <Button className={`button state ${stateTone[state.name]}`} isDisabled={!connected}>
          <span className="sr">{t("state.label")}: </span>
          <span className="dot" aria-hidden="true" />
          <span>{named("state", state.name)}</span>
          {state.reason && <span className="state-reason">{named("not_ready", state.reason)}</span>}
          <Timer since={state.since} />
          <Icon name="chevron" size={14} />
        </Button>
        <Popover className="popover">
          <Menu
            className="menu" aria-label={t("state.choose")}
            onAction={(key) => void (key === "ready" ? changeState("ready", null) : changeState("not_ready", String(key)))}
          >
            <MenuItem id="ready" className="menu-item" textValue={t("state.go_ready")}>
              <span className="dot ok" aria-hidden="true" />{t("state.go_ready")}<kbd>R</kbd>
            </MenuItem>
            <MenuSection className="menu-section">
              <Header>{t("state.go_not_ready")}</Header>
              {reasons.map((reason) => (
                <MenuItem key={reason} id={reason} className="menu-item" textValue={t(`not_ready.${reason}`)}>
                  <span className="dot warn" aria-hidden="true" />{t(`not_ready.${reason}`)}
                </MenuItem>
              ))}
            </MenuSection>
          </Menu>
        </Popover>
      </MenuTrigger>
      {pending && (
        <span className="pending" role="status">
          {t("state.pending")}: {t(`state.${pending.name}`)}{pending.reason ? ` (${named("not_ready", pending.reason)})` : ""}
        </span>
      )}
    </div>
  );
}
