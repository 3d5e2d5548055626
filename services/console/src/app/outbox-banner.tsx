import { discardWaiting, sendWaiting, useOutbox } from "../api/outbox";
import { Button } from "../components/basics";
import { useNow } from "../components/freshness";
import { SeverityShape } from "../components/severity";
import { useFormattingLocale, useT } from "../i18n";
import { formatTime } from "../lib/dates";

/** What was written here and is not with the server yet, or was refused. */
export function OutboxBanner() {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow(1000);
  const { waiting, nextTryAt } = useOutbox();
  const pending = waiting.filter((one) => one.refused === undefined);
  const refused = waiting.filter((one) => one.refused !== undefined);
  const first = pending[0];
  return (
    <>
      {first && (
        <div className="banner" role="status">
          <SeverityShape severity="medium" />
          <span>
            {t("outbox.waiting", {
              count: pending.length,
              first: first.text,
              time: formatTime(first.at, locale),
            })}
            {nextTryAt !== null &&
              ` ${t("outbox.next_try", { seconds: Math.max(0, Math.ceil((nextTryAt - now) / 1000)) })}`}
          </span>
          <Button onClick={() => void sendWaiting()}>{t("act.send_now")}</Button>
        </div>
      )}
      {refused.map((one) => (
        <div className="banner bad" role="alert" key={one.touchpoint.id}>
          <SeverityShape severity="critical" />
          <span>{t("outbox.refused", { what: one.text, why: one.refused })}</span>
          <Button onClick={() => void discardWaiting(one.touchpoint.id)}>{t("act.discard")}</Button>
        </div>
      ))}
    </>
  );
}
