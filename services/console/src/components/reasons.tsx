import { Link } from "wouter";
import type { Schemas } from "../api/client";
import { useFormattingLocale, useT } from "../i18n";
import { formatDay, timeOf } from "../lib/dates";
import { reasonText } from "../lib/reasons";

/** "+226" and "−69": points of a score with their sign. */
export function signed(points: number): string {
  return points < 0 ? `−${-points}` : `+${points}`;
}

/**
 * What makes a score, the heaviest first: the sentence, the touchpoint behind it, and the points
 * with a bar against the largest.
 */
export function Reasons(props: {
  clientId: string;
  reasons: readonly Schemas["RetentionReason"][];
  /** Colour of the bars, such as "high". */
  severity: string;
  /** The moment for which the ages are told. */
  now: number;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const largest = Math.max(1, ...props.reasons.map((reason) => Math.abs(reason.points ?? 0)));
  return (
    <ol>
      {props.reasons.map((reason) => {
        const points = reason.points ?? 0;
        const evidence = reason.touchpoints?.[0];
        const at = timeOf(evidence?.occurred_at);
        const text = evidence
          ? [Number.isNaN(at) ? "" : formatDay(at, locale, { now: props.now }), evidence.summary]
              .filter(Boolean)
              .join(": ")
          : "";
        return (
          <li className="reason" key={reason.code}>
            <span>{reasonText(t, locale, reason, props.now)}</span>
            <span className={`num mid ${points < 0 ? "c-good" : ""}`}>{signed(points)}</span>
            {evidence && text && (
              <Link
                className="ev cut"
                title={text}
                href={`/clients/${encodeURIComponent(props.clientId)}?touchpoint=${evidence.touchpoint_id}`}
              >
                {text}
              </Link>
            )}
            <span className="bar" aria-hidden="true">
              <i
                style={{
                  width: `${Math.round((100 * Math.abs(points)) / largest)}%`,
                  background: points < 0 ? "var(--good)" : `var(--${props.severity})`,
                }}
              />
            </span>
          </li>
        );
      })}
    </ol>
  );
}
