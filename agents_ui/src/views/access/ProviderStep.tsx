// The button of the company's identity provider, and below it whatever else there is to sign in by.
import type { ReactNode } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import type { Problem } from "../../wire/types";
import { Refusal } from "./Refusal";

export function ProviderStep({ name, busy, refused, onGo, children }: { name: string; busy: boolean; refused: Problem | null; onGo: () => void; children: ReactNode }) {
  const t = useT();
  return (
    <div className="signin-provider" data-testid="signin-provider">
      {refused && <Refusal problem={refused} />}
      <Button className="button primary wide" isDisabled={busy} autoFocus onPress={onGo}>
        {name ? t("signin.provider", { name }) : t("signin.provider_unnamed")}
      </Button>
      {children}
    </div>
  );
}
