// The keypad: digits for the voice menu at the other end, by mouse or typed; those typed while some are being sent follow in order.
import { useEffect, useRef, useState } from "react";
import { useT } from "../../i18n";
import { press } from "../../store/calls/commands";
import { usePanel } from "../../store/calls/panel";
import { isTyping } from "../../lib/typing";
import type { CallView } from "../../wire/types";

const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const LIMIT = 32;

export function Keypad({ call }: { call: CallView }) {
  const t = useT();
  const box = useRef<HTMLDivElement>(null);
  const waiting = useRef("");
  const sending = useRef(false);
  const [sent, setSent] = useState("");
  // It was asked for by key or button: it takes the keyboard, unless somebody types, and Escape gives it back.
  useEffect(() => {
    if (!isTyping()) box.current?.focus();
  }, []);

  async function send(digit: string) {
    waiting.current += digit;
    setSent((before) => (before + digit).slice(-24));
    if (sending.current) return;
    sending.current = true;
    while (waiting.current) {
      const next = waiting.current.slice(0, LIMIT);
      waiting.current = waiting.current.slice(LIMIT);
      if (!(await press(call.call, next)).ok) waiting.current = "";
    }
    sending.current = false;
  }

  return (
    <div
      ref={box} className="keypad" data-testid="keypad" role="group" aria-label={t("keypad.heading")} tabIndex={-1}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === "Escape") {
          event.stopPropagation();
          event.preventDefault();
          usePanel.getState().set({ keypad: null });
          document.querySelector<HTMLElement>("[data-testid=cmd-dtmf]")?.focus();
        } else if (/^[0-9*#a-d]$/i.test(event.key)) {
          event.stopPropagation();
          event.preventDefault();
          void send(event.key.toUpperCase());
        }
      }}
    >
      <output className="keypad-sent num" aria-label={t("keypad.sent")}>{sent || <span className="quiet">{t("keypad.hint")}</span>}</output>
      <div className="keypad-keys">
        {digits.map((digit) => (
          <button key={digit} type="button" className="button" data-digit={digit} onClick={() => void send(digit)}>{digit}</button>
        ))}
      </div>
    </div>
  );
}
