import type { Severity } from "./severity";

export interface Point {
  at: number;
  value: number;
}

/**
 * A line of scores from 0 to 1000 with the threshold of alerts. Decoration for those who see it:
 * the numbers stand beside it.
 */
export function Sparkline(props: {
  points: readonly Point[];
  severity: Severity;
  width?: number;
  height?: number;
  /** From where on alerts are raised. */
  threshold: number | undefined;
}) {
  const { points, width = 52, height = 24, threshold } = props;
  const first = points[0];
  const last = points[points.length - 1];
  if (!first || !last || points.length < 2) return null;
  const span = last.at - first.at || 1;
  const x = (at: number) => 1 + ((at - first.at) / span) * (width - 5);
  const y = (value: number) => height - 3 - (value / 1000) * (height - 6);
  const colour = props.severity === "good" ? "var(--low)" : `var(--${props.severity})`;
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {threshold !== undefined && (
        <line
          x1="0"
          x2={width}
          y1={y(threshold)}
          y2={y(threshold)}
          stroke="var(--line-strong)"
          strokeDasharray="2 2"
        />
      )}
      <polyline
        points={points.map((p) => `${x(p.at).toFixed(1)},${y(p.value).toFixed(1)}`).join(" ")}
        fill="none"
        stroke={colour}
        strokeWidth="1.3"
        strokeLinejoin="round"
      />
      <circle cx={x(last.at)} cy={y(last.value)} r="2" fill={colour} />
    </svg>
  );
}
