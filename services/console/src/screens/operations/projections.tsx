import type { UseQueryResult } from "@tanstack/react-query";
import {
  furthestBehind,
  type Job,
  lagSamplesOf,
  type ProjectionStatus,
  unownedPartitions,
} from "../../api/operation";
import { Cut, Moment } from "../../components/basics";
import { useErrorText } from "../../components/states";
import { RowName, StandingMark, Told } from "../../components/watched";
import { type MessageId, useFormattingLocale, useT } from "../../i18n";
import { formatSeconds, formatSpan, timeOf } from "../../lib/dates";
import { formatCount } from "../../lib/numbers";
import { standingOf } from "./standing";
import { Trend } from "./trend";

/** One bar for each partition: folded, behind, standing still, or nobody's. */
function PartitionBars({ status }: { status: ProjectionStatus }) {
  const t = useT();
  const count = status.partition_count ?? 0;
  const states = Array.from({ length: count }, (_, index) => {
    const one = status.partitions?.find((state) => (state.partition ?? 0) === index);
    if (!one) return "none";
    if (one.trouble) return "bad";
    return Number(one.lag_ms ?? 0) > 1000 ? "lag" : "ok";
  });
  return (
    <span
      className="parts"
      style={{ gridTemplateColumns: `repeat(${count}, 1fr)` }}
      title={t("operations.partitions_count", { count })}
      aria-hidden="true"
    >
      {states.map((state, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a partition is its number
        <i key={index} className={state} />
      ))}
    </span>
  );
}

/** The dead letters of each partition that has some: "2", or "2 + 1". */
function deadLettersText(status: ProjectionStatus, locale: string): string {
  const counts = (status.partitions ?? [])
    .map((one) => one.dead_letters ?? "0")
    .filter((count) => count !== "0");
  return counts.map((count) => formatCount(count, locale)).join(" + ");
}

export function ProjectionRow(props: {
  name: string;
  query: UseQueryResult<ProjectionStatus>;
  jobs: readonly Job[];
  now: number;
  selected: boolean;
  onSelect(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const errorText = useErrorText();
  const { name, query, now } = props;
  const row = `p.${name}`;
  const status = query.data;
  const nameCell = (
    <td>
      <RowName row={row} selected={props.selected} onSelect={props.onSelect}>
        <span className="mid">{name}</span>
        {status?.version !== undefined && <span className="mut sm">v{status.version}</span>}
      </RowName>
    </td>
  );
  if (!status) {
    return (
      <tr className={props.selected ? "sel" : ""} onClick={props.onSelect}>
        {nameCell}
        <td colSpan={9}>
          {query.error ? (
            <span className="c-critical">{errorText(query.error)}</span>
          ) : (
            <span className="sk" style={{ width: "40%" }} />
          )}
        </td>
      </tr>
    );
  }
  const standing = standingOf(status, props.jobs, now, t, locale);
  const behind = furthestBehind(status);
  const slow = behind !== null && behind.lagMs > 1000;
  const dead = deadLettersText(status, locale);
  const digests = (status.partitions ?? []).map((one) => one.digest ?? "");
  return (
    <tr className={props.selected ? "sel" : ""} onClick={props.onSelect}>
      {nameCell}
      <td>
        {query.error ? (
          <span className="c-critical" title={errorText(query.error)}>
            {t("operations.not_read_since", { time: formatSeconds(query.dataUpdatedAt, locale) })}
          </span>
        ) : (
          <StandingMark standing={standing} />
        )}
      </td>
      <td>
        <PartitionBars status={status} />
      </td>
      <td className="num">{behind && formatCount(behind.records, locale)}</td>
      <td className={`num ${slow ? "c-medium mid" : ""}`}>
        {behind && formatSpan(behind.lagMs, locale)}
      </td>
      <td>
        <Trend samples={lagSamplesOf(name)} behind={slow} />
      </td>
      <td className="num sec">
        {behind?.clock != null && (
          <Moment at={behind.clock}>{formatSeconds(behind.clock, locale)}</Moment>
        )}
      </td>
      <td className="num sec">{status.generation}</td>
      <td className="mono mut" title={digests.join("\n")}>
        {digests.length > 0 && digests.map((digest) => digest.slice(0, 4)).join(" ")}
      </td>
      <td className={`num ${dead ? "c-critical mid" : "mut"}`}>{dead || "0"}</td>
    </tr>
  );
}

/** Identifiers, of whom the jobs alone are told, and the table of people and units. */
export function PlainRow(props: {
  name: string;
  state: React.ReactNode;
  position?: string;
  digest?: string;
  selected: boolean;
  onSelect(): void;
}) {
  return (
    <tr className={props.selected ? "sel" : ""} onClick={props.onSelect}>
      <td>
        <RowName row={`p.${props.name}`} selected={props.selected} onSelect={props.onSelect}>
          <span className="mid">{props.name}</span>
        </RowName>
      </td>
      <td>{props.state}</td>
      <td />
      <td />
      <td />
      <td />
      <td />
      <td />
      <td className="mono mut" title={props.digest}>
        {props.digest?.slice(0, 8)}
      </td>
      <td />
    </tr>
  );
}

const heads: [MessageId, string][] = [
  ["operations.head.projection", ""],
  ["operations.head.state", ""],
  ["operations.head.partitions", ""],
  ["operations.head.lag_records", "num"],
  ["operations.head.lag_time", "num"],
  ["operations.head.trend", ""],
  ["operations.head.clock", "num"],
  ["operations.head.generation", "num"],
  ["operations.head.digest", ""],
  ["operations.head.dead_letters", "num"],
];

export function ProjectionHeads() {
  const t = useT();
  return (
    <thead>
      <tr>
        {heads.map(([id, className]) => (
          <th
            key={id}
            scope="col"
            className={className}
            title={
              id === "operations.head.lag_records" || id === "operations.head.lag_time"
                ? t("operations.head.lag_hint")
                : undefined
            }
          >
            {t(id)}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** Every partition of one projection, those that nobody folds too. */
export function PartitionTable({ status }: { status: ProjectionStatus }) {
  const t = useT();
  const locale = useFormattingLocale();
  const unowned = new Set(unownedPartitions(status));
  const all = Array.from({ length: status.partition_count ?? 0 }, (_, index) => index);
  return (
    <table className="t partitions">
      <thead>
        <tr>
          <th scope="col">
            <span aria-hidden="true">#</span>
            <span className="vh">{t("operations.partition")}</span>
          </th>
          <th scope="col" className="num">
            {t("operations.head.position")}
          </th>
          <th scope="col" className="num">
            {t("operations.head.end")}
          </th>
          <th scope="col" className="num">
            {t("operations.head.lag")}
          </th>
          <th scope="col" className="num">
            {t("operations.head.folded")}
          </th>
          <th scope="col" className="num">
            {t("operations.head.dead_short")}
          </th>
          <th scope="col" className="num">
            {t("operations.head.clock")}
          </th>
        </tr>
      </thead>
      <tbody>
        {all.map((partition) => {
          const one = status.partitions?.find((state) => (state.partition ?? 0) === partition);
          if (!one || unowned.has(partition)) {
            return (
              <tr key={partition}>
                <td>{partition}</td>
                <td colSpan={6} className="c-high mid">
                  {t("operations.partition_unowned")}
                </td>
              </tr>
            );
          }
          const lag = Number(one.lag_ms ?? 0);
          const clock = timeOf(one.clock);
          return (
            <tr key={partition} title={`${t("operations.head.digest")} ${one.digest}`}>
              <td>{partition}</td>
              <td className="num">{formatCount(one.position, locale)}</td>
              <td className="num sec">{formatCount(one.end, locale)}</td>
              <td className={`num ${lag > 1000 ? "c-medium mid" : ""}`}>
                {lag > 0
                  ? formatSpan(lag, locale)
                  : formatCount(BigInt(one.end ?? 0) - BigInt(one.position ?? 0), locale)}
              </td>
              <td className="num sec">{formatCount(one.folded, locale)}</td>
              <td className={`num ${Number(one.dead_letters) > 0 ? "c-critical mid" : "mut"}`}>
                {formatCount(one.dead_letters, locale)}
              </td>
              <td className="num sec">
                {Number.isNaN(clock) ? (
                  ""
                ) : (
                  <Moment at={clock}>{formatSeconds(clock, locale)}</Moment>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Why partitions stand still, in the server's words. */
export function Troubles({ status }: { status: ProjectionStatus }) {
  const t = useT();
  const troubled = (status.partitions ?? []).filter((one) => one.trouble);
  if (troubled.length === 0) return null;
  return (
    <ul className="troubles">
      {troubled.map((one) => (
        <li key={one.partition} className="c-critical">
          {t("operations.partition_trouble", { partition: one.partition })}{" "}
          <Told text={one.trouble} />
        </li>
      ))}
    </ul>
  );
}

/** A word for each thing that a generation and its settings are. */
export function SettingsLine({ status }: { status: ProjectionStatus }) {
  const t = useT();
  return (
    <span className="sm mut">
      {t("operations.generation", { generation: status.generation })} ·{" "}
      <Cut
        className="inline"
        text={t("operations.fingerprint", { fingerprint: status.settings_fingerprint })}
      />
    </span>
  );
}
