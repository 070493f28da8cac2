// In the bar: dial a number or a person, and pick up a call that waits or rings elsewhere.
import { useT } from "../../i18n";
import { Command } from "../../parts/Command";
import { openPicker, usePanel } from "../../store/calls/panel";
import { seatOf } from "../../store/desk/desk";
import { useStore } from "../../store/desk/store";

export function DialBox() {
  const t = useT();
  const seat = useStore((store) => seatOf(store.desk.me));
  const reach = useStore((store) => store.socket.name === "open" && Object.values(store.desk.links).every((link) => link.state === "live"));
  const cannot = seat === null ? "no_phone" : reach ? null : "no_pbx";
  return (
    <div className="bar-call">
      <Command verb="dial" call={null} icon="phone_out" label={t("dial.short")} name={t("verb.dial")} keys="p" cannot={cannot} onPress={() => openPicker("dial", null)} />
      <Command
        verb="pick-up" call={null} testid="open-pick-ups" icon="hand_up" label={t("pickup.short")} name={t("pickup.heading")} keys="u" cannot={cannot}
        onPress={() => usePanel.getState().set({ pickUp: true })}
      />
    </div>
  );
}
