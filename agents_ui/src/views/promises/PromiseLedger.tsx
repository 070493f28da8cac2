// Promises to one customer, or all of mine: what, until when and how near that is; kept, moved, broken or taken back.
import { useState } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { useT } from "../../i18n";
import { useMinute } from "../../lib/clock";
import { formatAgo } from "../../lib/format";
import { Icon, type IconName } from "../../parts/Icon";
import { Mark, type Tone } from "../../parts/marks";
import { CallBack } from "../../parts/TelLink";
import { WhenField, whenText, type When } from "../../parts/WhenField";
import { navigate } from "../../store/session/navigate";
import { changePromise, urgencyOf, type Urgency } from "../../store/rooms/promises";
import { useStore } from "../../store/desk/store";
import type { PromiseKind, PromiseView } from "../../wire/types";
import { PromiseForm } from "./PromiseForm";

const looks: Record<Urgency, [Tone, IconName]> = { late: ["bad", "warn"], soon: ["warn", "bell"], later: ["neutral", "clock"] };
const icons: Record<PromiseKind, IconName> = { callback: "phone", visit: "visit", other: "check" };

interface LedgerProps {
  promises: PromiseView[];
  /** Whose page this is; null where promises of many stand together. */
  customer: number | null;
  interaction: number | null;
  number: string | null;
}

export function PromiseLedger({ promises, customer, interaction, number }: LedgerProps) {
  const t = useT();
  const [making, setMaking] = useState(false);
  return (
    <section className={`list promises ${promises.length ? "" : "bare"}`} data-testid="promise-ledger" aria-labelledby="promises-heading">
      <div className="list-head">
        <h2 id="promises-heading">{t("promise.heading")} <span className="count num">{promises.length}</span></h2>
        {customer !== null && !making && <Button className="button small" onPress={() => setMaking(true)}><Icon name="plus" size={14} />{t("promise.new")}</Button>}
      </div>
      {making && customer !== null && <PromiseForm customer={customer} interaction={interaction} number={number} onDone={() => setMaking(false)} />}
      <ul>{promises.map((promise) => <li key={promise.id}><PromiseRow promise={promise} naming={customer !== promise.customer.id} /></li>)}</ul>
    </section>
  );
}

export function PromiseRow({ promise, naming }: { promise: PromiseView; naming: boolean }) {
  const t = useT();
  const now = useMinute();
  const language = useStore((store) => store.language);
  const me = useStore((store) => store.desk.me?.id);
  const [moving, setMoving] = useState<When | null>(null);
  const urgency = urgencyOf(promise, now);
  const [tone, icon] = looks[urgency];
  const when = whenText({ from: promise.from, to: promise.due }, language, (time) => t("promise.by", { time }), now);
  const due = formatAgo(urgency === "soon" && promise.from && Date.parse(promise.from) > now ? promise.from : promise.due, language, now);

  async function move() {
    if (!moving?.to) return;
    if (await changePromise(promise, { due: moving.to, from: moving.from })) setMoving(null);
  }

  return (
    <div className={`promise ${urgency}`} data-testid={`promise-${promise.id}`} data-urgency={urgency}>
      <Icon name={icons[promise.kind]} size={14} />
      <div className="promise-main">
        <div className="promise-line">
          {naming && <a href={`/customers/${promise.customer.id}`} className="item-title" onClick={(event) => { event.preventDefault(); navigate(`/customers/${promise.customer.id}`); }}>{promise.customer.name}</a>}
          <span className="promise-text">{promise.text || t(`promise.kind_${promise.kind}`)}</span>
        </div>
        <div className="promise-line small">
          <span className="num">{when}</span>
          <Mark tone={tone} icon={icon} text={t(`promise.${urgency}`, { when: due })} />
          {promise.owner && promise.owner.id !== me && <span className="quiet">{promise.owner.name}</span>}
        </div>
        {moving && (
          <div className="promise-move">
            <WhenField kind={promise.kind === "callback" ? "window" : "until"} label={t("promise.when")} value={moving} onChange={setMoving} />
            <div className="actions">
              <Button className="button small primary" isDisabled={!moving.to} onPress={() => void move()}>{t("promise.move")}</Button>
              <Button className="button small" onPress={() => setMoving(null)}>{t("common.cancel")}</Button>
            </div>
          </div>
        )}
      </div>
      <div className="promise-tools">
        {promise.kind === "callback" && <CallBack number={promise.number} who={promise.customer.name} />}
        <Button className="button small" onPress={() => void changePromise(promise, { state: "kept" })}><Icon name="check" size={14} />{t("promise.keep")}</Button>
        <MenuTrigger>
          <Button className="button ghost square small" aria-label={t("promise.more", { text: promise.text || promise.customer.name })}><Icon name="chevron" size={14} /></Button>
          <Popover className="popover" placement="bottom end">
            <Menu className="menu" onAction={(key) => (key === "move" ? setMoving({ from: promise.from, to: promise.due }) : void changePromise(promise, { state: key as "broken" | "cancelled" }))}>
              <MenuItem id="move" className="menu-item">{t("promise.move_to")}</MenuItem>
              <MenuItem id="broken" className="menu-item">{t("promise.break")}</MenuItem>
              <MenuItem id="cancelled" className="menu-item">{t("promise.cancel")}</MenuItem>
            </Menu>
          </Popover>
        </MenuTrigger>
      </div>
    </div>
  );
}
