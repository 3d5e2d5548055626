import type { Source } from "../../api/operation";
import { Cut, Moment } from "../../components/basics";
import { RowName, type Standing, StandingMark } from "../../components/watched";
import { type MessageId, type Translate, useFormattingLocale, useT } from "../../i18n";
import { formatRelative, timeOf } from "../../lib/dates";
import { formatCount } from "../../lib/numbers";

export function standingOfSource(source: Source, t: Translate): Standing {
  switch (source.state) {
    case "SOURCE_STATE_TROUBLE":
      return { severity: "critical", text: t("sources.state.trouble") };
    case "SOURCE_STATE_QUIET":
      return { severity: "high", text: t("sources.state.quiet") };
    case "SOURCE_STATE_SILENT":
      return { severity: "low", text: t("sources.state.silent") };
    case "SOURCE_STATE_OK":
      return { severity: "good", text: t("sources.state.ok") };
    default:
      return { severity: "low", text: t("sources.state.unknown") };
  }
}

// What becomes of what was received, in the order of the equation.
export const outcomes = [
  "duplicates",
  "written",
  "pending",
  "skipped",
  "rejected",
  "late",
] as const;

/** Whether received = duplicate + written + pending + skipped + rejected + late. */
export function addsUp(source: Source): boolean {
  let accounted = 0n;
  for (const outcome of outcomes) accounted += BigInt(source[outcome] ?? 0);
  return accounted === BigInt(source.received ?? 0);
}

const heads: [MessageId, string][] = [
  ["sources.head.source", ""],
  ["sources.head.state", ""],
  ["sources.received", "num"],
  ["sources.duplicates", "num"],
  ["sources.written", "num"],
  ["sources.pending", "num"],
  ["sources.skipped", "num"],
  ["sources.rejected", "num"],
  ["sources.late", "num"],
  ["sources.head.last", "num"],
];

function LedgerRow(props: { source: Source; now: number; selected: boolean; onSelect(): void }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { source, now } = props;
  const last = timeOf(source.last_received_at);
  const gaps = (source.gaps ?? []).length > 0;
  const bad = { rejected: "c-high mid", late: "c-medium mid" } as Record<string, string>;
  return (
    <tr className={props.selected ? "sel" : ""} onClick={props.onSelect}>
      <td>
        <RowName row={`s.${source.name}`} selected={props.selected} onSelect={props.onSelect}>
          <span className="two">
            <span className="mid cut">{source.name}</span>
            <span className="sm mut cut">{source.kind || t("sources.not_configured")}</span>
          </span>
        </RowName>
      </td>
      <td className="state">
        <StandingMark standing={standingOfSource(source, t)} />
        {source.trouble ? (
          <Cut className="sm mut block" text={source.trouble} />
        ) : (
          gaps && <span className="sm c-medium block">{t("sources.some_missing")}</span>
        )}
      </td>
      <td className="num mid">{formatCount(source.received, locale)}</td>
      {outcomes.map((outcome) => (
        <td
          key={outcome}
          className={`num ${
            source[outcome] === "0" ? "mut" : (bad[outcome] ?? (outcome === "written" ? "" : "sec"))
          }`}
        >
          {formatCount(source[outcome], locale)}
        </td>
      ))}
      <td className="num sec">
        {!Number.isNaN(last) && <Moment at={last}>{formatRelative(last, locale, now)}</Moment>}
      </td>
    </tr>
  );
}

/** What came in by each source, and what became of it: the columns add up to the first. */
export function Ledger(props: {
  sources: readonly Source[];
  now: number;
  selected: string;
  onSelect(name: string): void;
}) {
  const t = useT();
  return (
    <div className="wide-table">
      <table className="t ledger">
        <thead>
          <tr>
            {heads.map(([id, className]) => (
              <th key={id} scope="col" className={className}>
                {id === "sources.duplicates"
                  ? "=\u00a0"
                  : outcomes.some((outcome) => id === `sources.${outcome}`)
                    ? "+\u00a0"
                    : ""}
                {t(id)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.sources.map((source) => (
            <LedgerRow
              key={source.name}
              source={source}
              now={props.now}
              selected={props.selected === source.name}
              onSelect={() => props.onSelect(source.name ?? "")}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}
