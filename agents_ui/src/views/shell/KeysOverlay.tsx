// The keyboard map on one sheet, opened with ?.
import { useState } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay, Switch } from "react-aria-components";
import { useT } from "../../i18n";
import { setSingleKeys, singleKeysOn } from "../../keys";
import { keyMap, shownKeys } from "../../lib/shortcuts";
import { Icon } from "../../parts/Icon";
import { useStore } from "../../store/desk/store";

const groups = ["group_call", "group_note", "group_give", "group_me", "group_go"] as const;

export function KeysOverlay() {
  const t = useT();
  const open = useStore((store) => store.overlay === "keys");
  const set = useStore((store) => store.set);
  const [on, setOn] = useState(singleKeysOn());
  return (
    <ModalOverlay className="scrim" isOpen={open} onOpenChange={(next) => set({ overlay: next ? "keys" : null })} isDismissable>
      <Modal className="modal">
        <Dialog className="keys" data-testid="keys-overlay">
          <header>
            <Heading slot="title">{t("keys.heading")}</Heading>
            <Button slot="close" className="button ghost square" aria-label={t("common.close")}><Icon name="close" /></Button>
          </header>
          <p className="quiet">{t("keys.help")}</p>
          <div className="keys-groups">
            {groups.map((group) => (
              <section key={group}>
                <h3>{t(`keys.${group}`)}</h3>
                <dl>
                  {keyMap.filter((entry) => entry.group === group).map((entry) => (
                    <div key={entry.text}>
                      <dt>{t(entry.text)}</dt>
                      <dd>
                        {entry.keys.map((key) => (key === "…" ? <span key={key}>…</span> : <kbd key={key}>{key.length === 1 ? key.toUpperCase() : key}</kbd>))}
                        {entry.chord && <><span className="quiet">{t("keys.or")}</span><kbd>{shownKeys(entry.keys.join("+"))}</kbd></>}
                      </dd>
                    </div>
                  ))}
                </dl>
              </section>
            ))}
          </div>
          <Switch
            className="switch" isSelected={on}
            onChange={(next) => {
              setSingleKeys(next);
              setOn(next);
            }}
          >
            <span className="switch-track" aria-hidden="true" />{t("keys.enabled")}
          </Switch>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
