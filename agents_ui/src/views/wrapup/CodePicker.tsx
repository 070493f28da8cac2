// What became of the call: wrap-up codes under their headings, found by typing any part of them.
import { useContext, useEffect, useMemo, useRef, useState, type RefObject } from "react";
import { Button, ComboBox, ComboBoxStateContext, Header, Input, Label, ListBox, ListBoxItem, ListBoxSection, Popover, Text } from "react-aria-components";
import { useT } from "../../i18n";
import { Icon } from "../../parts/Icon";
import { choices, loadCodes, matching, useLists, type CodeChoice } from "../../store/rooms/lists";
import { useStore } from "../../store/desk/store";

interface CodePickerProps { queue: string | null; value: string | null; required: boolean; onChange: (code: string | null) => void }

export function CodePicker({ queue, value, required, onChange }: CodePickerProps) {
  const t = useT();
  const language = useStore((store) => store.language);
  const codes = useLists((lists) => lists.codes[queue ?? ""]);
  useEffect(() => void loadCodes(queue), [queue]);
  const all = useMemo(() => choices(codes ?? [], language), [codes, language]);
  const chosen = all.find((choice) => choice.code === value);
  const title = chosen ? [...chosen.path.slice(-1), chosen.title].join(" › ") : (value ?? "");
  const [typed, setTyped] = useState<string | null>(null);
  const shown = typed === null ? all : matching(all, typed);
  const none = typed !== null && shown.length === 0;
  const sections = useMemo(() => grouped(shown), [shown]);
  const pressing = useRef(false);
  const ignoredAt = useRef(-Infinity);
  if (codes && all.length === 0) return null;

  function press() {
    pressing.current = true;
    addEventListener("pointerup", () => setTimeout(() => (pressing.current = false), 50), { once: true, capture: true });
  }

  /** What matches nothing stays where it was typed, unless a code is chosen that it would hide. */
  const closed = () => setTyped((text) => (text !== null && value === null && matching(all, text).length === 0 ? text : null));

  return (
    <ComboBox
      className="field combo codes" data-testid="wrapup-codes" data-code={value ?? ""} isRequired={required} menuTrigger="focus"
      items={sections} value={value} inputValue={typed ?? title} defaultFilter={() => true} allowsEmptyCollection
      onInputChange={(text) => {
        if (text === title) return setTyped(null);
        setTyped(text);
        if (text === "" && value !== null) onChange(null);
      }}
      onChange={(key) => {
        // The list opened under the pointer that has just gone down on the field: its release chooses nothing.
        if (pressing.current) return void (ignoredAt.current = performance.now());
        if (key === null || key === value) return closed();
        setTyped(null);
        onChange(String(key));
      }}
      onOpenChange={(open) => !open && closed()}
    >
      <Label>
        {t("wrapup.code")}
        {required && !value && <span className="needed">{t("wrapup.required")}</span>}
      </Label>
      <div className="combo-box" onPointerDown={press}>
        <Input placeholder={t("wrapup.code_hint")} />
        <Button className="button ghost square small" aria-label={t("wrapup.show_codes")}><Icon name="chevron" size={14} /></Button>
      </div>
      {none && <Text slot="description" className="no-code">{t("wrapup.no_code", { typed })}</Text>}
      <OpenAgain ignoredAt={ignoredAt} />
      <FirstHit code={typed ? (shown[0]?.code ?? null) : null} />
      <Popover className="popover codes-list">
        <ListBox<Section> className="menu" renderEmptyState={() => <p className="menu-none quiet">{t("wrapup.no_code", { typed: typed ?? "" })}</p>}>
          {(section) => (
            <ListBoxSection id={section.id} className="menu-section">
              {section.title ? <Header>{section.title}</Header> : null}
              {section.choices.map((choice) => (
                <ListBoxItem key={choice.code} id={choice.code} className="menu-item" textValue={[...choice.path, choice.title].join(" › ")}>
                  {choice.title}
                  {choice.code === value && <Icon name="check" />}
                </ListBoxItem>
              ))}
            </ListBoxSection>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}

/** Enter takes the first that is left of what was typed. */
function FirstHit({ code }: { code: string | null }) {
  const state = useContext(ComboBoxStateContext);
  useEffect(() => {
    if (!state?.isOpen || code === null || state.selectionManager.focusedKey !== null) return;
    // The state forgets its focus after each key that is typed, later in this turn.
    queueMicrotask(() => state.selectionManager.setFocusedKey(code));
  });
  return null;
}

const SETTLES_MS = 1000;

/** Focus may scroll the page to the field, and a scroll closes the list, as does a choice that is ignored: then it is opened
    again where the field now is. */
function OpenAgain({ ignoredAt }: { ignoredAt: RefObject<number> }) {
  const state = useContext(ComboBoxStateContext);
  const [focusedAt, scrolledAt] = [useRef(0), useRef(0)];
  const { isFocused = false, isOpen = false } = state ?? {};
  useEffect(() => {
    if (!isFocused) return;
    focusedAt.current = performance.now();
    const scrolled = (event: Event) => {
      if ((event.target as Node).contains(document.activeElement)) scrolledAt.current = performance.now();
    };
    addEventListener("scroll", scrolled, true);
    return () => removeEventListener("scroll", scrolled, true);
  }, [isFocused, focusedAt, scrolledAt]);
  useEffect(() => {
    const byScroll = performance.now() - scrolledAt.current < 250 && performance.now() - focusedAt.current < SETTLES_MS;
    const ignored = performance.now() - ignoredAt.current < 250;
    if (isFocused && !isOpen && (byScroll || ignored)) state?.open(null, "focus");
    // Only when it opens or closes.
    // eslint-disable-next-line
  }, [isOpen]);
  return null;
}

interface Section { id: string; title: string; choices: CodeChoice[] }

function grouped(shown: CodeChoice[]): Section[] {
  const sections = new Map<string, Section>();
  for (const choice of shown) {
    const title = choice.path.join(" › ");
    const section = sections.get(title) ?? { id: `heading:${title}`, title, choices: [] };
    section.choices.push(choice);
    sections.set(title, section);
  }
  return [...sections.values()];
}
