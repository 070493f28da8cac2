// My settings: language, theme, notifications, single keys, auto-answer, account. Each takes effect at once.
import { useState } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay, Switch, ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { useT } from "../../i18n";
import { setSingleKeys, singleKeysOn } from "../../keys";
import { Icon } from "../../parts/Icon";
import { canNotify, setNotify, useSettings } from "../../store/session/settings";
import { toast, useStore, type Theme } from "../../store/desk/store";
import { applyTheme } from "../../lib/theme";
import { api, ProblemError } from "../../wire/api";
import { AccountSettings } from "./AccountSettings";
import { LanguageSwitch } from "./LanguageSwitch";

const themes: Theme[] = ["system", "light", "dark"];

export function SettingsDialog() {
  const t = useT();
  const { open, notify, denied, pinned } = useSettings();
  const theme = useStore((store) => store.theme);
  const me = useStore((store) => store.desk.me);
  const [keys, setKeys] = useState(singleKeysOn());
  if (!me) return null;

  async function autoAnswer(on: boolean) {
    const { desk, set } = useStore.getState();
    try {
      const { preferences } = await api.setPreferences({ auto_answer: on });
      if (desk.me) set({ desk: { ...useStore.getState().desk, me: { ...desk.me, preferences } } });
    } catch (error) {
      if (error instanceof ProblemError) toast({ tone: "bad", problem: error.problem });
    }
  }

  return (
    <ModalOverlay className="scrim" isOpen={open} onOpenChange={(next) => useSettings.setState({ open: next })} isDismissable={!pinned} isKeyboardDismissDisabled={pinned}>
      <Modal className="modal settings-modal">
        <Dialog className="settings" data-testid="settings">
          <header>
            <Heading slot="title">{t("settings.heading")}</Heading>
            <Button slot="close" className="button ghost square" aria-label={t("common.close")}><Icon name="close" /></Button>
          </header>
          <div className="setting"><span>{t("bar.language")}</span><LanguageSwitch /></div>
          <div className="setting">
            <span>{t("bar.theme")}</span>
            <ToggleButtonGroup className="segmented" aria-label={t("bar.theme")} selectedKeys={[theme]} disallowEmptySelection onSelectionChange={(chosen) => applyTheme([...chosen][0] as Theme)}>
              {themes.map((id) => <ToggleButton key={id} id={id}>{t(`bar.theme_${id}`)}</ToggleButton>)}
            </ToggleButtonGroup>
          </div>
          <Setting text={t("settings.notify")} help={t(!canNotify() ? "settings.notify_impossible" : denied ? "settings.notify_denied" : "settings.notify_help")} on={notify === "on"} off={!canNotify() || denied} onChange={(on) => void setNotify(on)} />
          <Setting text={t("keys.enabled")} help={t("settings.keys_help")} on={keys} onChange={(on) => { setSingleKeys(on); setKeys(on); }} />
          <Setting text={t("settings.auto_answer")} help={t("settings.auto_answer_help")} on={me.preferences.auto_answer} onChange={(on) => void autoAnswer(on)} />
          <AccountSettings />
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Setting({ text, help, on, off = false, onChange }: { text: string; help: string; on: boolean; off?: boolean; onChange: (on: boolean) => void }) {
  return (
    <div className="setting">
      <div><div>{text}</div><div className="quiet setting-help">{help}</div></div>
      <Switch className="switch" aria-label={text} isSelected={on} isDisabled={off} onChange={onChange}><span className="switch-track" aria-hidden="true" /></Switch>
    </div>
  );
}
