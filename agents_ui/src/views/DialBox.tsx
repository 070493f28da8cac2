// Dialling: the button that opens the search, in the bar.
import { useT } from "../i18n";
import { Command } from "../parts/Command";
import { openPicker } from "../store/panel";
import { useStore } from "../store/store";

export function DialBox() {
  const t = useT();
  const seat = useStore((store) => store.desk.me?.seat ?? null);
  const reach = useStore((store) => store.socket.name === "open" && Object.values(store.desk.links).every((link) => link.state === "live"));
  return (
    <Command
      verb="dial" call={null} icon="phone_out" label={t("dial.short")} name={t("verb.dial")} keys="p" cannot={seat === null ? "no_phone" : reach ? null : "no_pbx"}
      onPress={() => openPicker("dial", null)}
    />
  );
}
