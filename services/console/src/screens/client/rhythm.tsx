import type { Schemas } from "../../api/client";
import { type Client, type TimelineEntry, useYearOfContacts } from "../../api/clients";
import { Icon, type IconName } from "../../components/icon";
import { useT } from "../../i18n";
import { calendarDays, day, timeOf } from "../../lib/dates";

interface Strip {
  name: "order" | "phone" | "meeting" | "mail";
  icon: IconName;
  fits(entry: TimelineEntry): boolean;
  /** The reason that knows what is usual. */
  code: string;
}

const strips: readonly Strip[] = [
  { name: "order", icon: "order", code: "no_order", fits: (one) => one.kind === "order_placed" },
  { name: "phone", icon: "call", code: "no_call", fits: (one) => one.kind === "call_completed" },
  {
    name: "meeting",
    icon: "visit",
    code: "no_meeting",
    fits: (one) => one.kind === "meeting_held",
  },
  {
    name: "mail",
    icon: "mail",
    code: "no_mail",
    fits: (one) => one.kind === "email_exchanged" && one.direction === "DIRECTION_INBOUND",
  },
];

const width = 250;

/**
 * One strip for each channel: a tick is a contact of the last 12 months, the dark line is the
 * silence since. What is usual is told by the server alone.
 */
export function Rhythm(props: {
  clientId: string;
  client: Client;
  reasons: readonly Schemas["RetentionReason"][];
  from: string;
  now: number;
}) {
  const t = useT();
  const { now } = props;
  const year = useYearOfContacts(props.clientId, props.from);
  const entries = year.data?.touchpoints ?? [];
  // When there are more than were asked for, the strips begin at the oldest that is known.
  const oldest = year.data?.next_cursor ? timeOf(entries.at(-1)?.occurred_at) : now - 365 * day;
  const x = (at: number) => 2 + ((at - oldest) / (now - oldest)) * (width - 6);
  const rows = strips.flatMap((strip) => {
    const times = entries
      .filter(strip.fits)
      .map((entry) => timeOf(entry.occurred_at))
      .filter((at) => at >= oldest);
    const latest = Math.max(...times);
    if (times.length === 0) return [];
    const usual = Number(
      props.reasons.find((reason) => reason.code === strip.code)?.facts?.usual_value ?? 0,
    );
    return [{ strip, times, latest, usual }];
  });
  if (rows.length === 0) return null;
  return (
    <div className="blk">
      <div className="bar-of">
        <h2>{t("client.rhythm")}</h2>
        <span className="sm mut">{t("client.rhythm.sub")}</span>
      </div>
      {rows.map(({ strip, times, latest, usual }) => {
        const silence = t("days.count", { n: calendarDays(latest, now) });
        return (
          <div className="rh" key={strip.name}>
            <Icon name={strip.icon} />
            <span className="cut">{t(`client.filter.${strip.name}`)}</span>
            <svg
              width="100%"
              height="18"
              viewBox={`0 0 ${width} 18`}
              preserveAspectRatio="none"
              aria-hidden="true"
            >
              <line x1="0" x2={width} y1="9" y2="9" stroke="var(--line)" />
              <line
                x1={x(latest)}
                x2={width - 4}
                y1="9"
                y2="9"
                stroke="var(--ink-3)"
                strokeWidth="1.5"
              />
              {[...new Set(times.map((at) => x(at).toFixed(1)))].map((at) => (
                <line
                  key={at}
                  x1={at}
                  x2={at}
                  y1="4"
                  y2="14"
                  stroke="var(--ink-2)"
                  strokeWidth="1.5"
                />
              ))}
            </svg>
            <span className="num sm">
              {usual > 0
                ? t("client.rhythm.usual", {
                    every: t("days.every", { n: usual }),
                    now: silence,
                  })
                : t("client.rhythm.since", { now: silence })}
            </span>
          </div>
        );
      })}
    </div>
  );
}
