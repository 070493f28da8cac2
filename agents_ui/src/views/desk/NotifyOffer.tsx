// The offer to show calls while another window is in front: made once, until it is answered.
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { Icon } from "../../parts/Icon";
import { canNotify, setNotify, useSettings } from "../../store/session/settings";

export function NotifyOffer() {
  const t = useT();
  const notify = useSettings((settings) => settings.notify);
  if (notify !== "unasked" || !canNotify() || Notification.permission !== "default") return null;
  return (
    <div className="alert info offer" data-testid="notify-offer">
      <Icon name="bell" />
      <div className="offer-text">{t("settings.notify_offer")}</div>
      <Button className="button small primary" onPress={() => void setNotify(true)}>{t("settings.notify_yes")}</Button>
      <Button className="button small" onPress={() => void setNotify(false)}>{t("settings.notify_no")}</Button>
    </div>
  );
}
