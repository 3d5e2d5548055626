import { type KeyboardEvent, useMemo, useState } from "react";
import type { RetentionHistory } from "../../api/risk";
import { signed } from "../../components/reasons";
import { SeverityShape } from "../../components/severity";
import { useFormattingLocale, useT } from "../../i18n";
import { formatDay, formatMonth, timeOf } from "../../lib/dates";
import { reasonText } from "../../lib/reasons";
import { momentOf, wallOf } from "../../lib/zone";

const width = 580;
const height = 168;
const left = 34;
const right = 572;
const top = 10;
const bottom = 148;

/** The score day by day, with what came and went; arrow keys walk the days. */
export function RiskChart(props: { history: RetentionHistory; name: string }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { history, name } = props;
  const days = useMemo(
    () =>
      (history.days ?? []).map((one) => ({
        at: timeOf(one.at),
        score: one.score ?? 0,
        reasons: one.reasons ?? [],
      })),
    [history],
  );
  const [chosen, setChosen] = useState<number | null>(null);
  // The day that others are compared with; null: each with the one before it.
  const [pinned, setPinned] = useState<number | null>(null);
  const raisedFrom = history.thresholds?.raised_from ?? 0;
  const closedBelow = history.thresholds?.cleared_below ?? 0;
  const first = days[0];
  const last = days.at(-1);
  if (!first || !last || days.length < 2) {
    return <p className="sec">{t("client.risk.none")}</p>;
  }
  const span = last.at - first.at;
  const x = (at: number) => left + ((at - first.at) / span) * (right - left);
  const y = (score: number) => bottom - (score / 1000) * (bottom - top);
  const line = days.map((one) => `${x(one.at).toFixed(1)},${y(one.score).toFixed(1)}`).join(" ");
  const months: number[] = [];
  const begin = wallOf(first.at);
  const monthAfter = (count: number) =>
    momentOf({ year: begin.year, month: begin.month + count, day: 1 });
  for (let count = 1; monthAfter(count) < last.at; ++count) months.push(monthAfter(count));
  const scoreAt = (at: number) =>
    days.reduce((best, one) => (Math.abs(one.at - at) < Math.abs(best.at - at) ? one : best)).score;
  const marks = (history.marks ?? []).flatMap((mark) => {
    const at = timeOf(mark.at);
    if (Number.isNaN(at) || at < first.at) return [];
    return [{ at, change: (mark.change ?? "").replace("RETENTION_CHANGE_", ""), mark }];
  });
  const shown = chosen === null ? null : days[chosen];
  const compared = pinned ?? (chosen === null ? null : chosen - 1);
  const before = chosen === null || compared === null ? null : days[compared];
  const pinnedDay = pinned === null ? null : days[pinned];
  const pin = (day: number | null) => setPinned((other) => (other === day ? null : day));
  const sentences = (ones: typeof first.reasons) =>
    ones.map((reason) => reasonText(t, locale, reason, shown?.at)).join("; ");
  const came = shown?.reasons.filter(
    (reason) =>
      (reason.points ?? 0) > 0 && !before?.reasons.some((other) => other.code === reason.code),
  );
  const went = before?.reasons.filter(
    (reason) =>
      (reason.points ?? 0) > 0 && !shown?.reasons.some((other) => other.code === reason.code),
  );
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7 };
    const by = steps[event.key];
    if (event.key === "Home") setChosen(0);
    else if (event.key === "End") setChosen(days.length - 1);
    else if (event.key === "Enter" && chosen !== null) pin(chosen);
    else if (event.key === "Escape" && pinned !== null) setPinned(null);
    else if (event.key === "Escape" && chosen !== null) setChosen(null);
    else if (by !== undefined) {
      setChosen((at) => Math.max(0, Math.min(days.length - 1, (at ?? days.length) + by)));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const change = shown && before ? shown.score - before.score : 0;
  return (
    <div className="risk-chart">
      <div
        role="slider"
        tabIndex={0}
        aria-label={t("client.risk.label", {
          name,
          from: formatDay(first.at, locale, { long: true }),
          to: formatDay(last.at, locale, { long: true }),
          first: first.score,
          last: last.score,
        })}
        aria-valuemin={0}
        aria-valuemax={days.length - 1}
        aria-valuenow={chosen ?? days.length - 1}
        aria-valuetext={`${formatDay((shown ?? last).at, locale)}: ${(shown ?? last).score}`}
        onKeyDown={onKeyDown}
        onBlur={() => setChosen(null)}
      >
        <svg
          width="100%"
          viewBox={`0 0 ${width} ${height}`}
          aria-hidden="true"
          onMouseLeave={() => setChosen(null)}
          onClick={() => pin(chosen)}
          onMouseMove={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            const at =
              first.at +
              ((((event.clientX - box.left) / box.width) * width - left) / (right - left)) * span;
            const nearest = Math.round(((at - first.at) / span) * (days.length - 1));
            setChosen(Math.max(0, Math.min(days.length - 1, nearest)));
          }}
        >
          {[0, 1000].map((score) => (
            <line
              key={score}
              x1={left}
              x2={right}
              y1={y(score)}
              y2={y(score)}
              stroke="var(--line)"
            />
          ))}
          {[closedBelow, raisedFrom].map((score) => (
            <line
              key={score}
              x1={left}
              x2={right}
              y1={y(score)}
              y2={y(score)}
              stroke="var(--line-strong)"
              strokeDasharray="3 3"
            />
          ))}
          {[0, closedBelow, raisedFrom, 1000].map((score) => (
            <text key={score} x={left - 6} y={y(score) + 4} textAnchor="end">
              {score}
            </text>
          ))}
          {months.map((month) => (
            <text key={month} x={x(month)} y={height - 4}>
              {formatMonth(month, locale)}
            </text>
          ))}
          <polygon
            points={`${left},${bottom} ${line} ${right},${bottom}`}
            fill="var(--chart-area)"
          />
          <polyline
            points={line}
            fill="none"
            stroke="var(--chart-1)"
            strokeWidth="1.5"
            strokeLinejoin="round"
          />
          {marks.map(({ at, change: what, mark }) => {
            const key = `${mark.at} ${what} ${mark.alert_id}`;
            const score = y(scoreAt(at));
            if (what === "RAISED") {
              return (
                <path
                  key={key}
                  d={`M${x(at).toFixed(1)} ${(score - 5).toFixed(1)}l5 9h-10z`}
                  fill="var(--high)"
                  stroke="var(--bg)"
                />
              );
            }
            if (what === "CLEARED") {
              return (
                <circle
                  key={key}
                  cx={x(at)}
                  cy={score}
                  r="4"
                  fill="var(--bg)"
                  stroke="var(--good)"
                  strokeWidth="1.6"
                />
              );
            }
            if (what === "UPDATED" || what === "UNSPECIFIED") return null;
            return (
              <rect
                key={key}
                x={x(at) - 2.5}
                y={bottom - 2.5}
                width="5"
                height="5"
                fill="var(--ink-2)"
              />
            );
          })}
          {pinnedDay && (
            <line
              x1={x(pinnedDay.at)}
              x2={x(pinnedDay.at)}
              y1={top}
              y2={bottom}
              stroke="var(--accent)"
              strokeDasharray="2 2"
            />
          )}
          {shown && (
            <line x1={x(shown.at)} x2={x(shown.at)} y1={top} y2={bottom} stroke="var(--ink-3)" />
          )}
          <circle
            cx={x((shown ?? last).at)}
            cy={y((shown ?? last).score)}
            r="3"
            fill="var(--chart-1)"
          />
        </svg>
      </div>
      <p className="told sm" aria-live="polite">
        {shown ? (
          <>
            <b className="mid">
              {pinnedDay && pinnedDay !== shown
                ? t("client.risk.compared", {
                    day: formatDay(pinnedDay.at, locale),
                    score: pinnedDay.score,
                    other: formatDay(shown.at, locale),
                    later: shown.score,
                  })
                : `${formatDay(shown.at, locale)}: ${shown.score}`}
            </b>{" "}
            {change !== 0 && (
              <span className={`mid ${change > 0 ? "c-high" : "c-good"}`}>{signed(change)}</span>
            )}{" "}
            <span className="sec">
              {[
                came?.length ? t("client.risk.came", { reasons: sentences(came) }) : "",
                went?.length ? t("client.risk.went", { reasons: sentences(went) }) : "",
              ]
                .filter(Boolean)
                .join("; ")}
            </span>
          </>
        ) : (
          <span className="mut">
            {t("client.risk.above", { score: raisedFrom })},{" "}
            {t("client.risk.below", { score: closedBelow })}. {t("client.risk.compare")}
          </span>
        )}
      </p>
    </div>
  );
}

export function RiskLegend() {
  const t = useT();
  return (
    <span className="legend sm mut">
      <span>
        <SeverityShape severity="high" />
        {t("client.risk.raised")}
      </span>
      <span>
        <svg width="10" height="10" aria-hidden="true">
          <circle cx="5" cy="5" r="3.5" fill="none" stroke="var(--good)" strokeWidth="1.6" />
        </svg>
        {t("client.risk.closed")}
      </span>
      <span>
        <svg width="8" height="8" aria-hidden="true">
          <rect x="1" y="1" width="5" height="5" fill="var(--ink-2)" />
        </svg>
        {t("client.risk.acted")}
      </span>
    </span>
  );
}
