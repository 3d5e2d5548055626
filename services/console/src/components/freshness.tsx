import { useEffect, useState } from "react";
import { useNotLiveSince } from "../api/changes";
import { type Freshness, isStale } from "../api/watermark";
import { useFormattingLocale, useT } from "../i18n";
import { formatDuration, formatRelative, formatTime } from "../lib/dates";
import { Button, Moment } from "./basics";
import { Icon } from "./icon";

/** The time now, again every `every` milliseconds. */
export function useNow(every = 30_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/**
 * How fresh the screen is, at its upper right; what is not told by the stream of changes any more says
 * so. `lostAt`: since when the screen's own stream is lost.
 */
export function FreshnessMark(props: {
  freshness?: Freshness | undefined;
  lostAt?: number | null | undefined;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const changesLostAt = useNotLiveSince();
  const lostAt = props.lostAt ?? changesLostAt;
  const { freshness } = props;
  if (lostAt !== null) {
    return (
      <span className="fresh old" role="status">
        <Moment at={lostAt}>{t("alerts.not_live", { time: formatTime(lostAt, locale) })}</Moment>
      </span>
    );
  }
  if (!freshness || freshness.asOf === null) return null;
  const old = isStale(freshness, now);
  const time = formatTime(freshness.asOf, locale);
  return (
    <span className={`fresh ${old ? "old" : ""}`}>
      <Moment at={freshness.asOf}>
        {old ? t("fresh.as_of", { time }) : t("fresh.live", { time })}
      </Moment>
    </span>
  );
}

/** Says below the head of a screen that what it shows is old, or lacks a part. */
export function StaleBanner(props: { freshness: Freshness; onReadAgain(): void }) {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const { asOf, missingPartitions, partitionCount } = props.freshness;
  if (!isStale(props.freshness, now)) return null;
  return (
    <div className="banner" role="status">
      <Icon name="clock" />
      <span>
        {asOf !== null &&
          t("fresh.banner", {
            time: formatTime(asOf, locale),
            age:
              now >= asOf ? formatRelative(asOf, locale, now) : formatDuration(asOf - now, locale),
          })}
        {missingPartitions.length > 0 && " "}
        {missingPartitions.length > 0 &&
          t("fresh.missing", {
            count: missingPartitions.length,
            partitions: missingPartitions.join(", "),
            total: partitionCount,
          })}
      </span>
      <Button onClick={props.onReadAgain}>{t("act.read_again")}</Button>
    </div>
  );
}
