// An address behind which nothing is: what it was, and the way back. Whoever follows an old link is not left in doubt.
import { useT } from "../../i18n";
import { PageNotice } from "../../parts/PageNotice";
import { navigate } from "../../store/session/navigate";

export function NotHere({ what }: { what: "address" | "customer" | "interaction" }) {
  const t = useT();
  return <PageNotice testid="not-here" title={t(`nothing.${what}`)} why={t(`nothing.${what}_why`)} action={{ icon: "back", text: t("nothing.desk"), go: () => navigate("/") }} />;
}
