import type { ReactNode } from "react";
import type { LagSample } from "../../api/operation";
import { Icon } from "../../components/icon";
import { SeverityShape } from "../../components/severity";
import type { Standing } from "./standing";

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

/** How the lag went while the page was open; the number stands beside it. */
export function Trend(props: { samples: readonly LagSample[]; behind: boolean }) {
  const { samples } = props;
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || samples.length < 2) return null;
  const width = 80;
  const height = 20;
  const span = last.at - first.at || 1;
  // A second of lag, which is none, is no mountain.
  const most = Math.max(10_000, ...samples.map((one) => one.lagMs));
  const x = (one: LagSample) => 1 + ((one.at - first.at) / span) * (width - 5);
  const y = (one: LagSample) => height - 2 - (one.lagMs / most) * (height - 5);
  const colour = props.behind ? "var(--medium)" : "var(--ink-3)";
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <polyline
        points={samples.map((one) => `${x(one).toFixed(1)},${y(one).toFixed(1)}`).join(" ")}
        fill="none"
        stroke={colour}
        strokeWidth="1.3"
        strokeLinejoin="round"
      />
      <circle cx={x(last)} cy={y(last)} r="2" fill={colour} />
    </svg>
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
