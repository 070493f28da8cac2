// Microphone, loudspeaker and ring: which, how loud, and a try of each. Every change counts at once, in a call too.
import { useEffect, useState } from "react";
import { Button, Dialog, Heading, Label, Modal, ModalOverlay, Slider, SliderThumb, SliderTrack, Switch } from "react-aria-components";
import { useT } from "../../i18n";
import { Choice } from "../../parts/Choice";
import { Icon } from "../../parts/Icon";
import { browserPhone } from "../../phone";
import { storedChoices, type Choices, type Found } from "../../phone/devices";
import { listen } from "../../phone/level";
import { canChooseOutput } from "../../phone/sound";
import { usePhoneStore } from "../../phone/store";
import type { Device } from "../../phone/state";
import { toast, useStore } from "../../store/desk/store";
import { api, ProblemError } from "../../wire/api";
import { Meter } from "./PhoneMeter";

const SYSTEM = "system"; // a list's entry needs a name; the wish for the system's own device is ""

export function PhoneDevices() {
  const t = useT();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button className="button small ghost square" data-testid="phone-devices-open" aria-label={t("phone.devices")} onPress={() => setOpen(true)}><Icon name="gear" /></Button>
      <ModalOverlay className="scrim" isOpen={open} onOpenChange={setOpen} isDismissable>
        <Modal className="modal phone-modal">
          <Dialog className="keys phone-devices" data-testid="phone-devices">
            <header>
              <Heading slot="title">{t("phone.devices")}</Heading>
              <Button slot="close" className="button ghost square" aria-label={t("common.close")}><Icon name="close" /></Button>
            </header>
            <DeviceForm />
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}

function DeviceForm() {
  const t = useT();
  const { devices, permission } = usePhoneStore();
  const [choices, setChoices] = useState<Choices>(storedChoices);
  useEffect(() => void browserPhone()?.refreshDevices(), []);

  function choose(changes: Partial<Choices>) {
    setChoices((before) => ({ ...before, ...changes, labels: { ...before.labels, ...changes.labels } }));
    browserPhone()?.choose(changes);
  }

  function pick(device: Device, list: Found[], id: string) {
    const label = list.find((one) => one.id === id)?.label ?? "";
    choose({ [device]: id === SYSTEM ? "" : id, labels: { [device]: label } });
  }

  /** A chosen one that is not plugged in stays in the list, so that it is seen to be the choice. */
  function options(device: Device, list: Found[]) {
    const chosen = choices[device];
    const gone = chosen && !list.some((one) => one.id === chosen);
    return [
      { id: SYSTEM, text: t("phone.system_device") },
      ...list.map((one) => ({ id: one.id, text: one.label || t("phone.device_unnamed") })),
      ...(gone ? [{ id: chosen, text: t("phone.device_gone", { name: choices.labels[device] || t("phone.device_unnamed") }) }] : []),
    ];
  }

  return (
    <>
      {permission !== "granted" && (
        <p className={`alert ${permission === "denied" ? "bad" : "warn"}`}>
          <Icon name="warn" size={14} />
          <span>{t(permission === "denied" ? "phone.trouble_mic_denied" : "phone.ask_microphone")}</span>
          <Button className="button small" onPress={() => void browserPhone()?.allowMicrophone()}>{t("phone.allow")}</Button>
        </p>
      )}
      <div className="phone-device">
        <Choice label={t("phone.microphone")} options={options("mic", devices.mics)} value={choices.mic || SYSTEM} onChange={(id) => pick("mic", devices.mics, id)} name="mic" />
        {permission === "granted" && <Input id={choices.mic} />}
      </div>
      {canChooseOutput() ? (
        <>
          <Choice label={t("phone.speaker")} options={options("speaker", devices.outputs)} value={choices.speaker || SYSTEM} onChange={(id) => pick("speaker", devices.outputs, id)} name="speaker" />
          <Volume label={t("phone.volume")} value={choices.volume} onChange={(volume) => choose({ volume })} />
          <Choice label={t("phone.ring_device")} options={options("ring", devices.outputs)} value={choices.ring || SYSTEM} onChange={(id) => pick("ring", devices.outputs, id)} name="ring" />
        </>
      ) : (
        <>
          <p className="quiet">{t("phone.no_outputs")}</p>
          <Volume label={t("phone.volume")} value={choices.volume} onChange={(volume) => choose({ volume })} />
        </>
      )}
      <Volume label={t("phone.ring_volume")} value={choices.ringVolume} onChange={(ringVolume) => choose({ ringVolume })} />
      <div className="actions">
        <Button className="button small" onPress={() => browserPhone()?.tryRing()}><Icon name="bell" />{t("phone.try_ring")}</Button>
        <AutoAnswer />
      </div>
    </>
  );
}

function Volume({ label, value, onChange }: { label: string; value: number; onChange: (value: number) => void }) {
  return (
    <Slider className="phone-slider" minValue={0} maxValue={1} step={0.05} value={value} formatOptions={{ style: "percent" }} onChange={onChange}>
      <Label>{label}</Label>
      <SliderTrack className="phone-track">{({ state }) => (<><span className="phone-fill" style={{ inlineSize: `${state.getThumbPercent(0) * 100}%` }} /><SliderThumb className="phone-thumb" /></>)}</SliderTrack>
    </Slider>
  );
}

/** The chosen microphone, open while the dialog is: so that a dead one shows before a caller meets it. */
function Input({ id }: { id: string }) {
  const t = useT();
  const [level, setLevel] = useState(0);
  const [trouble, setTrouble] = useState(false);
  useEffect(() => {
    setTrouble(false);
    return listen(id, setLevel, () => setTrouble(true));
  }, [id]);
  return trouble ? <span className="quiet">{t("phone.trouble_mic_busy")}</span> : <Meter level={level} label={t("phone.your_level")} />;
}

function AutoAnswer() {
  const t = useT();
  const on = useStore((store) => store.desk.me?.preferences?.auto_answer ?? false);
  async function change(next: boolean) {
    try {
      const { preferences } = await api.setPreferences({ auto_answer: next });
      const { desk, set } = useStore.getState();
      if (desk.me) set({ desk: { ...desk, me: { ...desk.me, preferences } } });
    } catch (error) {
      if (error instanceof ProblemError) toast({ tone: "bad", problem: error.problem });
    }
  }
  return (
    <Switch className="switch" isSelected={on} onChange={(next) => void change(next)} data-testid="phone-auto-answer">
      <span className="switch-track" aria-hidden="true" />{t("phone.auto_answer")}
    </Switch>
  );
}
