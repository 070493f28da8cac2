// The ten recovery codes, which are shown this once: copy them, print them, and only then go on.
import { useEffect } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { copyText } from "../../lib/copy";
import { scrollHere } from "../../lib/scroll";
import { toast } from "../../store/desk/store";
import { useSettings } from "../../store/session/settings";

export function RecoveryCodes({ codes, login, onKept }: { codes: string[]; login: string | null; onKept: () => void }) {
  const t = useT();

  // A click beside the dialog must not take away what is shown once.
  useEffect(() => {
    useSettings.setState({ pinned: true });
    return () => useSettings.setState({ pinned: false });
  }, []);

  async function copy() {
    const done = await copyText(codes.join("\n"));
    toast({ tone: done ? "ok" : "warn", text: t(done ? "factor.copied" : "factor.not_copied") });
  }

  return (
    <section className="recovery" data-testid="recovery-codes" aria-labelledby="recovery-heading">
      <h2 id="recovery-heading">{t("factor.codes_heading")}</h2>
      <p className="print-only">{[t("app.name"), location.host, login].filter(Boolean).join(" · ")}</p>
      <p className="quiet">{t("factor.codes_help")}</p>
      <ol className="recovery-list">{codes.map((code) => <li key={code}><code>{code}</code></li>)}</ol>
      <div className="actions" ref={scrollHere}>
        <Button className="button small" onPress={() => void copy()}>{t("factor.copy")}</Button>
        <Button className="button small" onPress={() => window.print()}>{t("factor.print")}</Button>
        <Button className="button small primary" autoFocus onPress={onKept}>{t("factor.kept")}</Button>
      </div>
    </section>
  );
}
