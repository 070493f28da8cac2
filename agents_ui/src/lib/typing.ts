// Whether somebody types now: keys are theirs then, and nothing may move under their hands.

export function isTyping(): boolean {
  const element = document.activeElement;
  return element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));
}

/** The field that was given the focus, as long as nobody has touched it. */
let given: HTMLElement | null = null;

/** Puts the focus where what is typed next belongs. Until then the screen may move on, as if nobody typed. */
export function giveFocus(field: HTMLElement): void {
  field.focus({ preventScroll: true });
  given = field;
  const touched = () => {
    if (given === field) given = null;
    for (const event of ["input", "pointerdown", "blur"]) field.removeEventListener(event, touched);
  };
  for (const event of ["input", "pointerdown", "blur"]) field.addEventListener(event, touched);
}

/** Whether the screen may show something else: nobody types, or the field with the focus was given it. */
export function mayMove(): boolean {
  return !isTyping() || document.activeElement === given;
}
