// All on a grid of 16, drawn with the line of the text beside them.
const paths = {
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5L14 14",
  today: "M3 4.5l1 1 2-2M3 11l1 1 2-2M9 4.5h5M9 11h5",
  clients:
    "M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M11 3a2.3 2.3 0 0 1 0 4.4M12 9.8c1.6.5 2.5 1.8 2.5 3.7",
  pipeline: "M2.5 3h3v10h-3zM6.5 3h3v6h-3zM10.5 3h3v8h-3z",
  alerts:
    "M8 2a4 4 0 0 0-4 4c0 4-1.5 5-1.5 5h11S12 10 12 6a4 4 0 0 0-4-4zM6.7 13.5a1.5 1.5 0 0 0 2.6 0",
  promise: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM5.5 8l1.8 1.8L10.7 6.3",
  complaint: "M2.5 3h11v8H8l-3 2.5V11H2.5zM8 5v2.5M8 9.2v.1",
  figures: "M2.5 13.5h11M4 11V8M7 11V4M10 11V6.5M13 11V3",
  forecast: "M2 11.5l4-4 2.5 2.5L14 4.5M10.5 4.5H14V8",
  sources: "M8 2v7M5 6.5L8 9.5l3-3M2.5 11v2.5h11V11",
  operations: "M2.5 12a6 6 0 1 1 11 0M8 9l2.5-3",
  identity: "M6 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 11.5a3.5 3.5 0 1 0 0-7",
  settings:
    "M2.5 5h6M12 5h1.5M2.5 11H4M7.5 11h6M10.2 6.7a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4zM5.7 12.7a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4z",
  call: "M3 2.5h2.5L6.7 6 5.2 7.2a8 8 0 0 0 3.6 3.6L10 9.3l3.5 1.2V13c0 .5-.5 1-1 1C7 14 2 9 2 3.5c0-.5.5-1 1-1z",
  callIn:
    "M3 2.5h2.5L6.7 6 5.2 7.2a8 8 0 0 0 3.6 3.6L10 9.3l3.5 1.2V13c0 .5-.5 1-1 1C7 14 2 9 2 3.5c0-.5.5-1 1-1zM14 2l-4 4M10 3v3h3",
  mail: "M2 3.5h12v9H2zM2.3 4L8 8.5 13.7 4",
  visit:
    "M8 14.5S3.5 10 3.5 6.5a4.5 4.5 0 0 1 9 0C12.5 10 8 14.5 8 14.5zM8 8a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z",
  order: "M2.5 5L8 2.5 13.5 5v6L8 13.5 2.5 11zM2.5 5L8 7.5 13.5 5M8 7.5v6",
  survey: "M8 2.2l1.8 3.7 4 .6-2.9 2.8.7 4L8 11.4l-3.6 1.9.7-4L2.2 6.5l4-.6z",
  contract: "M4 2h5.5L12.5 5v9H4zM9 2v3.5h3.5M6 8.5h4.5M6 11h4.5",
  left: "M6.5 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM2 13.5c0-2.5 2-4 4.5-4 .8 0 1.5.1 2.1.4M10.5 12h4M12.8 10.2l1.8 1.8-1.8 1.8",
  person: "M8 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3 13.5c0-2.5 2.2-4 5-4s5 1.5 5 4",
  calendar: "M2.5 3.5h11v10h-11zM2.5 6.5h11M5.5 2v2.5M10.5 2v2.5",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.8V8l2.2 1.6",
  check: "M3 8.5l3 3 7-7",
  close: "M4 4l8 8M12 4l-8 8",
  lock: "M4 7.5h8v6H4zM5.5 7.5V5.3a2.5 2.5 0 0 1 5 0v2.2",
  plus: "M8 3v10M3 8h10",
  more: "M3.5 8h.1M8 8h.1M12.5 8h.1",
  down: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  chat: "M2.5 3h11v8H8l-3 2.5V11H2.5zM5.5 7h.1M8 7h.1M10.5 7h.1",
  note: "M3 13l.7-2.8 7-7a1.5 1.5 0 0 1 2.1 2.1l-7 7zM9.5 4.5l2 2",
  deal: "M8 2.5v11M11 5c0-1-1.3-1.6-3-1.6S5 4 5 5.4C5 8.5 11 7.3 11 10.400c0 1.5-1.3 2.2-3 2.200s-3-.7-3-1.8",
  portal: "M2.5 3h11v8h-11zM6 13.500h4M8 11v2.5",
  merge: "M3 3c0 5 5 3 5 8v2.500M13 3c0 5-5 3-5 8M6 11.500L8 13.500l2-2",
  theme: "M8 2.500a5.5 5.5 0 1 0 0 11zM8 2.500a5.5 5.5 0 0 1 0 11",
  language: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM2.2 8h11.600M8 2c-4 4-4 8 0 12M8 2c4 4 4 8 0 12",
  out: "M6.5 2.500h-4v11h4M6.5 8H14M11 5l3 3-3 3",
  copy: "M5.5 5.500h8v8h-8zM10.5 5.500v-3h-8v8h3",
} as const;

export type IconName = keyof typeof paths;

/** Says nothing to a screen reader: the word stands beside it. */
export function Icon(props: { name: IconName; className?: string }) {
  return (
    <svg
      className={`i ${props.className ?? ""}`}
      viewBox="0 0 16 16"
      aria-hidden="true"
      {...(props.name === "more" ? { strokeWidth: 2.2 } : {})}
    >
      <path d={paths[props.name]} />
    </svg>
  );
}
