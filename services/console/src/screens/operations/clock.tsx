import { useState } from "react";
import { type Clock, confirmClock, useClock } from "../../api/operation";
import { useSession } from "../../app/session";
import { Button, Moment } from "../../components/basics";
import { useNow } from "../../components/freshness";
import { SeverityShape } from "../../components/severity";
import { Field, Sheet } from "../../components/sheet";
import { Loaded, useErrorText } from "../../components/states";
import { toast } from "../../components/toast";
import { Told } from "../../components/watched";
import { useFormattingLocale, useT } from "../../i18n";
import { formatFull, formatSeconds, formatSpan, timeOf } from "../../lib/dates";
import { useDraft } from "../../lib/draft";
import { useKeys } from "../../lib/keys";
import { fromLocal, toLocalSeconds } from "../../lib/local-time";

const standings = {
  CLOCK_STANDING_TICKING: { severity: "good", word: "ticking" },
  CLOCK_STANDING_STANDBY: { severity: "good", word: "standby" },
  CLOCK_STANDING_HELD: { severity: "high", word: "held" },
  CLOCK_STANDING_AHEAD: { severity: "high", word: "ahead" },
  CLOCK_STANDING_TROUBLE: { severity: "critical", word: "trouble" },
  CLOCK_STANDING_UNSPECIFIED: { severity: "medium", word: "unknown" },
} as const;

function ClockSheet({ clock, onClose }: { clock: Clock; onClose(): void }) {
  const t = useT();
  const locale = useFormattingLocale();
  const errorText = useErrorText();
  const { fields, change, clear } = useDraft("clock", () => ({ reason: "" }));
  const [said, setSaid] = useState(() => toLocalSeconds(Date.now()));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const moment = fromLocal(said);
  const wrong = moment === null;
  const reason = fields.reason.trim();
  const submit = async () => {
    if (moment === null) return;
    setBusy(true);
    setError(null);
    try {
      await confirmClock(moment, reason);
      clear();
      toast.show(t("operations.did.clock"));
      onClose();
    } catch (caught) {
      setError(errorText(caught));
      setBusy(false);
    }
  };
  const off = wrong
    ? t("operations.clock.moment_wrong")
    : reason === ""
      ? t("operations.clock.reason_missing")
      : undefined;
  return (
    <Sheet
      title={t("operations.clock.confirm")}
      hint={t("operations.clock.confirm_hint")}
      submit={t("operations.clock.confirm")}
      busy={busy}
      {...(off === undefined ? {} : { off })}
      error={error}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <Field
        label={t("operations.clock.true_time")}
        {...(clock.wall_clock
          ? {
              hint: t("operations.clock.wall_says", {
                time: formatFull(clock.wall_clock, locale),
              }),
            }
          : {})}
        error={wrong ? t("operations.clock.moment_wrong") : undefined}
      >
        {(field) => (
          <input
            {...field}
            type="datetime-local"
            step="1"
            value={said}
            onChange={(event) => setSaid(event.target.value)}
          />
        )}
      </Field>
      <Field label={t("operations.clock.reason")} hint={t("operations.letter.reason_hint")}>
        {(field) => (
          <input
            {...field}
            type="text"
            value={fields.reason}
            autoComplete="off"
            onChange={(event) => change({ reason: event.target.value })}
          />
        )}
      </Field>
    </Sheet>
  );
}

/** The log's clock: whether time goes on for everything that waits for it. */
export function ClockSection() {
  const t = useT();
  const locale = useFormattingLocale();
  const session = useSession();
  const now = useNow(1000);
  const query = useClock();
  const [asking, setAsking] = useState(false);
  const may = session.may("operate");
  useKeys({
    title: t("operations.clock"),
    bindings:
      may && query.data
        ? [{ key: "t", label: t("operations.clock.confirm"), run: () => setAsking(true) }]
        : [],
  });
  return (
    <section aria-label={t("operations.clock")}>
      <div className="sect">
        <h2>{t("operations.clock")}</h2>
        <span className="end">{t("operations.clock.hint")}</span>
      </div>
      <Loaded query={query} permission="read_operation">
        {(clock) => {
          const { severity, word } = standings[clock.standing ?? "CLOCK_STANDING_UNSPECIFIED"];
          const tick = timeOf(clock.last_tick);
          return (
            <div className="row tall clock-row">
              <SeverityShape severity={severity} />
              <span className="two">
                <span className={`mid c-${severity}`}>{t(`operations.clock.is.${word}`)}</span>
                <span className="sm mut">{t(`operations.clock.means.${word}`)}</span>
                <Told text={clock.reason} className="sm sec" />
              </span>
              <span className="two num">
                {!Number.isNaN(tick) && <Moment at={tick}>{formatSeconds(tick, locale)}</Moment>}
                <span className="sm mut">
                  {Number.isNaN(tick)
                    ? t("operations.clock.no_tick")
                    : t("operations.clock.tick_age", {
                        span: formatSpan(Math.max(0, now - tick), locale),
                      })}
                </span>
              </span>
              <span className="two num">
                {clock.wall_clock && (
                  <Moment at={clock.wall_clock}>{formatSeconds(clock.wall_clock, locale)}</Moment>
                )}
                <span className="sm mut">{t("operations.clock.wall")}</span>
              </span>
              <span className="clock-sync">
                {clock.synchronised ? (
                  <span className="sm mut">{t("operations.clock.synchronised")}</span>
                ) : (
                  <span className="sm sec">{t("operations.clock.not_synchronised")}</span>
                )}
              </span>
              {may && (
                <span className="row-acts">
                  <Button kind="plain" keyCap="t" onClick={() => setAsking(true)}>
                    {t("operations.clock.confirm")}
                  </Button>
                </span>
              )}
              {asking && <ClockSheet clock={clock} onClose={() => setAsking(false)} />}
            </div>
          );
        }}
      </Loaded>
    </section>
  );
}
