// One promise to a customer: what, and until when — by quick choices, as it is said on the phone.
import { useState } from "react";
import { Button, ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { useT } from "../../i18n";
import { useKept } from "../../lib/kept";
import { Field } from "../../parts/Field";
import { WhenField, type When } from "../../parts/WhenField";
import { makePromise } from "../../store/rooms/promises";
import type { PromiseKind } from "../../wire/types";

const kinds: PromiseKind[] = ["callback", "visit", "other"];
interface Typed extends When { kind: PromiseKind; text: string }
const blank: Typed = { kind: "callback", text: "", from: null, to: null };

export function PromiseForm({ customer, interaction, number, onDone }: { customer: number; interaction: number | null; number: string | null; onDone: () => void }) {
  const t = useT();
  const [typed, setTyped] = useKept<Typed>(`promise.${customer}`, blank);
  const [busy, setBusy] = useState(false);
  const needsText = typed.kind !== "callback" && !typed.text.trim();

  async function save() {
    if (!typed.to || needsText || busy) return;
    setBusy(true);
    const { kind, text, from, to } = typed;
    const made = await makePromise({ customer_id: customer, kind, text: text.trim() || t("promise.text_callback"), number: kind === "callback" ? number : null, from, due: to, interaction_id: interaction });
    setBusy(false);
    if (!made) return;
    setTyped(blank);
    onDone();
  }

  return (
    <form
      className="promise-form" data-testid="promise-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <ToggleButtonGroup
        className="segmented" aria-label={t("promise.kind")} selectedKeys={[typed.kind]} disallowEmptySelection
        onSelectionChange={(keys) => setTyped({ ...typed, kind: [...keys][0] as PromiseKind, from: null, to: null })}
      >
        {kinds.map((kind) => <ToggleButton key={kind} id={kind}>{t(`promise.kind_${kind}`)}</ToggleButton>)}
      </ToggleButtonGroup>
      <WhenField key={typed.kind} kind={typed.kind === "callback" ? "window" : "until"} label={t("promise.when")} value={typed} onChange={(when) => setTyped({ ...typed, ...when })} />
      <Field label={t(typed.kind === "callback" ? "promise.about" : "promise.what")} value={typed.text} maxLength={500} onChange={(text) => setTyped({ ...typed, text })} placeholder={t(`promise.hint_${typed.kind}`)} />
      <div className="actions">
        <Button type="submit" className="button small primary" isDisabled={busy || !typed.to || needsText}>{t("promise.make")}</Button>
        <Button className="button small" onPress={() => { setTyped(blank); onDone(); }}>{t("common.cancel")}</Button>
      </div>
    </form>
  );
}
