// A labelled drop-down of few options.
import { Button, Label, ListBox, ListBoxItem, Popover, Select, SelectValue } from "react-aria-components";
import { Icon } from "./Icon";

export interface Option { id: string; text: string }
interface ChoiceProps { label: string; options: Option[]; value: string; onChange: (value: string) => void; quiet?: boolean; name?: string }

export function Choice({ label, options, value, onChange, quiet, name }: ChoiceProps) {
  return (
    <Select className={quiet ? "choice quiet" : "choice"} value={value} onChange={(key) => onChange(String(key))} {...(quiet ? { "aria-label": label } : {})} {...(name ? { name } : {})}>
      {!quiet && <Label>{label}</Label>}
      <Button>
        <SelectValue />
        <Icon name="chevron" size={14} />
      </Button>
      <Popover className="popover">
        <ListBox className="menu" items={options}>
          {(option) => <ListBoxItem id={option.id} className="menu-item">{option.text}</ListBoxItem>}
        </ListBox>
      </Popover>
    </Select>
  );
}
