// Whether what is on the screen is true now: the desktop's own wire first, then the server's to each PBX.
import { Button, Dialog, DialogTrigger, Popover } from "react-aria-components";
import { useT } from "../../i18n";
import { useNow } from "../../lib/clock";
import { formatSpan } from "../../lib/format";
import { problemText } from "../../lib/problem";
import type { Tone } from "../../parts/marks";
import { Icon } from "../../parts/Icon";
import { useStore } from "../../store/desk/store";
import type { LinkState as Link, LinkStateName } from "../../wire/types";

const tones: Record<LinkStateName, Tone> = { live: "ok", connecting: "warn", stale: "bad", refused: "bad" };
const severity: LinkStateName[] = ["refused", "stale", "connecting", "live"];

interface Shown { tone: Tone; text: string; help: string; state: string; rows: [name: string, text: string][] }

function useLink(): Shown {
  const t = useT();
  const now = useNow();
  const links = useStore((store) => store.desk.links);
  const socket = useStore((store) => store.socket);
  const record = useStore((store) => store.desk.record);
  // 12 s, 3:05: seconds are named as such while they are few.
  const age = (ms: number) => (ms < 60_000 ? t("link.seconds", { count: Math.max(0, Math.floor(ms / 1000)) }) : formatSpan(ms));
  const word = (link: Link) => t(`link.${link.state}`, { time: age(link.since === null ? 0 : now - Date.parse(link.since)) });
  const entries = Object.entries(links);
  const rows = entries.map(([name, link]): [string, string] => [name, link.detail ? `${word(link)} · ${link.detail}` : word(link)]);
  if (socket.name === "lost") {
    const text = t("link.server_lost", { time: age(Date.now() - socket.since) });
    const why = socket.problem && socket.problem.code !== "unreachable" ? problemText(socket.problem, t) : null;
    const help = [why?.title, why?.detail, t("link.lost_help", { count: socket.attempt })].filter(Boolean).join(" ");
    return { tone: "bad", state: "server_lost", text, help, rows: [] };
  }
  if (socket.name !== "open") return { tone: "warn", state: "server_connecting", text: t("link.server_connecting"), help: "", rows: [] };
  if (record) {
    // What is told here goes on; of a PBX that another server has, nothing is heard until the record is back.
    const isStale = record.stale.length > 0;
    const text = t(isStale ? "link.record_stale" : "link.record_away", { time: age(now - Date.parse(record.since)) });
    return { tone: isStale ? "bad" : "warn", state: "record_away", text, help: t(isStale ? "link.record_stale_help" : "link.record_away_help"), rows };
  }
  const worst = [...entries].sort((a, b) => severity.indexOf(a[1].state) - severity.indexOf(b[1].state))[0];
  if (!worst) return { tone: "neutral", state: "none", text: t("link.several", { name: t("link.telephony"), state: t("link.none") }), help: "", rows };
  const [name, link] = worst;
  const who = entries.length > 1 && link.state !== "live" ? `${t("link.telephony")} ${name}` : t("link.telephony");
  const help = link.state === "live" ? t("link.live_help") : link.state === "refused" ? t("link.refused_help") : t("link.stale_help");
  return { tone: tones[link.state], state: link.state, text: t("link.several", { name: who, state: word(link) }), help, rows };
}

export function LinkState() {
  const t = useT();
  const { tone, state, text, help, rows } = useLink();
  return (
    <div className="link-state" data-testid="link-state" data-state={state}>
      <DialogTrigger>
        <Button className={`button link ${tone}`}>
          <span className="dot" aria-hidden="true" />
          <span className="num">{text}</span>
        </Button>
        <Popover className="popover padded" placement="bottom end">
          <Dialog aria-label={t("link.telephony")}>
            {help && <p>{help}</p>}
            <dl className="facts">
              {rows.map(([name, said]) => <div key={name}><dt>{name}</dt><dd>{said}</dd></div>)}
            </dl>
          </Dialog>
        </Popover>
      </DialogTrigger>
    </div>
  );
}

const broken: ReadonlySet<string> = new Set(["stale", "refused", "server_lost", "record_away"]);

/** One line over the desk while it cannot be trusted to be current, with what still works. */
export function LinkBanner() {
  const { state, help, tone } = useLink();
  return (
    <div role="status">
      {broken.has(state) && <p className={`banner ${tone}`} data-testid="link-banner"><Icon name="warn" size={14} /><span>{help}</span></p>}
    </div>
  );
}
