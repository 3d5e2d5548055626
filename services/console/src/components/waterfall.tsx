import { useT } from "../i18n";

export interface WaterfallStep {
  id: string;
  label: string;
  /** Below 0: it went down. */
  value: number;
}

interface Moved {
  start: { label: string; value: number };
  steps: readonly WaterfallStep[];
  end: { label: string; value: number };
  format(value: number): string;
  formatDifference(value: number): string;
}

/** How one number became another, as a list that adds up; what did not change it is left out. */
export function Moves(props: Moved) {
  const lines = [
    { id: "start", label: props.start.label, text: props.format(props.start.value), end: true },
    ...props.steps
      .filter((step) => step.value !== 0)
      .map((step) => ({
        id: step.id,
        label: step.label,
        text: props.formatDifference(step.value),
        end: false,
      })),
    { id: "end", label: props.end.label, text: props.format(props.end.value), end: true },
  ];
  return (
    <dl className="kv sm moves">
      {lines.map((line) => (
        <div className={`kv-row ${line.end ? "mid" : ""}`} key={line.id}>
          <dt>{line.label}</dt>
          <dd className="num">{line.text}</dd>
        </div>
      ))}
    </dl>
  );
}

const width = 800;
const height = 236;
const left = 84;
const top = 22;
const bottom = 196;

/**
 * How one number became another: the ends in grey, what was added and taken away in colour and with
 * its sign, and a list with the same numbers. An axis that does not begin at 0 says so.
 */
export function Waterfall(props: Moved & { label: string; formatTick(value: number): string }) {
  const t = useT();
  const { start, end } = props;
  const steps = props.steps.filter((step) => step.value !== 0);
  let level = start.value;
  const bars = steps.map((step) => {
    const from = level;
    level += step.value;
    return { ...step, from, to: level };
  });
  const levels = [start.value, end.value, ...bars.flatMap((bar) => [bar.from, bar.to])];
  const most = Math.max(...levels, 0);
  const least = Math.min(...levels);
  // What is the same in all of them is cut off when the changes would be slivers above it.
  const cut = least > 0 && most - least < 0.5 * most ? least - 0.35 * (most - least || most) : 0;
  const low = Math.min(0, least) < 0 ? least : Math.max(0, cut);
  const y = (value: number) => bottom - ((value - low) / (most - low || 1)) * (bottom - top);
  const slot = (width - left) / (bars.length + 2);
  const bar = Math.min(58, slot * 0.66);
  const x = (index: number) => left + index * slot + (slot - bar) / 2;
  const columns = [
    {
      id: "start",
      label: start.label,
      from: low,
      to: start.value,
      text: props.format(start.value),
    },
    ...bars.map((one) => ({ ...one, text: props.formatDifference(one.value) })),
    { id: "end", label: end.label, from: low, to: end.value, text: props.format(end.value) },
  ];
  const isEnd = (index: number) => index === 0 || index === columns.length - 1;
  return (
    <figure className="waterfall">
      <div className="wide">
        <svg viewBox={`0 0 ${width} ${height}`} width="100%" aria-hidden="true">
          <line x1={left} x2={width} y1={y(low)} y2={y(low)} stroke="var(--line-strong)" />
          <text x={left - 8} y={y(low) + 4} textAnchor="end">
            {props.formatTick(low)}
          </text>
          <text x={left - 8} y={y(most) + 4} textAnchor="end">
            {props.formatTick(most)}
          </text>
          {columns.map((one, index) => {
            const upper = Math.min(y(one.from), y(one.to));
            const next = columns[index + 1];
            return (
              <g key={one.id}>
                <rect
                  x={x(index)}
                  y={upper}
                  width={bar}
                  height={Math.max(1, Math.abs(y(one.from) - y(one.to)))}
                  rx="1"
                  fill={
                    isEnd(index)
                      ? "var(--chart-6)"
                      : one.to > one.from
                        ? "var(--chart-3)"
                        : "var(--chart-2)"
                  }
                />
                {next && (
                  <line
                    x1={x(index) + bar}
                    x2={x(index + 1)}
                    y1={y(one.to)}
                    y2={y(one.to)}
                    stroke="var(--line-strong)"
                  />
                )}
                <text className="amount" x={x(index) + bar / 2} y={upper - 5} textAnchor="middle">
                  {one.text}
                </text>
                <text x={x(index) + bar / 2} y={bottom + 16} textAnchor="middle">
                  {one.label}
                </text>
              </g>
            );
          })}
          {low > 0 && (
            <path
              d={`M${left - 3} ${bottom - 7}l6 -3m-6 6l6 -3`}
              stroke="var(--ink-3)"
              fill="none"
            />
          )}
        </svg>
        {low > 0 && (
          <p className="xs mut">{t("waterfall.cut", { value: props.formatTick(low) })}</p>
        )}
      </div>
      <figcaption className="vh">{props.label}</figcaption>
      <Moves {...props} />
    </figure>
  );
}
