// Where the call goes: type, arrow, Enter. People with their state, queues with their wait, contacts, or a typed number.
import { useEffect, useId, useState } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useT } from "../../i18n";
import { controls } from "../../lib/controls";
import { formatNumber } from "../../lib/format";
import { whoIs } from "../../lib/who";
import { Icon } from "../../parts/Icon";
import type { TargetRow } from "../../lib/targets";
import { conference, give, keyOf, useCommands, type Verb } from "../../store/calls/commands";
import { callNumber } from "../../store/calls/dialling";
import { usePanel, type PickFor } from "../../store/calls/panel";
import { isConnected, useConnected } from "../../store/session/reach";
import { useMyPart } from "../../store/desk/hooks";
import { useStore } from "../../store/desk/store";
import { useTargets } from "../../store/calls/targets";
import { TargetOption } from "./TargetOption";

export function TargetPicker() {
  const picker = usePanel((panel) => panel.picker);
  const set = usePanel((panel) => panel.set);
  const close = () => set({ picker: null });
  return (
    <ModalOverlay className="scrim top" isOpen={picker !== null} onOpenChange={(open) => !open && close()} isDismissable>
      <Modal className="modal picker-modal">
        {picker && <Picker key={picker.mode} mode={picker.mode} call={picker.call} search={picker.search} close={close} />}
      </Modal>
    </ModalOverlay>
  );
}

interface PickerProps { mode: PickFor; call: string | null; search: string; close: () => void }

/** What Enter does, and what Ctrl+Enter does: always the transfer at once. */
const actions: Record<PickFor, Verb[]> = { consult: ["consult", "transfer"], transfer: ["transfer", "consult"], conference: ["conference"], dial: ["dial"] };

function Picker({ mode, call, search, close }: PickerProps) {
  const t = useT();
  const id = useId();
  const [query, setQuery] = useState(search);
  const [said, setSaid] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const { rows, searching, failed } = useTargets(mode, call, query);
  const active = rows.find((row) => row.key === chosen) ?? rows.find((row) => !row.off) ?? rows[0] ?? null;
  const refused = useRefusal(actions[mode], call);
  const running = useCommands((commands) => commands.running);

  useEffect(() => {
    if (active) document.getElementById(`${id}-${active.key}`)?.scrollIntoView({ block: "nearest" });
  }, [active, id]);

  function move(by: number) {
    const at = active ? rows.indexOf(active) : -1;
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next) setChosen(next.key);
  }

  function send(verb: Verb) {
    if (!active || active.off || refused[verb] || keyOf(verb, call) in running) return;
    close();
    perform(verb, call, active, said.trim() || null);
  }

  function onKeyDown(event: React.KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 }[event.key];
    if (step) {
      event.preventDefault();
      move(step);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const [first] = actions[mode];
      const verb = (event.ctrlKey || event.metaKey) && actions[mode].includes("transfer") ? "transfer" : first;
      if (verb) send(verb);
    }
  }

  const groups = groupsOf(rows);
  return (
    <Dialog className="picker" data-testid="target-picker" aria-label={t(`picker.${mode}`)}>
      <header>
        <Heading slot="title">{t(`picker.${mode}`)}</Heading>
        <PickerCall call={call} />
        <Button slot="close" className="button ghost square" aria-label={t("common.close")}><Icon name="close" /></Button>
      </header>
      <div className="picker-search" onKeyDown={onKeyDown}>
        <Icon name={mode === "dial" ? "phone" : "search"} />
        <input
          className="input" data-testid="target-search" autoFocus role="combobox" aria-expanded="true" aria-controls={`${id}-list`} aria-autocomplete="list"
          aria-activedescendant={active ? `${id}-${active.key}` : undefined} aria-label={t("picker.search")} placeholder={t("picker.placeholder")}
          autoComplete="off" spellCheck={false} value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setChosen(null);
          }}
        />
      </div>
      <div id={`${id}-list`} className="picker-list" role="listbox" aria-label={t("picker.results")} aria-busy={searching}>
        {groups.map(([kind, members]) => (
          <div key={kind} role="group" aria-labelledby={`${id}-${kind}`}>
            <div className="picker-group" id={`${id}-${kind}`} role="presentation">{t(`picker.${kind}`)}</div>
            {members.map((row) => <TargetOption key={row.key} id={`${id}-${row.key}`} row={row} active={row === active} choose={() => setChosen(row.key)} act={() => send(actions[mode][0] as Verb)} />)}
          </div>
        ))}
      </div>
      <p className="picker-status" role="status">
        {failed ? t("picker.failed") : rows.length === 0 && !searching ? t("picker.none") : ""}
      </p>
      <footer>
        {(mode === "consult" || mode === "transfer") && (
          <div className="picker-said" onKeyDown={onKeyDown}>
            <label htmlFor={`${id}-said`}>{t("picker.said")}</label>
            <input id={`${id}-said`} className="input" data-testid="target-said" maxLength={500} autoComplete="off" placeholder={t("picker.said_hint")} value={said} onChange={(event) => setSaid(event.target.value)} />
          </div>
        )}
        <div className="picker-actions">
          {actions[mode].map((verb, index) => (
            <Button key={verb} className={`button ${index === 0 ? "primary" : ""}`} data-testid={`target-${verb === "conference" ? "add" : verb}`} isDisabled={!active || active.off !== null || Boolean(refused[verb])} onPress={() => send(verb)}>
              {t(`picker.do_${verb}`)}{index === 0 ? <kbd>↵</kbd> : verb === "transfer" && <kbd>Ctrl ↵</kbd>}
            </Button>
          ))}
          <span className="quiet">{active?.off ? t(`target_off.${active.off}`) : refusalText(refused, actions[mode], t)}</span>
        </div>
      </footer>
    </Dialog>
  );
}

function perform(verb: Verb, call: string | null, row: TargetRow, said: string | null): void {
  if (verb === "dial") return callNumber(numberFor(row));
  if (!call) return;
  if (verb === "conference") void conference(call, row.target);
  else if (verb === "consult" || verb === "transfer") void give(verb, call, row.target, said);
}

const numberFor = (row: TargetRow): string =>
  row.kind === "agent" ? (row.agent.extension ?? "") : row.kind === "queue" ? row.queue.queue : row.number;

/** The call may change while the list is open: what is no longer possible is not sent. */
function useRefusal(verbs: Verb[], id: string | null): Partial<Record<Verb, string>> {
  const call = useStore((store) => (id ? store.desk.calls[id] : undefined));
  const part = useMyPart(id);
  const connected = useConnected(call?.pbx ?? Object.keys(useStore.getState().desk.links)[0] ?? "");
  if (!id) return connected ? {} : { dial: "no_pbx" };
  if (!call) return Object.fromEntries(verbs.map((verb) => [verb, "over"]));
  const table = controls(part, connected && isConnected(call.pbx));
  return Object.fromEntries(verbs.flatMap((verb) => (verb in table ? (table[verb] ? [[verb, table[verb]]] : []) : [[verb, "over"]])));
}

function refusalText(refused: Partial<Record<Verb, string>>, verbs: Verb[], t: ReturnType<typeof useT>): string {
  const why = verbs.map((verb) => refused[verb]).find(Boolean);
  return why ? t(`cannot.${why}`) : "";
}

function PickerCall({ call }: { call: string | null }) {
  const t = useT();
  const view = useStore((store) => (call ? store.desk.calls[call] : undefined));
  return <span className="picker-call">{view ? <><Icon name="phone" size={14} />{whoIs(view, t)} <span className="num quiet">{view.customer ? formatNumber(view.ani) : ""}</span></> : null}</span>;
}

function groupsOf(rows: TargetRow[]): [string, TargetRow[]][] {
  const groups = new Map<string, TargetRow[]>();
  for (const row of rows) groups.set(row.kind, [...(groups.get(row.kind) ?? []), row]);
  return [...groups];
}
