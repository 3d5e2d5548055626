import "../styles/figures.css";
import { useFormattingLocale, useT } from "../i18n";
import {
  type Change,
  changeOf,
  formatDifference,
  formatFigure,
  formatValue,
  isRevised,
  type Measured,
  type Plan,
  type Standing,
  standingOf,
  type Told,
} from "../lib/figures";
import { Icon } from "./icon";
import { SeverityShape } from "./severity";

// What stands beside a figure: its plan, how it went, what it was before. A number or a word is
// always with the mark.

export interface Marked extends Told {
  reported?: Told;
  plan?: Plan;
}

/** A figure, with a half diamond when it is another than it was reported. */
export function FigureValue(props: {
  figure: Marked | undefined;
  of: Measured;
  rounded?: boolean;
  /** Tell it as it was reported. */
  asReported?: boolean;
  /** Without the mark of a revision: what it was stands beside it. */
  plain?: boolean;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const { figure, of, asReported } = props;
  const told = asReported ? figure?.reported : figure;
  const other = asReported ? figure : figure?.reported;
  const text = formatFigure(told, of, locale, { rounded: props.rounded === true });
  const revised =
    props.plain !== true && figure !== undefined && isRevised(figure, figure.reported);
  const otherText = formatFigure(other, of, locale) ?? t("figures.none");
  const hint = revised
    ? asReported
      ? t("figures.now_it_is", { value: otherText })
      : t("figures.reported_as", { value: otherText })
    : undefined;
  return (
    <span className="figure" title={hint}>
      {revised && (
        <>
          <SeverityShape severity="medium" />
          <span className="vh">{hint}: </span>
        </>
      )}
      {text ?? (
        <span className="mut" title={t("figures.none")}>
          <span aria-hidden="true">–</span>
          <span className="vh">{t("figures.none")}</span>
        </span>
      )}
    </span>
  );
}

const barWidth = 72;
const planAt = barWidth / 1.3;

/** How much of a plan there is: bar, mark of the plan, and a finer one of where it should be by now. */
export function PlanBar(props: { figure: Told | undefined; plan: Plan }) {
  const { plan } = props;
  const scale = plan.value ? planAt / plan.value : 0;
  const filled = Math.max(0, Math.min(barWidth, (props.figure?.value ?? 0) * scale));
  const pace = plan.pace === undefined ? null : Math.min(barWidth, plan.pace * scale);
  return (
    <svg
      width={barWidth}
      height="14"
      viewBox={`0 0 ${barWidth} 14`}
      aria-hidden="true"
      className="plan-bar"
    >
      <rect y="4" width={barWidth} height="6" rx="1" fill="var(--bg-active)" />
      <rect y="4" width={filled} height="6" rx="1" fill="var(--chart-1)" />
      <line x1={planAt} x2={planAt} y1="1" y2="13" stroke="var(--ink)" strokeWidth="1.5" />
      {pace !== null && Math.abs(pace - planAt) > 1 && (
        <line
          x1={pace}
          x2={pace}
          y1="2"
          y2="12"
          stroke="var(--ink-2)"
          strokeWidth="1"
          strokeDasharray="2 1"
        />
      )}
    </svg>
  );
}

/** Colour of a standing; the shape and the number stand with it. */
export function classOfStanding(standing: Standing): string {
  return standing === "attained" ? "c-good" : standing === "behind" ? "c-high" : "";
}

/** "99 %" of a plan, or whether it is kept where less is better. */
export function Attainment(props: {
  figure: Told | undefined;
  plan: Plan;
  of: Measured;
  over: boolean;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const { plan, of } = props;
  const standing = standingOf(props.figure, plan, props.over);
  const percent =
    plan.attainment_percent === undefined
      ? null
      : new Intl.NumberFormat(locale, { style: "percent" }).format(plan.attainment_percent / 100);
  const pace =
    plan.pace !== undefined && !props.over
      ? t("figures.pace", { value: formatValue(plan.pace, of, locale) })
      : undefined;
  return (
    <span className={`figure mid ${classOfStanding(standing)}`} title={pace}>
      {standing === "attained" && <Icon name="check" />}
      {standing === "behind" && <SeverityShape severity="high" />}
      <span className="vh">{t(`figures.standing.${standing}`)} </span>
      {percent ?? (
        <span aria-hidden="true">
          {standing === "open" ? "–" : t(`figures.standing.${standing}`)}
        </span>
      )}
    </span>
  );
}

/** How a figure differs from an earlier one: sign, arrow and, where one way is good, colour. */
export function ChangeMark(props: {
  now: Told | undefined;
  before: Told | undefined;
  of: Measured;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const change: Change | null = changeOf(props.now, props.before, props.of, locale);
  if (!change) return null;
  const word =
    change.good === null ? "" : t(change.good ? "figures.change.better" : "figures.change.worse");
  return (
    <span
      className={`figure sm ${change.good === null ? "sec" : change.good ? "c-good" : "c-high"}`}
      title={word || undefined}
    >
      {change.good !== null && (
        <svg className="arrow" viewBox="0 0 8 8" aria-hidden="true">
          <path d={change.up ? "M4 1l3 5H1z" : "M4 7L1 2h6z"} />
        </svg>
      )}
      {change.text}
      {word && <span className="vh"> {word}</span>}
    </span>
  );
}

/** The difference between two tellings of a figure, in its own unit. */
export function DifferenceMark(props: {
  from: Told | undefined;
  to: Told | undefined;
  of: Measured;
}) {
  const locale = useFormattingLocale();
  const { from, to, of } = props;
  if (from?.value === undefined || to?.value === undefined || from.value === to.value) return null;
  return <span className="num">{formatDifference(to.value - from.value, of, locale)}</span>;
}

/** How a figure went, step by step. Decoration: the numbers stand in the panel's table. */
export function Trend(props: { values: readonly (number | undefined)[]; width?: number }) {
  const { width = 64 } = props;
  const height = 22;
  const known = props.values.flatMap((value) => (value === undefined ? [] : [value]));
  if (known.length < 2) return null;
  const low = Math.min(0, ...known);
  const span = Math.max(...known) - low || 1;
  const x = (index: number) => 1 + (index / (props.values.length - 1 || 1)) * (width - 5);
  const y = (value: number) => height - 3 - ((value - low) / span) * (height - 6);
  // A step without a figure is a gap in the line.
  const lines: string[][] = [[]];
  props.values.forEach((value, index) => {
    if (value === undefined) lines.push([]);
    else lines.at(-1)?.push(`${x(index).toFixed(1)},${y(value).toFixed(1)}`);
  });
  const lastAt = props.values.findLastIndex((value) => value !== undefined);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {lines
        .filter((line) => line.length > 0)
        .map((line) => (
          <polyline
            key={line[0]}
            points={line.join(" ")}
            fill="none"
            stroke="var(--ink-2)"
            strokeWidth="1.3"
            strokeLinejoin="round"
          />
        ))}
      <circle cx={x(lastAt)} cy={y(props.values[lastAt] ?? 0)} r="2" fill="var(--ink-2)" />
    </svg>
  );
}
