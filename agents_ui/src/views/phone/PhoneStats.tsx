// How the network treats the voice: one word, with its numbers for who asks.
import { Button, Dialog, DialogTrigger, Popover } from "react-aria-components";
import { useT } from "../../i18n";
import { usePhone } from "../../phone";
import type { Quality } from "../../phone/quality";
import { useStore } from "../../store/desk/store";

const bars: Record<Quality, number> = { good: 3, fair: 2, poor: 1, none: 0 };

export function PhoneStats() {
  const t = useT();
  const language = useStore((store) => store.language);
  const { quality, figures } = usePhone();
  const percent = (value: number) => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }).format(value);
  const ms = (value: number | null | undefined) => (value === null || value === undefined ? "–" : `${Math.round(value)} ms`);
  const rows: [string, string][] = [
    [t("phone.loss_in"), percent(figures?.lossIn ?? 0)],
    [t("phone.loss_out"), percent(figures?.lossOut ?? 0)],
    [t("phone.jitter"), ms(figures?.jitterMs)],
    [t("phone.round_trip"), ms(figures?.roundTripMs)],
    [t("phone.packets"), `${figures?.packetsIn ?? 0} / ${figures?.packetsOut ?? 0}`],
  ];
  const word = t(`phone.quality_${quality}`);
  return (
    <span
      data-testid="phone-stats" className="phone-stats" data-packets-in={figures?.packetsIn ?? 0} data-packets-out={figures?.packetsOut ?? 0}
      data-level-in={(figures?.levelIn ?? 0).toFixed(5)} data-level-out={(figures?.levelOut ?? 0).toFixed(5)}
      data-jitter={Math.round(figures?.jitterMs ?? 0)} data-loss={(figures?.lossIn ?? 0).toFixed(4)} title={rows.map((row) => row.join(": ")).join("\n")}
    >
      <DialogTrigger>
        <Button className={`button small ghost phone-quality ${quality}`} aria-label={`${t("phone.quality")}: ${word}`}>
          <span className="phone-bars" aria-hidden="true">{[1, 2, 3].map((n) => <span key={n} className={n <= bars[quality] ? "on" : ""} />)}</span>
          <span className="phone-tool-text">{word}</span>
        </Button>
        <Popover className="popover padded" placement="bottom end">
          <Dialog aria-label={t("phone.quality")}>
            <p>{t(`phone.quality_help_${quality}`)}</p>
            <dl className="facts">{rows.map(([name, said]) => <div key={name}><dt>{name}</dt><dd className="num">{said}</dd></div>)}</dl>
          </Dialog>
        </Popover>
      </DialogTrigger>
    </span>
  );
}
