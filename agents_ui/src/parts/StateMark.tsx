// An agent's state in a row: colour, icon and words, with the reason and since when.
import { named } from "../i18n";
import { reasonTitle } from "../lib/explain";
import { useLists } from "../store/rooms/lists";
import { useStore } from "../store/desk/store";
import type { AgentStateName, AgentStateView } from "../wire/types";
import { Icon, type IconName } from "./Icon";
import type { Tone } from "./marks";
import { Timer } from "./Timer";

const looks: Record<AgentStateName, [Tone, IconName]> = {
  ready: ["ok", "check"], not_ready: ["warn", "pause"], signed_out: ["neutral", "signout"], reserved: ["info", "bell"],
  talking: ["info", "phone"], hold: ["info", "pause"], wrap_up: ["info", "note"],
};

export function StateMark({ state }: { state: AgentStateView }) {
  const language = useStore((store) => store.language);
  const reasons = useLists((lists) => lists.reasons);
  const [tone, icon] = looks[state.name] ?? ["neutral", "question"];
  return (
    <span className="state-mark">
      <span className={`mark ${tone}`}>
        <Icon name={icon} size={13} />
        {named("state", state.name)}{state.name === "not_ready" && state.reason ? ` · ${reasonTitle(state.reason, reasons, language)}` : ""}
      </span>
      {state.name !== "signed_out" && state.since && <span className="quiet"><Timer since={state.since} /></span>}
    </span>
  );
}
