// English or Chinese; each named in itself so that it can be found from the other.
import { ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { applyLanguage, useT } from "../../i18n";
import { toast, useStore } from "../../store/desk/store";
import { api } from "../../wire/api";
import type { Language } from "../../wire/types";

const names: Record<Language, [short: string, full: string]> = { en: ["EN", "English"], zh: ["中", "中文"] };

export function LanguageSwitch({ short = false, onChoose }: { short?: boolean; onChoose?: () => void }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const signedIn = useStore((store) => store.phase === "signed_in");

  function choose(chosen: Language) {
    void applyLanguage(chosen).catch(() => toast({ tone: "bad", text: t("nothing.unloaded_why") }));
    onChoose?.();
    if (signedIn) void api.setLanguage(chosen).catch(() => null);
  }

  return (
    <ToggleButtonGroup
      className="segmented" aria-label={t("bar.language")} selectedKeys={[language]} disallowEmptySelection
      onSelectionChange={(keys) => choose([...keys][0] as Language)}
    >
      {(Object.keys(names) as Language[]).map((id) => (
        <ToggleButton key={id} id={id} aria-label={names[id][1]}>
          <span lang={id === "zh" ? "zh-CN" : "en"}>{names[id][short ? 0 : 1]}</span>
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
