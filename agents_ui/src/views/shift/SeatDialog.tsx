// Which phone I sit at: all of this PBX, mine first, with who sits there and whether it can be rung.
import { Button, Dialog, Heading, ListBox, ListBoxItem, Modal, ModalOverlay } from "react-aria-components";
import { useT } from "../../i18n";
import { problemText } from "../../lib/problem";
import { Icon } from "../../parts/Icon";
import { beginShift, closeSeats, useSeating } from "../../store/shift/shift";
import { useStore } from "../../store/desk/store";
import type { Language, Phone } from "../../wire/types";

export function SeatDialog() {
  const t = useT();
  const language = useStore((store) => store.language);
  const me = useStore((store) => store.desk.me);
  const { open, problem, phones, loaded, request } = useSeating();
  const said = problem ? problemText(problem, t) : null;
  return (
    <ModalOverlay className="scrim" isOpen={open} onOpenChange={(next) => !next && closeSeats()} isDismissable>
      <Modal className="modal seats-modal">
        <Dialog className="seats" data-testid="seat-dialog">
          <header>
            <Heading slot="title">{t("seat.heading")}</Heading>
            <Button slot="close" className="button ghost square" aria-label={t("common.close")}><Icon name="close" /></Button>
          </header>
          {said && (
            <div className="alert warn" role="alert">
              <Icon name="warn" />
              <div><strong>{said.title}</strong>{said.detail && <div>{said.detail}</div>}</div>
            </div>
          )}
          <p className="quiet">{t("seat.help")}</p>
          {!loaded && <p className="quiet" role="status">{t("common.loading")}</p>}
          {loaded && phones.length === 0 && <p className="quiet">{t("seat.none")}</p>}
          {phones.length > 0 && (
            <ListBox
              aria-label={t("seat.heading")} className="seat-list" items={phones} dependencies={[language, me?.id, request]}
              disabledKeys={phones.filter((phone) => (phone.agent && phone.agent.id !== me?.id) || request !== null).map((phone) => phone.seat)}
              onAction={(key) => void beginShift(phones.find((phone) => phone.seat === key)?.extension ?? null)}
            >
              {(phone) => (
                <ListBoxItem id={phone.seat} className="seat" textValue={`${phone.extension} ${labelOf(phone, language)}`}>
                  <Icon name={phone.kind === "browser" ? "screen" : "phone"} />
                  <span className="seat-ext num">{phone.extension}</span>
                  <span className="seat-name">{phone.personal ? t("seat.my_browser") : labelOf(phone, language) || t(`seat.kind_${phone.kind}`)}</span>
                  <SeatState phone={phone} me={me?.id ?? null} />
                </ListBoxItem>
              )}
            </ListBox>
          )}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function labelOf(phone: Phone, language: Language): string {
  return (language === "zh" ? phone.label_zh : phone.label_en) ?? phone.label_en ?? "";
}

function SeatState({ phone, me }: { phone: Phone; me: number | null }) {
  const t = useT();
  if (phone.agent) {
    const mine = phone.agent.id === me;
    return <span className={`mark ${mine ? "info" : "neutral"}`}><Icon name="user" size={13} />{mine ? t("seat.me") : phone.agent.name}</span>;
  }
  if (phone.reachable === null) return null;
  // The phone of a browser registers when one sits down at it.
  if (!phone.reachable && phone.kind === "browser") return null;
  return <span className={`mark ${phone.reachable ? "ok" : "warn"}`}><Icon name={phone.reachable ? "check" : "warn"} size={13} />{t(phone.reachable ? "seat.reachable" : "seat.unreachable")}</span>;
}
