// A button that gives a command: shows that it is under way, and where it is not possible, says why to eye and ear.
import { useId, type ReactNode } from "react";
import { Focusable, Tooltip, TooltipTrigger } from "react-aria-components";
import { useT } from "../i18n";
import { ariaKeys, shownKeys } from "../lib/shortcuts";
import type { Cannot } from "../lib/controls";
import { isMoving, keyOf, mover, useCommands, type Verb } from "../store/calls/commands";
import { toast } from "../store/desk/store";
import { Icon, type IconName } from "./Icon";

interface CommandProps {
  verb: Verb;
  call: string | null;
  onPress: () => void;
  icon?: IconName;
  label: string;
  /** As the keyboard map writes it: "h", "Shift+q". */
  keys?: string;
  cannot?: Cannot;
  part?: string;
  /** `tile`: icon over label; otherwise a plain button. */
  look?: "tile" | "small" | "wide" | "bare";
  tone?: "primary" | "danger" | "go" | "on" | "open";
  name?: string;
  testid?: string;
  children?: ReactNode;
}

export function Command({ verb, call, onPress, icon, label, keys, cannot = null, part = "", look = "small", tone, name, testid, children }: CommandProps) {
  const t = useT();
  const why = useId();
  const running = useCommands((commands) => commands.running);
  const busy = keyOf(verb, call, part) in running;
  const other = call !== null && isMoving(verb) ? mover(running, call) : null;
  const reason = cannot ? t(`cannot.${cannot}`) : other && other !== verb ? t("cannot.moving", { what: t(`verb.${other}`) }) : null;
  const off = busy || reason !== null;
  // A finger sees no tooltip, and a key may have pressed it.
  function press() {
    if (reason && !busy) toast({ tone: "bad", about: name ?? label, text: reason });
    else if (!off) onPress();
  }
  return (
    <TooltipTrigger delay={reason ? 150 : 600} closeDelay={0}>
      <Focusable>
        <button
          type="button" className={`button cmd ${look} ${tone ?? ""}`} data-testid={testid ?? `cmd-${verb}`} data-busy={busy || undefined}
          aria-disabled={off || undefined} aria-busy={busy || undefined} aria-label={name} aria-keyshortcuts={keys && ariaKeys(keys)}
          aria-describedby={reason ? why : undefined} onClick={press}
        >
          {busy ? <span className="spinner" aria-hidden="true" /> : icon && <Icon name={icon} size={look === "tile" ? 18 : 15} />}
          <span className="cmd-label">{label}</span>
          {children}
          {keys && <kbd aria-hidden="true">{shownKeys(keys)}</kbd>}
          {reason && <span id={why} hidden>{reason}</span>}
          {busy && <span className="sr">{t("command.busy")}</span>}
        </button>
      </Focusable>
      <Tooltip className="tooltip" offset={6}>
        {reason ?? name ?? label}
        {keys && !reason && <kbd>{shownKeys(keys)}</kbd>}
      </Tooltip>
    </TooltipTrigger>
  );
}
