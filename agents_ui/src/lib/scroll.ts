// For the ref of what has just opened, so that nobody has to look for it below the edge of a dialog.
export const scrollHere = (node: HTMLElement | null): void => node?.scrollIntoView?.({ block: "nearest" });
