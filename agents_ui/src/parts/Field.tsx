// A labelled text field, one line or several.
import type { ReactNode } from "react";
import { FieldError, Input, Label, TextArea, TextField, type TextFieldProps } from "react-aria-components";

interface FieldProps extends TextFieldProps { label: string; rows?: number; placeholder?: string; hint?: ReactNode; error?: string }

export function Field({ label, rows, placeholder, hint, error, ...props }: FieldProps) {
  return (
    <TextField {...props} className="field" isInvalid={Boolean(error)}>
      <Label>{label}</Label>
      {rows ? <TextArea rows={rows} placeholder={placeholder} /> : <Input placeholder={placeholder} />}
      {hint}
      <FieldError>{error}</FieldError>
    </TextField>
  );
}
