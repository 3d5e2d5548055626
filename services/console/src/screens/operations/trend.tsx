import type { LagSample } from "../../api/operation";

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
