// The bar: my state and why, whether the wires are live, and what is mine: keys, language, settings, the way out.
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from "react-aria-components";
import { useT } from "../../i18n";
import { Icon } from "../../parts/Icon";
import { useDrafts } from "../../store/desk/hooks";
import { canTakeTelLinks, takeTelLinks } from "../../store/calls/dialling";
import { signOut } from "../../store/session/session";
import { useSettings } from "../../store/session/settings";
import { useStore } from "../../store/desk/store";
import { DialBox } from "../dial/DialBox";
import { LanguageSwitch } from "./LanguageSwitch";
import { LinkState } from "./LinkState";
import { MyState } from "../shift/MyState";
import { StateWhy } from "../shift/StateWhy";

export function TopBar() {
  const t = useT();
  const me = useStore((store) => store.desk.me);
  const set = useStore((store) => store.set);
  const unsaved = useDrafts((drafts) => drafts.stuck().length, 0);
  return (
    <header className="bar">
      <div className="brand">
        <img src="/icon.svg" alt="" width={20} height={20} />
        <span>{t("app.name")}</span>
      </div>
      <MyState />
      <StateWhy />
      <DialBox />
      {unsaved > 0 && <span className="mark warn" role="status"><Icon name="note" size={13} />{t("bar.unsaved_notes", { count: unsaved })}</span>}
      <LinkState />
      <div className="bar-tools">
        <Button className="button ghost square keys-button" aria-label={t("bar.keys")} onPress={() => set({ overlay: "keys" })}><Icon name="keyboard" /></Button>
        <LanguageSwitch short />
        <MenuTrigger>
          <Button className="button ghost account" aria-label={`${t("bar.account")}: ${me?.name ?? ""}`}>
            <span className="avatar" aria-hidden="true">{initials(me?.name ?? "")}</span>
            <span className="account-name">{me?.name}</span>
            <Icon name="chevron" size={14} />
          </Button>
          <Popover className="popover" placement="bottom end">
            <Menu className="menu" onAction={(key) => (key === "out" ? void signOut() : key === "tel" ? takeTelLinks() : useSettings.setState({ open: true }))}>
              <MenuSection className="menu-section">
                <Header>{[me?.login, me?.shift?.extension ?? me?.extension].filter(Boolean).join(" · ")}</Header>
                {canTakeTelLinks() && <MenuItem id="tel" className="menu-item" textValue={t("dial.take_links")}><Icon name="phone_out" />{t("dial.take_links")}</MenuItem>}
                <MenuItem id="settings" className="menu-item" textValue={t("settings.heading")}><Icon name="edit" />{t("settings.heading")}</MenuItem>
                <MenuItem id="out" className="menu-item" textValue={t("bar.sign_out")}><Icon name="signout" />{t("bar.sign_out")}</MenuItem>
              </MenuSection>
            </Menu>
          </Popover>
        </MenuTrigger>
      </div>
    </header>
  );
}

/** Two Latin initials, or the last two characters of a Chinese name (the given name). */
export function initials(name: string): string {
  if (/^[\u4e00-\u9fff]+$/.test(name)) return name.slice(-2);
  return name.split(/\s+/).filter(Boolean).slice(0, 2).map((word) => word[0]?.toUpperCase() ?? "").join("");
}
