// Whether this call is being recorded: always to be seen, in words and shape; and what changes it.
import { useT } from "../../i18n";
import type { Controls } from "../../lib/controls";
import { Command } from "../../parts/Command";
import { record, type Verb } from "../../store/calls/commands";
import type { CallView } from "../../wire/types";

export function RecordingIndicator({ call }: { call: CallView }) {
  const t = useT();
  return (
    <span className={`recording ${call.recording}`} data-testid="recording-indicator" data-state={call.recording}>
      <span className="recording-sign" aria-hidden="true" />
      {t(`recording.${call.recording}`)}
    </span>
  );
}

type Take = Extract<Verb, `record-${string}`>;
const takes: { verb: Take; keys: string }[] = [
  { verb: "record-start", keys: "o" }, { verb: "record-pause", keys: "o" }, { verb: "record-resume", keys: "o" }, { verb: "record-stop", keys: "Shift+o" },
];

export function RecordingRow({ call, table }: { call: CallView; table: Controls }) {
  const t = useT();
  return (
    <div className="recording-row" role="group" aria-label={t("recording.heading")}>
      {takes.filter(({ verb }) => verb in table).map(({ verb, keys }) => (
        <Command
          key={verb} verb={verb} call={call.call} cannot={table[verb] ?? null} label={t(`verb.${verb}`)} keys={keys}
          {...(verb === "record-start" ? { icon: "record" as const } : {})} {...(verb === "record-resume" ? { tone: "primary" as const } : {})} onPress={() => void record(verb, call.call)}
        />
      ))}
    </div>
  );
}
