import type { ReactNode } from "react";
import { Icon } from "./icon";
import { type Severity, SeverityShape } from "./severity";

// Lines of what operators watch: how it stands, and what the server says of it.

/** How something stands: its shape, and a word. `working`: it is neither good nor bad. */
export interface Standing {
  severity: Severity | "working";
  text: string;
  /** The sentence behind the word; in the server's words. */
  why?: string;
}

/** Shape and word of how something stands. */
export function StandingMark({ standing }: { standing: Standing }) {
  if (standing.text === "") return null;
  if (standing.severity === "working") {
    return (
      <span className="sev working">
        <Icon name="clock" />
        {standing.text}
      </span>
    );
  }
  return (
    <span className={`sev c-${standing.severity}`} title={standing.why}>
      <SeverityShape severity={standing.severity} />
      {standing.text}
    </span>
  );
}

/** The name of a row, which selects it; the row about it does the same by mouse. */
export function RowName(props: {
  row: string;
  selected: boolean;
  onSelect(): void;
  className?: string;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      className={`row-name ${props.className ?? ""}`}
      data-row={props.row}
      aria-expanded={props.selected}
      onClick={(event) => {
        event.stopPropagation();
        props.onSelect();
      }}
    >
      {props.children}
    </button>
  );
}

/** A sentence that the server wrote, which is English whatever the page speaks. */
export function Told(props: { text: string | undefined; className?: string }) {
  if (!props.text) return null;
  return (
    <span lang="en" className={props.className}>
      {props.text}
    </span>
  );
}
