import { Link } from "wouter";
import type { TimelineEntry } from "../../api/clients";
import { isIncomplete, type KpiPart, type Question, useFigureTouchpoints } from "../../api/kpis";
import { Button, Cut, Tag } from "../../components/basics";
import { FigureValue } from "../../components/figure-marks";
import { Empty, ErrorBanner, SkeletonRows } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import { formatValue, type Measured } from "../../lib/figures";
import { formatDate } from "../../lib/periods";
import { sentenceOf } from "../../lib/sentences";
import { timelineLink } from "../../lib/timeline-link";

// Fields of a touchpoint that are about it, and not what happened.
const envelope = new Set([
  "event_id",
  "client_id",
  "occurred_at",
  "recorded_at",
  "channel",
  "direction",
  "source",
  "source_event_id",
  "agent_id",
  "owner_id",
  "correlation_id",
  "stakeholder_ids",
  "former_client_ids",
  "contradictions",
  "recorded_by",
]);

function entryOf(touchpoint: NonNullable<KpiPart["touchpoint"]>): TimelineEntry {
  const { channel, direction } = touchpoint as TimelineEntry;
  return {
    kind: Object.keys(touchpoint).find((name) => !envelope.has(name)) ?? "",
    touchpoint,
    ...(channel ? { channel } : {}),
    ...(direction ? { direction } : {}),
  };
}

// Touchpoints tell their id in base64, links name it in hexadecimal digits.
function hexOf(base64: unknown): string {
  if (typeof base64 !== "string") return "";
  if (/^[0-9a-f]{32}$/.test(base64)) return base64;
  try {
    return [...atob(base64)]
      .map((char) => char.charCodeAt(0).toString(16).padStart(2, "0"))
      .join("");
  } catch {
    return "";
  }
}

/** What one touchpoint adds, above and below the line of a share. */
function Amount(props: { part: KpiPart; of: Measured; plain: boolean }) {
  const locale = useFormattingLocale();
  const { part, of } = props;
  const numerator = Number(part.numerator ?? 0);
  if (!props.plain) {
    return (
      <span className="num">
        {numerator} / {Number(part.denominator ?? 0)}
      </span>
    );
  }
  return (
    <span className="num">
      {of.unit === "KPI_UNIT_MONEY"
        ? formatValue(numerator, of, locale)
        : formatValue(numerator, { unit: "KPI_UNIT_COUNT" }, locale)}
    </span>
  );
}

/** The touchpoints behind a figure, each with its part; the parts add up to the figure. */
export function Touchpoints(props: {
  question: Question;
  kpi: string;
  of: Measured;
  /** "": of all clients. */
  client: string;
  onBack(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const { of } = props;
  const query = useFigureTouchpoints({
    ...props.question,
    kpi: props.kpi,
    client: props.client,
  });
  const figure = query.data?.pages[0]?.figure;
  const parts = query.data?.pages.flatMap((page) => page.parts ?? []) ?? [];
  // A plain sum has nothing below its line.
  const plain = figure?.denominator === undefined || figure.denominator === "1";
  return (
    <div className="blk">
      <h3 className="adds-up">
        <span>
          {props.client && parts[0]?.client_name
            ? t("figures.touchpoints_of", { name: parts[0].client_name })
            : t("figures.touchpoints_add_up")}
        </span>
        <span className="mid">
          {plain ? (
            <FigureValue figure={figure} of={of} />
          ) : (
            <>
              {figure?.numerator} / {figure?.denominator} = <FigureValue figure={figure} of={of} />
            </>
          )}
        </span>
      </h3>
      {query.error && !query.data ? (
        isIncomplete(query.error) ? (
          <Empty title={t("figures.incomplete")} icon="clock">
            {query.error.message}
          </Empty>
        ) : (
          <ErrorBanner error={query.error} onRetry={() => void query.refetch()} />
        )
      ) : query.isPending ? (
        <SkeletonRows count={6} columns={2} />
      ) : parts.length === 0 ? (
        <p className="sec none">{t("figures.no_touchpoints")}</p>
      ) : (
        <ol className="behind">
          {parts.map((part, index) => {
            const entry = part.touchpoint && entryOf(part.touchpoint);
            const sentence = entry && sentenceOf(t, locale, entry);
            const id = hexOf(part.touchpoint?.event_id);
            const what =
              sentence?.text ||
              (part.by_itself === "hidden"
                ? t("figures.hidden_clients")
                : part.by_itself
                  ? t("figures.by_itself")
                  : "");
            const content = (
              <>
                <span className="two">
                  <Cut text={part.client_name || part.client_id || t("figures.hidden_clients")} />
                  <span className="sm mut">
                    {[formatDate(part.day ?? "", locale, true), what, sentence?.words]
                      .filter(Boolean)
                      .join(", ")}
                  </span>
                </span>
                <span className="two end">
                  <Amount part={part} of={of} plain={plain} />
                  {part.late && <Tag>{t("figures.late")}</Tag>}
                </span>
              </>
            );
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: one touchpoint may stand there for several days
              <li key={`${id} ${part.client_id} ${part.day} ${index}`}>
                {part.client_id ? (
                  <Link
                    className="part"
                    href={timelineLink(
                      part.client_id,
                      id,
                      Date.parse(String(part.touchpoint?.occurred_at ?? "")),
                    )}
                  >
                    {content}
                  </Link>
                ) : (
                  <span className="part">{content}</span>
                )}
              </li>
            );
          })}
        </ol>
      )}
      {query.hasNextPage && (
        <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("act.show_more")}
        </Button>
      )}{" "}
      <Button kind="plain" onClick={props.onBack}>
        {t("figures.back")}
      </Button>
    </div>
  );
}
