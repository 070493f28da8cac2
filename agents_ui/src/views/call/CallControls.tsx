// The buttons of the call on the screen: what I can do with it as it stands, and of the rest, why not.
import { useT } from "../../i18n";
import { controls, isConsulting, type Controls } from "../../lib/controls";
import { Icon, type IconName } from "../../parts/Icon";
import { Command } from "../../parts/Command";
import { act } from "../../store/calls/act";
import type { Verb } from "../../store/calls/commands";
import { usePanel } from "../../store/calls/panel";
import { useMyPart } from "../../store/desk/hooks";
import { useConnected } from "../../store/session/reach";
import { helpOn } from "../../store/rooms/help";
import { useStore } from "../../store/desk/store";
import type { CallView } from "../../wire/types";
import { Consultation } from "./Consultation";
import { HelpAsked } from "./HelpAsked";
import { Keypad } from "./Keypad";
import { RecordingRow } from "./Recording";
import { PickUpCommand } from "../dial/PickUps";

/** One tile a place; the first verb of the table that is there takes it. */
const tiles: { verbs: Verb[]; icon: IconName; keys: string }[] = [
  { verbs: ["hold", "retrieve"], icon: "pause", keys: "h" },
  { verbs: ["mute", "unmute"], icon: "mic", keys: "m" },
  { verbs: ["dtmf"], icon: "keypad", keys: "k" },
  { verbs: ["help"], icon: "hand", keys: "!" },
  { verbs: ["consult"], icon: "ask", keys: "x" },
  { verbs: ["transfer"], icon: "forward", keys: "Shift+x" },
  { verbs: ["conference"], icon: "users", keys: "j" },
  { verbs: ["park"], icon: "parking", keys: "Shift+p" },
];
const icons: Partial<Record<Verb, IconName>> = { retrieve: "play", unmute: "mic_off" };

export function CallControls({ call }: { call: CallView }) {
  const t = useT();
  const part = useMyPart(call.call);
  const connected = useConnected(call.pbx);
  const keypad = usePanel((panel) => panel.keypad === call.call);
  const answers = useStore((store) => store.desk.me?.shift?.answers);
  const extension = useStore((store) => store.desk.me?.shift?.extension);
  const table = controls(part, connected);
  const consulting = isConsulting(part);
  if (part?.standing === "wrap_up") return call.state === "parked" ? <div className="controls"><PickUpCommand call={call} look="wide" /></div> : null;
  if (Object.keys(table).length === 0) return null;
  if (part?.standing === "ringing") {
    return (
      <div className="controls ringing" role="group" aria-label={t("controls.heading")}>
        {answers === false ? (
          <p className="answer-at" data-testid="answer-at"><Icon name="phone" />{t("controls.answer_at", { phone: extension ?? "" })}</p>
        ) : (
          <Command verb="answer" call={call.call} cannot={table.answer ?? null} icon="phone" label={t("verb.answer")} keys="a" look="wide" tone="go" onPress={() => act("answer", call)} />
        )}
        <Command verb="hangup" call={call.call} cannot={table.hangup ?? null} icon="hangup" label={t("verb.reject")} keys="Shift+q" look="wide" tone="danger" onPress={() => act("hangup", call)} />
      </div>
    );
  }
  return (
    <div className="controls" role="group" aria-label={t("controls.heading")}>
      <RecordingRow call={call} table={table} />
      {consulting && <Consultation call={call} table={table} />}
      <div className="tiles">
        {tiles.map(({ verbs, icon, keys }) => <Tile key={keys} {...{ verbs, icon, keys, table, call, consulting }} />)}
      </div>
      <HelpAsked call={call.call} />
      {keypad && table.dtmf === null && <Keypad call={call} />}
      <Command verb="hangup" call={call.call} cannot={table.hangup ?? null} icon="hangup" label={t(part?.standing === "conference" ? "verb.leave" : consulting ? "verb.hangup_consulting" : "verb.hangup")} keys="Shift+q" look="wide" tone="danger" onPress={() => act("hangup", call)} />
    </div>
  );
}

interface TileProps { verbs: Verb[]; icon: IconName; keys: string; table: Controls; call: CallView; consulting: boolean }

function Tile({ verbs, icon, keys, table, call, consulting }: TileProps) {
  const t = useT();
  const open = usePanel((panel) => panel.keypad === call.call);
  const verb = verbs.find((candidate) => candidate in table);
  const asked = useStore((store) => verb === "help" && helpOn(store.desk, call.call) !== null);
  // In a consultation its own row has this one.
  if (!verb || (consulting && verb === "conference")) return null;
  const tone = verb === "retrieve" || verb === "unmute" ? "on" : asked || (verb === "dtmf" && open) ? "open" : null;
  return (
    <Command
      verb={verb} call={call.call} cannot={table[verb] ?? null} icon={icons[verb] ?? icon} label={t(`tile.${verb}`)} name={t(`verb.${verb}`)} keys={keys}
      look="tile" {...(tone ? { tone } : {})} onPress={() => act(verb, call)}
    />
  );
}
