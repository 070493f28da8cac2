// Keys for a call that the server does not know: sent by the phone itself. For all others the call's own keypad is there.
import { useState } from "react";
import { Button, Dialog, DialogTrigger, Popover } from "react-aria-components";
import { useT } from "../../i18n";
import { Icon } from "../../parts/Icon";
import { browserPhone } from "../../phone";

const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

export function PhoneKeypad() {
  const t = useT();
  const [sent, setSent] = useState("");
  function press(digit: string) {
    browserPhone()?.press(digit);
    setSent((before) => (before + digit).slice(-24));
  }
  return (
    <DialogTrigger>
      <Button className="button small phone-tool" data-testid="phone-keypad"><Icon name="keypad" /><span className="phone-tool-text">{t("phone.keypad")}</span></Button>
      <Popover className="popover padded">
        <Dialog aria-label={t("phone.keypad")}>
          <div
            className="phone-keys" data-testid="keypad"
            onKeyDown={(event) => {
              if (!/^[0-9*#]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
              event.preventDefault();
              press(event.key);
            }}
          >
            <output className="num">{sent || "–"}</output>
            {digits.map((digit) => <Button key={digit} className="button" onPress={() => press(digit)}>{digit}</Button>)}
          </div>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
