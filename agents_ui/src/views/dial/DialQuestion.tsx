// Asks before a number is dialled that came from outside the page, or while a call is going on.
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useT } from "../../i18n";
import { controls } from "../../lib/controls";
import { formatNumber } from "../../lib/format";
import { whoIs } from "../../lib/who";
import { Icon } from "../../parts/Icon";
import { dial } from "../../store/calls/commands";
import { myCalls, myPart } from "../../store/desk/desk";
import { openPicker, usePanel, type Asked } from "../../store/calls/panel";
import { isConnected } from "../../store/session/reach";
import { useStore } from "../../store/desk/store";

export function DialQuestion() {
  const asked = usePanel((panel) => panel.asked);
  const set = usePanel((panel) => panel.set);
  const signedIn = useStore((store) => store.phase === "signed_in");
  return (
    <ModalOverlay className="scrim" isOpen={asked !== null && signedIn} onOpenChange={(open) => !open && set({ asked: null })} isDismissable>
      <Modal className="modal small-modal">{asked && <Question asked={asked} close={() => set({ asked: null })} />}</Modal>
    </ModalOverlay>
  );
}

function Question({ asked, close }: { asked: Asked; close: () => void }) {
  const t = useT();
  const desk = useStore((store) => store.desk);
  const busy = myCalls(desk).find((call) => myPart(desk, call.call)?.state !== "wrap_up");
  const shown = formatNumber(asked.number);
  const consultable = busy && controls(myPart(desk, busy.call), isConnected(busy.pbx)).consult === null;
  return (
    <Dialog role="alertdialog" className="question" data-testid="dial-question">
      <Heading slot="title">{t("dial.question", { number: shown })}</Heading>
      {asked.why === "outside" && <p>{t("dial.outside")}</p>}
      {busy && <p className="alert warn"><Icon name="phone" /><span>{t("dial.busy", { name: whoIs(busy, t) })}</span></p>}
      <div className="actions">
        <Button
          className="button primary" autoFocus={!busy} data-testid="dial-confirm"
          onPress={() => {
            close();
            void dial(asked.number);
          }}
        >
          <Icon name="phone" />{t(busy ? "dial.anyway" : "dial.do")}
        </Button>
        {consultable && (
          <Button
            className="button" data-testid="dial-consult"
            onPress={() => {
              close();
              openPicker("consult", busy.call, asked.number);
            }}
          >
            <Icon name="ask" />{t("dial.consult")}
          </Button>
        )}
        <Button className="button" autoFocus={Boolean(busy)} onPress={close}>{t("common.cancel")}</Button>
      </div>
    </Dialog>
  );
}
