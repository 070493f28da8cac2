// The icon set: 16 px strokes in the text's colour. An icon never stands alone without a label for screen readers.
const paths = {
  in: "M12 4 5 11M5 5.5V11h5.5",
  out: "M4 12l7-7M5.5 5H11v5.5",
  internal: "M2.5 6h11M10.5 3l3 3-3 3M13.5 11h-11",
  phone: "M5.2 2.5 6.6 6 5 7.3a8.4 8.4 0 0 0 3.7 3.7L10 9.4l3.5 1.4v2.1c0 .6-.5 1.1-1.1 1.1A10.4 10.4 0 0 1 2 3.6c0-.6.5-1.1 1.1-1.1Z",
  check: "M3.5 8.5 6.5 11.5 12.5 5",
  shield: "M8 1.8 13 3.6V8c0 3-2.2 5.2-5 6.2C5.2 13.2 3 11 3 8V3.6ZM5.8 8l1.6 1.6 3-3.2",
  users: "M6 7.5a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8ZM1.8 13c0-2.3 1.9-3.7 4.2-3.7s4.2 1.4 4.2 3.7M10.6 2.9a2.4 2.4 0 0 1 0 4.4M11.8 9.7c1.5.5 2.4 1.7 2.4 3.3",
  user: "M8 7.6a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4ZM3 13.6c0-2.6 2.2-4.2 5-4.2s5 1.6 5 4.2",
  question: "M5.9 6a2.1 2.1 0 1 1 3.2 1.8c-.7.4-1.1.8-1.1 1.6M8 11.9v.1M8 14.3A6.3 6.3 0 1 0 8 1.7a6.3 6.3 0 0 0 0 12.6Z",
  warn: "M8 2.2 14.3 13H1.7ZM8 6.4v3M8 11.2v.1",
  stop: "M5.4 1.9h5.2l3.5 3.5v5.2l-3.5 3.5H5.4l-3.5-3.5V5.4ZM8 4.9v3.7M8 11v.1",
  clock: "M8 14.3A6.3 6.3 0 1 0 8 1.7a6.3 6.3 0 0 0 0 12.6ZM8 4.6V8l2.3 1.6",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  search: "M7 11.7a4.7 4.7 0 1 0 0-9.4 4.7 4.7 0 0 0 0 9.4ZM10.5 10.5l3.5 3.5",
  plus: "M8 3v10M3 8h10",
  pin: "M6 2.2h4l-.5 4.1 2 2.2v1.3h-7V8.5l2-2.2ZM8 9.8v4.2",
  close: "M4 4l8 8M12 4l-8 8",
  chevron: "M4.5 6.3 8 9.8l3.5-3.5",
  back: "M9.7 4.5 6.2 8l3.5 3.5",
  edit: "M3 13l.5-2.8 7.2-7.2 2.3 2.3-7.2 7.2Z",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.6v1.3M8 13.1v1.3M1.6 8h1.3M13.1 8h1.3M3.5 3.5l.9.9M11.6 11.6l.9.9M3.5 12.5l.9-.9M11.6 4.4l.9-.9",
  moon: "M13.2 9.4A5.6 5.6 0 0 1 6.6 2.8a5.6 5.6 0 1 0 6.6 6.6Z",
  screen: "M2 3.2h12v7.6H2ZM6 13.4h4",
  language: "M2 3.5h7M5.5 2v1.5M7.8 3.5C7.2 6.2 5 8.6 2.4 9.8M3.6 5.6c.8 1.7 2.3 3.2 4 4M8 14l3-7.5L14 14M9 11.7h4",
  keyboard: "M1.6 4h12.8v8H1.6ZM4 6.5h.1M6.6 6.5h.1M9.3 6.5h.1M12 6.5h.1M4.7 9.5h6.6",
  box: "M2.3 4.8 8 2l5.7 2.8v6.4L8 14l-5.7-2.8ZM2.3 4.8 8 7.6l5.7-2.8M8 7.6V14",
  ticket: "M2 4h12v2.5a1.5 1.5 0 0 0 0 3V12H2V9.5a1.5 1.5 0 0 0 0-3ZM9.5 4v8",
  note: "M3 2.3h7l3 3v8.4H3ZM5.5 7h5M5.5 9.7h5",
  mail: "M2 3.7h12v8.6H2ZM2 4.5l6 4.3 6-4.3",
  chat: "M2.2 3h11.6v8H7l-3 2.6V11H2.2Z",
  visit: "M8 14.2C5 10.9 3.4 8.5 3.4 6.4a4.6 4.6 0 1 1 9.2 0c0 2.1-1.6 4.5-4.6 7.8ZM8 8a1.6 1.6 0 1 0 0-3.2A1.6 1.6 0 0 0 8 8Z",
  link: "M6.5 9.5l3-3M7.2 4.6l1-1a3 3 0 0 1 4.2 4.2l-1 1M8.8 11.4l-1 1a3 3 0 0 1-4.2-4.2l1-1",
  signout: "M6.5 2.5H3v11h3.5M7 8h7M11.2 5.2 14 8l-2.8 2.8",
  building: "M3.5 14V2.3h6V14M9.5 6h3v8M2 14h12M5.6 5h1.8M5.6 7.7h1.8M5.6 10.4h1.8",
  missed: "M3 5l5 5 5-5M3 5v4M3 5h4",
  trash: "M3 4.2h10M6.3 4V2.5h3.4V4M4.3 4.2l.6 9.3h6.2l.6-9.3",
  floor: "M2 13.5h12M3.5 13.5V8h2.4v5.5M6.8 13.5V3h2.4v10.5M10.1 13.5V6h2.4v7.5",
  bell: "M4 11V7.2a4 4 0 0 1 8 0V11l1.3 1.3H2.7ZM6.8 14h2.4",
  repeat: "M3 7V6a2 2 0 0 1 2-2h7.5M10.3 1.8 12.5 4l-2.2 2.2M13 9v1a2 2 0 0 1-2 2H3.5M5.7 14.2 3.5 12l2.2-2.2",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 16, className }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg className={className ? `icon ${className}` : "icon"} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
