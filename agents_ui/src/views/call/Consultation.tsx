// A consultation that is under way: with whom, whose ear I have, and how it can end.
import { useT } from "../../i18n";
import { consultation, type Controls } from "../../lib/controls";
import { formatNumber } from "../../lib/format";
import { Icon, type IconName } from "../../parts/Icon";
import { Command } from "../../parts/Command";
import { act } from "../../store/calls/act";
import type { Verb } from "../../store/calls/commands";
import { useMyPart } from "../../store/desk/hooks";
import type { CallView } from "../../wire/types";

const steps: { verb: Verb; icon: IconName; keys: string }[] = [
  { verb: "complete", icon: "forward", keys: "y" },
  { verb: "alternate", icon: "swap", keys: "s" },
  { verb: "conference", icon: "users", keys: "j" },
  { verb: "cancel", icon: "back", keys: "z" },
];

export function Consultation({ call, table }: { call: CallView; table: Controls }) {
  const t = useT();
  const now = consultation(call, useMyPart(call.call));
  if (!now) return null;
  const who = now.with?.name ?? (formatNumber(now.with?.number) || t("common.unknown"));
  const text = !now.answered ? "consult.rings" : now.withThem ? "consult.with" : "consult.waits";
  return (
    <section className={`consultation ${now.answered ? (now.withThem ? "with" : "waits") : "rings"}`} data-testid="consultation" aria-label={t("consult.heading")}>
      <p><Icon name={now.answered ? "ask" : "bell"} size={15} /><span>{t(now.with ? text : "consult.starting", { who })}</span></p>
      <div className="consultation-steps">
        {steps.map(({ verb, icon, keys }) => (
          <Command
            key={verb} verb={verb} call={call.call} cannot={table[verb] ?? null} icon={icon} label={t(`consult.${verb}`)} keys={keys}
            {...(verb === "complete" && now.answered ? { tone: "primary" as const } : {})} onPress={() => act(verb, call)}
          />
        ))}
      </div>
    </section>
  );
}
