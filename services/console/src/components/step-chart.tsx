import { useState } from "react";
import type { KpiFigure } from "../api/kpis";
import { useFormattingLocale, useT } from "../i18n";
import { formatTick, type Measured, ticksOf } from "../lib/figures";
import { formatStep, type Step } from "../lib/periods";
import { FigureValue } from "./figure-marks";

const width = 376;
const height = 148;
const top = 8;
const bottom = 126;

/**
 * A figure step by step: columns for what is counted, a line for shares and times, the year before
 * in grey. The table below has the same numbers, and all of them; what the pointer is on is marked
 * in both.
 */
export function StepChart(props: {
  steps: readonly KpiFigure[];
  compared: readonly KpiFigure[];
  step: Step;
  of: Measured;
  /** What it is of, for the caption of the table. */
  name: string;
  /** What the figures before are called, such as "a year before". */
  comparedName: string;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const [chosen, setChosen] = useState<number | null>(null);
  const { steps, compared, of, step } = props;
  const label = (one: KpiFigure | undefined) =>
    formatStep(one?.from ?? "", one?.to ?? "", step, locale);
  const values = [...steps, ...compared].flatMap((one) => one.value ?? []);
  const ticks = ticksOf(Math.min(0, ...values), Math.max(0, ...values));
  // The numbers beside the axis have room in every language.
  const names = ticks.map((tick) => formatTick(tick, of, locale));
  const left = 14 + 6 * Math.max(4, ...names.map((name) => name.length));
  const low = ticks[0] ?? 0;
  const high = ticks.at(-1) ?? 1;
  const slot = (width - left - 4) / Math.max(1, steps.length);
  const x = (index: number) => left + (index + 0.5) * slot;
  const y = (value: number) => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
  const counted =
    of.unit === "KPI_UNIT_COUNT" || of.unit === "KPI_UNIT_MONEY" || of.unit === undefined;
  const points = (ones: readonly KpiFigure[]) =>
    ones
      .slice(0, steps.length)
      .flatMap((one, index) =>
        one.value === undefined ? [] : [`${x(index).toFixed(1)},${y(one.value).toFixed(1)}`],
      )
      .join(" ");
  const column = Math.min(18, slot * 0.36);
  // As many names as find room below the axis.
  const room = 12 + 6 * Math.max(1, ...steps.map((one) => label(one).length));
  const every = Math.max(
    1,
    Math.ceil(steps.length / Math.max(1, Math.floor((width - left) / room))),
  );
  const hasPlan = steps.some((one) => one.plan?.value !== undefined);
  const hasReported = steps.some((one) => one.reported !== undefined);
  return (
    <>
      {values.length > 0 && (
        <svg
          className="step-chart"
          viewBox={`0 0 ${width} ${height}`}
          width="100%"
          aria-hidden="true"
          onMouseLeave={() => setChosen(null)}
          onMouseMove={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            const at = ((event.clientX - box.left) / box.width) * width - left;
            const index = Math.floor(at / slot);
            setChosen(index >= 0 && index < steps.length ? index : null);
          }}
        >
          {ticks.map((tick, index) => (
            <g key={tick}>
              <line x1={left} x2={width} y1={y(tick)} y2={y(tick)} stroke="var(--line)" />
              <text x={left - 6} y={y(tick) + 4} textAnchor="end">
                {names[index]}
              </text>
            </g>
          ))}
          {chosen !== null && (
            <rect
              x={left + chosen * slot}
              y={top}
              width={slot}
              height={bottom - top}
              fill="var(--bg-hover)"
            />
          )}
          {counted ? (
            steps.map((one, index) => {
              const before = compared[index]?.value;
              const now = one.value;
              const bar = (value: number, shift: number, colour: string) => (
                <rect
                  x={x(index) + shift}
                  y={Math.min(y(value), y(0))}
                  width={column}
                  height={Math.max(0.5, Math.abs(y(value) - y(0)))}
                  rx="1"
                  fill={colour}
                />
              );
              return (
                <g key={one.from}>
                  {before !== undefined && bar(before, -column - 0.5, "var(--chart-rest)")}
                  {now !== undefined &&
                    bar(now, compared.length > 0 ? 0.5 : -column / 2, "var(--chart-1)")}
                  {one.plan?.value !== undefined && (
                    <line
                      x1={x(index) - column - 2}
                      x2={x(index) + column + 2}
                      y1={y(one.plan.value)}
                      y2={y(one.plan.value)}
                      stroke="var(--ink)"
                      strokeWidth="1.5"
                    />
                  )}
                </g>
              );
            })
          ) : (
            <>
              <polyline
                points={points(compared)}
                fill="none"
                stroke="var(--chart-6)"
                strokeWidth="1.3"
                strokeDasharray="3 3"
              />
              <polyline
                points={points(steps)}
                fill="none"
                stroke="var(--chart-1)"
                strokeWidth="1.6"
                strokeLinejoin="round"
              />
              {steps.map(
                (one, index) =>
                  one.value !== undefined && (
                    <circle
                      key={one.from}
                      cx={x(index)}
                      cy={y(one.value)}
                      r="2.4"
                      fill="var(--chart-1)"
                    />
                  ),
              )}
            </>
          )}
          {steps.map(
            (one, index) =>
              index % every === 0 && (
                <text key={one.from} x={x(index)} y={bottom + 16} textAnchor="middle">
                  {label(one)}
                </text>
              ),
          )}
        </svg>
      )}
      <table className="t steps">
        <caption className="vh">{props.name}</caption>
        <thead>
          <tr>
            <th scope="col">{t(`figures.step.${step}`)}</th>
            <th scope="col" className="num">
              {hasReported ? t("figures.known") : t("figures.value")}
            </th>
            {hasReported && (
              <th scope="col" className="num">
                {t("figures.reported")}
              </th>
            )}
            {hasPlan && (
              <th scope="col" className="num">
                {t("figures.plan")}
              </th>
            )}
            {compared.length > 0 && (
              <th scope="col" className="num">
                {props.comparedName}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {steps.map((one, index) => (
            <tr
              key={one.from}
              className={index === chosen ? "is-chosen" : undefined}
              onMouseEnter={() => setChosen(index)}
              onMouseLeave={() => setChosen(null)}
            >
              <th scope="row">{label(one)}</th>
              <td className="num">
                <FigureValue figure={one} of={of} />
              </td>
              {hasReported && (
                <td className="num sec">
                  <FigureValue figure={one.reported} of={of} />
                </td>
              )}
              {hasPlan && (
                <td className="num sec">
                  {one.plan?.value !== undefined && (
                    <FigureValue figure={{ value: one.plan.value }} of={of} />
                  )}
                </td>
              )}
              {compared.length > 0 && (
                <td className="num sec">
                  <FigureValue figure={compared[index]} of={of} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
