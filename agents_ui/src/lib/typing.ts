// Whether somebody types now: keys are theirs then, and nothing may move under their hands.

export function isTyping(): boolean {
  const element = document.activeElement;
  return element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));
}
