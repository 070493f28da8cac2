// Whether what is on the screen is true now: the desktop's own wire first, then the server's to each PBX.
import { Button, Dialog, DialogTrigger, Popover } from "react-aria-components";
import { useT } from "../i18n";
import { useNow } from "../lib/clock";
import { formatSpan } from "../lib/format";
import type { Tone } from "../parts/marks";
import { useStore } from "../store/store";
import type { LinkState as Link, LinkStateName } from "../wire/types";

const tones: Record<LinkStateName, Tone> = { live: "ok", connecting: "warn", stale: "bad", refused: "bad" };
const severity: LinkStateName[] = ["refused", "stale", "connecting", "live"];

/** 12 s, 3:05: seconds are named as such while they are few. */
const age = (ms: number) => (ms < 60_000 ? `${Math.max(0, Math.floor(ms / 1000))} s` : formatSpan(ms));

export function LinkState() {
  const t = useT();
  const now = useNow();
  const links = useStore((store) => store.desk.links);
  const socket = useStore((store) => store.socket);
  const word = (link: Link) => t(`link.${link.state}`, { time: age(link.since === null ? 0 : now - Date.parse(link.since)) });
  const entries = Object.entries(links);
  const worst = [...entries].sort((a, b) => severity.indexOf(a[1].state) - severity.indexOf(b[1].state))[0];

  let tone: Tone = "neutral";
  let text = `${t("link.telephony")}: ${t("link.none")}`;
  let help = "";
  let state = "none";
  if (socket.name === "lost") {
    [tone, state] = ["bad", "server_lost"];
    text = t("link.server_lost", { time: age(Date.now() - socket.since) });
    help = t("link.lost_help", { count: socket.attempt });
  } else if (socket.name !== "open") {
    [tone, state] = ["warn", "server_connecting"];
    text = t("link.server_connecting");
  } else if (worst) {
    const [name, link] = worst;
    [tone, state] = [tones[link.state], link.state];
    const who = entries.length > 1 && link.state !== "live" ? `${t("link.telephony")} ${name}` : t("link.telephony");
    text = `${who}: ${word(link)}`;
    help = link.state === "live" ? t("link.live_help") : link.state === "refused" ? t("link.refused_help") : t("link.stale_help");
  }
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
              {entries.map(([name, link]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{word(link)}{link.detail ? ` · ${link.detail}` : ""}</dd>
                </div>
              ))}
            </dl>
          </Dialog>
        </Popover>
      </DialogTrigger>
      <span className="sr" role="status">{state === "stale" || state === "refused" || state === "server_lost" ? help : ""}</span>
    </div>
  );
}
