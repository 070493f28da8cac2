// The bar: where I am, my state, whether the wires are live, and my own settings.
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from "react-aria-components";
import { useT } from "../i18n";
import { Icon, type IconName } from "../parts/Icon";
import { useDrafts } from "../store/hooks";
import { canTakeTelLinks, takeTelLinks } from "../store/dialling";
import { navigate } from "../store/navigate";
import { signOut } from "../store/session";
import { useStore, type Theme } from "../store/store";
import { DialBox } from "./DialBox";
import { LanguageSwitch } from "./LanguageSwitch";
import { LinkState } from "./LinkState";
import { MyState } from "./MyState";

const themes: [Theme, IconName][] = [["system", "screen"], ["light", "sun"], ["dark", "moon"]];

function applyTheme(theme: Theme): void {
  useStore.getState().set({ theme });
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  try {
    localStorage.setItem("cti.theme", theme);
  } catch {
    // Storage may be forbidden; the choice then lasts for the page.
  }
}

function NavLink({ to, text }: { to: string; text: string }) {
  const here = useStore((store) => (to === "/floor" ? store.path === "/floor" : store.path !== "/floor"));
  return (
    <a
      href={to} className="nav-link" aria-current={here ? "page" : undefined}
      onClick={(event) => {
        event.preventDefault();
        navigate(to);
      }}
    >
      {text}
    </a>
  );
}

export function TopBar() {
  const t = useT();
  const me = useStore((store) => store.desk.me);
  const theme = useStore((store) => store.theme);
  const set = useStore((store) => store.set);
  const unsaved = useDrafts((drafts) => drafts.stuck().length, 0);
  return (
    <header className="bar">
      <div className="brand">
        <img src="/icon.svg" alt="" width={20} height={20} />
        <span>{t("app.name")}</span>
      </div>
      {me && me.role !== "agent" && (
        <nav aria-label={t("bar.main")}>
          <NavLink to="/" text={t("bar.desk")} />
          <NavLink to="/floor" text={t("bar.floor")} />
        </nav>
      )}
      <MyState />
      <DialBox />
      <div className="bar-space" />
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
            <Menu className="menu" onAction={(key) => (key === "out" ? void signOut() : key === "tel" ? takeTelLinks() : applyTheme(key as Theme))}>
              <MenuSection selectionMode="single" selectedKeys={[theme]} className="menu-section">
                <Header>{t("bar.theme")}</Header>
                {themes.map(([id, icon]) => (
                  <MenuItem key={id} id={id} className="menu-item" textValue={t(`bar.theme_${id}`)}>
                    <Icon name={icon} />{t(`bar.theme_${id}`)}<Icon name="check" className="tick" />
                  </MenuItem>
                ))}
              </MenuSection>
              <MenuSection className="menu-section">
                <Header>{`${me?.login ?? ""}${me?.extension ? ` · ${me.extension}` : ""}`}</Header>
                {canTakeTelLinks() && <MenuItem id="tel" className="menu-item" textValue={t("dial.take_links")}><Icon name="phone_out" />{t("dial.take_links")}</MenuItem>}
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
