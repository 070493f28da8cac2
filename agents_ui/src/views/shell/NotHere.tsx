// An address behind which nothing is: what it was, and the way back. Whoever follows an old link is not left in doubt.
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { Icon } from "../../parts/Icon";
import { navigate } from "../../store/session/navigate";

export function NotHere({ what }: { what: "address" | "customer" | "interaction" }) {
  const t = useT();
  return (
    <div className="page">
      <div className="alert warn" role="alert" data-testid="not-here">
        <Icon name="warn" />
        <div>
          <strong>{t(`nothing.${what}`)}</strong>
          <div className="quiet">{t(`nothing.${what}_why`)}</div>
          <div className="actions"><Button className="button small" onPress={() => navigate("/")}><Icon name="back" size={14} />{t("nothing.desk")}</Button></div>
        </div>
      </div>
    </div>
  );
}
