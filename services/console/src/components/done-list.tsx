import { useDone } from "../api/writes";
import { useFormattingLocale, useT } from "../i18n";
import { formatTime } from "../lib/dates";
import { takeBack } from "../sheets/undo";
import { Button, Cut } from "./basics";
import { Icon } from "./icon";
import { useErrorText } from "./states";
import { toast } from "./toast";

/** What was done here today, the latest first, each with undo. */
export function DoneList() {
  const t = useT();
  const locale = useFormattingLocale();
  const errorText = useErrorText();
  const done = useDone();
  if (done.length === 0) return null;
  return (
    <section aria-label={t("done.today")}>
      <div className="sect">
        <h2>{t("done.today")}</h2>
        <span className="n">{done.length}</span>
      </div>
      {done.map((one) => (
        <div className="row done" key={one.id}>
          <Icon name="check" />
          <Cut text={one.text}>
            {one.undone ? <s>{one.text}</s> : one.text}
            {one.undone && ` · ${t("done.undone")}`}
            {one.state === "waiting" && ` · ${t("done.waiting")}`}
          </Cut>
          <span className="sm">{formatTime(one.at, locale)}</span>
          {one.touchpoint && !one.undone ? (
            <Button
              kind="plain"
              onClick={() =>
                takeBack(one.id).catch((error: unknown) => toast.fail(errorText(error)))
              }
            >
              {t("act.undo")}
            </Button>
          ) : (
            <span />
          )}
        </div>
      ))}
    </section>
  );
}
