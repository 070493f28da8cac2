// The company a person belongs to, found by typing part of its name.
import { useState } from "react";
import { Button, ComboBox, Input, Label, ListBox, ListBoxItem, Popover } from "react-aria-components";
import { useT } from "../../i18n";
import { Icon } from "../../parts/Icon";
import { api } from "../../wire/api";
import type { Company } from "../../wire/types";

export function CompanyField({ value, onChange }: { value: Company | null; onChange: (company: Company | null) => void }) {
  const t = useT();
  const [text, setText] = useState(value?.name ?? "");
  const [found, setFound] = useState<Company[]>(value ? [value] : []);

  function search(typed: string) {
    setText(typed);
    if (!typed.trim()) {
      if (value) onChange(null);
      return setFound([]);
    }
    if (typed === value?.name) return;
    api.searchCustomers(typed, null).then(
      (page) => setFound(page.items.filter((hit) => hit.kind === "company").map(({ id, name }) => ({ id, name }))),
      () => setFound([]),
    );
  }

  return (
    <ComboBox
      className="field combo" items={found} inputValue={text} onInputChange={search} value={value?.id ?? null} allowsEmptyCollection={false}
      onChange={(key) => {
        const company = found.find((entry) => entry.id === key) ?? null;
        if (!company) return;
        setText(company.name);
        onChange(company);
      }}
    >
      <Label>{t("customer.company")}</Label>
      <div className="combo-box"><Input /><Button className="button ghost square small"><Icon name="chevron" size={14} /></Button></div>
      <Popover className="popover">
        <ListBox<Company> className="menu">{(company) => <ListBoxItem id={company.id} className="menu-item">{company.name}</ListBoxItem>}</ListBox>
      </Popover>
    </ComboBox>
  );
}
