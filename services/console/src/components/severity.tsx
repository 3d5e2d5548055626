import type { Schemas } from "../api/client";
import { useT } from "../i18n";

export const severities = ["critical", "high", "medium", "low", "good"] as const;
export type Severity = (typeof severities)[number];

/** Of the API's names; null when it is none, or there is none. */
export function severityOf(name: string | undefined): Severity | null {
  switch (name) {
    case "SEVERITY_CRITICAL":
      return "critical";
    case "SEVERITY_HIGH":
      return "high";
    case "SEVERITY_MEDIUM":
      return "medium";
    case "SEVERITY_LOW":
      return "low";
    default:
      return null;
  }
}

/** Of a score that has no alert: by the steps at which the firm's settings grade alerts. */
export function severityOfScore(
  score: number,
  thresholds: Schemas["AlertThresholds"] | undefined,
): Severity {
  if (!thresholds) return "low";
  if (score >= (thresholds.critical_from ?? 0)) return "critical";
  if (score >= (thresholds.high_from ?? 0)) return "high";
  if (score >= (thresholds.raised_from ?? 0)) return "medium";
  return "low";
}

/** The shape alone: where the word stands elsewhere in the same row. */
export function SeverityShape({ severity }: { severity: Severity }) {
  return (
    <svg className={`s c-${severity}`} viewBox="0 0 14 14" aria-hidden="true">
      {severity === "critical" && (
        <>
          <path d="M4.4 1h5.2L13 4.4v5.2L9.6 13H4.4L1 9.6V4.4z" />
          <path d="M7 3.8v4M7 9.9v.2" stroke="var(--bg)" strokeWidth="1.7" strokeLinecap="round" />
        </>
      )}
      {severity === "high" && <path d="M7 1.2L13.4 12.6H.6z" />}
      {severity === "medium" && (
        <>
          <path
            d="M7 1l6 6-6 6-6-6z"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.6"
            strokeLinejoin="round"
          />
          <path d="M7 1.6v10.8L1.6 7z" />
        </>
      )}
      {severity === "low" && (
        <circle cx="7" cy="7" r="4.6" fill="none" stroke="currentColor" strokeWidth="1.6" />
      )}
      {severity === "good" && (
        <path
          d="M2 7.5l3.4 3.4L12 4"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.9"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      )}
    </svg>
  );
}

/** Shape and word. */
export function SeverityMark(props: { severity: Severity; wash?: boolean }) {
  const t = useT();
  return (
    <span className={`sev c-${props.severity} ${props.wash ? "wash" : ""}`}>
      <SeverityShape severity={props.severity} />
      {t(`severity.${props.severity}`)}
    </span>
  );
}
