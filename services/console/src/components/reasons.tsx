import { Link } from "wouter";
import type { Schemas } from "../api/client";
import { useClient, useTouchpoints } from "../api/clients";
import { useFormattingLocale, useT } from "../i18n";
import { formatDay, timeOf } from "../lib/dates";
import { reasonText } from "../lib/reasons";
import { sentenceOf } from "../lib/sentences";
import { timelineLink } from "../lib/timeline-link";

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
  const ids = props.reasons.flatMap((reason) => reason.touchpoints?.[0]?.touchpoint_id ?? []);
  const touchpoints = useTouchpoints(props.clientId, ids);
  const people = useClient(props.clientId).data?.people;
  const nameOfPerson = (id: string) =>
    people?.find((person) => person.stakeholder_id === id)?.name || id;
  const sentence = (evidence: Schemas["ReasonTouchpoint"]) => {
    const touchpoint = touchpoints.data?.get(evidence.touchpoint_id ?? "");
    // Until it is there, and when it is not to be had: the server's English summary.
    if (!touchpoint) return evidence.summary ?? "";
    const entry = {
      kind: evidence.kind ?? "",
      summary: evidence.summary ?? "",
      direction: touchpoint.direction as never,
      channel: touchpoint.channel as never,
      touchpoint,
    };
    const { text, words } = sentenceOf(t, locale, entry, nameOfPerson);
    return words ? `${text}: ${words}` : text;
  };
  const largest = Math.max(1, ...props.reasons.map((reason) => Math.abs(reason.points ?? 0)));
  return (
    <ol>
      {props.reasons.map((reason) => {
        const points = reason.points ?? 0;
        const evidence = reason.touchpoints?.[0];
        const at = timeOf(evidence?.occurred_at);
        const text = evidence
          ? [Number.isNaN(at) ? "" : formatDay(at, locale, { now: props.now }), sentence(evidence)]
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
                href={timelineLink(props.clientId, evidence.touchpoint_id, at, props.now)}
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
