import type { Source } from "../../api/operation";
import { IconButton, Moment } from "../../components/basics";
import { SeverityShape } from "../../components/severity";
import { StandingMark, Told } from "../../components/watched";
import { useFormattingLocale, useT } from "../../i18n";
import { formatRelative, formatSpan, timeOf } from "../../lib/dates";
import { formatCount } from "../../lib/numbers";
import { addsUp, outcomes, standingOfSource } from "./ledger";

function bytesText(bytes: string | undefined, locale: string): string {
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit: "byte",
    unitDisplay: "long",
  }).format(BigInt(bytes ?? 0));
}

/** One source: how it does, where everything went, what must be missing, and what was skipped. */
export function SourcePanel(props: { source: Source; now: number; onClose(): void }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { source, now } = props;
  const received = timeOf(source.last_received_at);
  const occurred = timeOf(source.last_occurred_at);
  const gaps = source.gaps ?? [];
  const reasons = source.skip_reasons ?? [];
  const quiet = source.state === "SOURCE_STATE_QUIET";
  const unread = source.lag_bytes !== undefined && source.lag_bytes !== "0";
  const incomplete = Number(source.incomplete ?? 0);
  const closed = Number(source.closed_gaps ?? 0);
  return (
    <aside className="panel" aria-label={source.name}>
      <header className="panel-head">
        <div className="two">
          <h2 className="panel-title">{source.name}</h2>
          <span className="sm mut">{source.kind || t("sources.not_configured")}</span>
        </div>
        <IconButton icon="close" plain label={t("act.close")} onClick={props.onClose} />
      </header>
      <div className="blk">
        <StandingMark standing={standingOfSource(source, t)} />
        {quiet && !Number.isNaN(received) && (
          <p>{t("sources.quiet_for", { span: formatSpan(now - received, locale) })}</p>
        )}
        {source.state === "SOURCE_STATE_SILENT" && (
          <p className="sec">{t("sources.silent_hint")}</p>
        )}
        {source.trouble && (
          <p className="sec">
            <Told text={source.trouble} />
          </p>
        )}
        {source.state === "SOURCE_STATE_TROUBLE" && (
          <p className="sec">{t("sources.trouble_hint")}</p>
        )}
      </div>
      <div className="blk">
        <h3>{t("sources.equation")}</h3>
        <dl className="kv equation">
          <dt className="str">{t("sources.received")}</dt>
          <dd className="str num">{formatCount(source.received, locale)}</dd>
          {outcomes.map((outcome, index) => (
            <div key={outcome} className="kv-pair">
              <dt>
                <span className="sign" aria-hidden="true">
                  {index === 0 ? "=" : "+"}
                </span>
                {t(`sources.${outcome}`)}
                <span className="sm mut block">{t(`sources.means.${outcome}`)}</span>
              </dt>
              <dd className="num">{formatCount(source[outcome], locale)}</dd>
            </div>
          ))}
        </dl>
        {!addsUp(source) && (
          <p className="hint bad">
            <SeverityShape severity="critical" />
            {t("sources.does_not_add_up")}
          </p>
        )}
      </div>
      <div className="blk">
        <dl className="kv">
          {!Number.isNaN(received) && (
            <>
              <dt>{t("sources.last_received")}</dt>
              <dd>
                <Moment at={received}>{formatRelative(received, locale, now)}</Moment>
              </dd>
            </>
          )}
          {!Number.isNaN(occurred) && (
            <>
              <dt>{t("sources.last_occurred")}</dt>
              <dd>
                <Moment at={occurred}>{formatRelative(occurred, locale, now)}</Moment>
              </dd>
            </>
          )}
          {unread && (
            <>
              <dt>{t("sources.unread")}</dt>
              <dd className="c-medium mid">{bytesText(source.lag_bytes, locale)}</dd>
            </>
          )}
          <dt>{t("sources.incomplete")}</dt>
          <dd className={incomplete > 0 ? "c-medium mid" : ""}>
            {formatCount(source.incomplete, locale)}
          </dd>
          {closed > 0 && (
            <>
              <dt>{t("sources.closed_gaps")}</dt>
              <dd>{formatCount(source.closed_gaps, locale)}</dd>
            </>
          )}
        </dl>
      </div>
      <div className="blk">
        <h3>{t("sources.missing")}</h3>
        {gaps.length === 0 ? (
          <p className="sec">{t("sources.missing_none")}</p>
        ) : (
          <ul className="gaps">
            {gaps.map((gap) => (
              <li key={`${gap.description} ${gap.noticed_at}`}>
                <SeverityShape severity="medium" />
                <span>
                  <Told text={gap.description} />
                  <span className="sm mut block">
                    {gap.missing && gap.missing !== "0"
                      ? t("sources.missing_count", { count: Number(gap.missing) })
                      : t("sources.missing_unknown")}
                    {gap.noticed_at && (
                      <>
                        {" · "}
                        <Moment at={gap.noticed_at}>
                          {t("sources.noticed", {
                            ago: formatRelative(gap.noticed_at, locale, now),
                          })}
                        </Moment>
                      </>
                    )}
                  </span>
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
      {reasons.length > 0 && (
        <div className="blk">
          <h3>{t("sources.skip_reasons")}</h3>
          {reasons.map((reason) => (
            <details key={reason.reason} className="skip-reason">
              <summary>
                <Told text={reason.reason} />
                <span className="num">{formatCount(reason.count, locale)}</span>
              </summary>
              {(reason.examples ?? []).length === 0 ? (
                <p className="sm mut">{t("sources.no_examples")}</p>
              ) : (
                <ul>
                  {(reason.examples ?? []).map((example, index) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: two may be word for word the same
                    <li key={index} className="sm sec">
                      <span className="wrap">{example.description}</span>
                      {example.received_at && (
                        <Moment at={example.received_at} className="mut">
                          {formatRelative(example.received_at, locale, now)}
                        </Moment>
                      )}
                    </li>
                  ))}
                </ul>
              )}
            </details>
          ))}
        </div>
      )}
    </aside>
  );
}
