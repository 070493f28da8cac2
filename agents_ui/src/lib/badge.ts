// The tab's icon with a red dot, for somebody who works in another tab.
const PLAIN = "/icon.svg";
const BADGED = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2953b8"/>' +
    '<path d="M7 13.5h14M7 18.5h14M7 23.5h8" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/>' +
    '<circle cx="23" cy="9" r="8" fill="#d92d20" stroke="#fff" stroke-width="2"/></svg>',
)}`;

export function badgeIcon(on: boolean): void {
  const link = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  const wanted = on ? BADGED : PLAIN;
  if (link && link.getAttribute("href") !== wanted) link.setAttribute("href", wanted);
}
