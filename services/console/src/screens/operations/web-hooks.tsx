import {
  type Delivery,
  enableWebHook,
  resendDelivery,
  useDeliveries,
  type WebHook,
} from "../../api/operation";
import { useSession } from "../../app/session";
import { Button, Cut, Moment } from "../../components/basics";
import { SeverityShape } from "../../components/severity";
import { Loaded, useErrorText } from "../../components/states";
import { toast } from "../../components/toast";
import { RowName, Told } from "../../components/watched";
import { type Translate, useFormattingLocale, useT } from "../../i18n";
import { formatRelative, formatSeconds, formatSpan, timeOf } from "../../lib/dates";
import { useKeys } from "../../lib/keys";
import { formatCount } from "../../lib/numbers";
import { nameOfId } from "../../lib/people";

function wasTaken(delivery: Delivery): boolean {
  const status = delivery.status ?? 0;
  return status >= 200 && status < 300;
}

function answerOf(delivery: Delivery, t: Translate): string {
  return delivery.status
    ? t("operations.hook.answered", { status: delivery.status })
    : t("operations.hook.no_answer");
}

function Deliveries({ hook }: { hook: WebHook }) {
  const t = useT();
  const locale = useFormattingLocale();
  const errorText = useErrorText();
  const session = useSession();
  const name = hook.name ?? "";
  const query = useDeliveries(name);
  const may = session.may("operate");
  const resend = (delivery: Delivery) => {
    resendDelivery(name, delivery.id ?? "")
      .then(() => toast.show(t("operations.did.resend", { position: delivery.position })))
      .catch((error) => toast.fail(errorText(error)));
  };
  return (
    <div className="detail">
      <Loaded query={query} permission="read_operation">
        {(page) => {
          const all = page.deliveries ?? [];
          if (all.length === 0) return <p className="sec">{t("operations.hook.none_yet")}</p>;
          return (
            <table className="t deliveries">
              <thead>
                <tr>
                  <th scope="col">{t("operations.hook.head.answer")}</th>
                  <th scope="col">{t("operations.hook.head.step")}</th>
                  <th scope="col" className="num">
                    {t("operations.hook.head.attempt")}
                  </th>
                  <th scope="col" className="num">
                    {t("operations.hook.head.took")}
                  </th>
                  <th scope="col" className="num">
                    {t("operations.hook.head.at")}
                  </th>
                  <th scope="col">{t("operations.hook.head.next")}</th>
                  {may && (
                    <th scope="col">
                      <span className="vh">{t("operations.act.resend")}</span>
                    </th>
                  )}
                </tr>
              </thead>
              <tbody>
                {all.map((delivery) => {
                  const taken = wasTaken(delivery);
                  const next = timeOf(delivery.next_attempt_at);
                  return (
                    <tr key={`${delivery.id} ${delivery.attempt} ${delivery.at}`}>
                      <td>
                        <span className={`sev ${taken ? "c-good" : "c-high"}`}>
                          <SeverityShape severity={taken ? "good" : "high"} />
                          {answerOf(delivery, t)}
                        </span>{" "}
                        <Told text={delivery.error} className="sm sec" />
                      </td>
                      <td className="mono mut" title={delivery.id}>
                        {delivery.position}
                      </td>
                      <td className="num">
                        {delivery.attempt === 0 ? t("operations.hook.by_hand") : delivery.attempt}
                      </td>
                      <td className="num sec">
                        {new Intl.NumberFormat(locale, {
                          style: "unit",
                          unit: "millisecond",
                          unitDisplay: "short",
                        }).format(Number(delivery.duration_ms ?? 0))}
                      </td>
                      <td className="num sec">
                        {delivery.at && (
                          <Moment at={delivery.at}>{formatSeconds(delivery.at, locale)}</Moment>
                        )}
                      </td>
                      <td className="sec">
                        {delivery.settled
                          ? taken
                            ? ""
                            : t("operations.hook.given_up")
                          : Number.isNaN(next)
                            ? ""
                            : t("operations.hook.next_at", { time: formatSeconds(next, locale) })}
                      </td>
                      {may && (
                        <td className="num">
                          <Button kind="plain" onClick={() => resend(delivery)}>
                            {t("operations.act.resend")}
                          </Button>
                        </td>
                      )}
                    </tr>
                  );
                })}
              </tbody>
            </table>
          );
        }}
      </Loaded>
    </div>
  );
}

export function WebHookRow(props: {
  hook: WebHook;
  now: number;
  selected: boolean;
  onSelect(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const errorText = useErrorText();
  const session = useSession();
  const { hook, now } = props;
  const name = hook.name ?? "";
  const may = session.may("operate");
  const last = hook.last_delivery;
  const oldest = timeOf(hook.oldest_pending_at);
  const paused = timeOf(hook.paused_until);
  const enable = () => {
    enableWebHook(name)
      .then(() => toast.show(t("operations.did.enable", { name })))
      .catch((error) => toast.fail(errorText(error)));
  };
  useKeys({
    title: t("operations.web_hooks"),
    bindings:
      props.selected && may && hook.disabled
        ? [{ key: "e", label: t("operations.act.enable"), run: enable }]
        : [],
  });
  const failing = last !== undefined && last !== null && !wasTaken(last);
  const severity = hook.disabled ? "critical" : failing ? "high" : "good";
  const told = hook.disabled
    ? t("operations.hook.disabled")
    : paused > now
      ? t("operations.hook.paused", { time: formatSeconds(paused, locale) })
      : last
        ? answerOf(last, t)
        : t("operations.hook.nothing_yet");
  return (
    <>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the button in it has the keys */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button in it has the keys */}
      <div className={`row tall hook-row ${props.selected ? "sel" : ""}`} onClick={props.onSelect}>
        <SeverityShape severity={severity} />
        <span className="two">
          <RowName row={`w.${name}`} selected={props.selected} onSelect={props.onSelect}>
            <span className="mid cut">{name}</span>
          </RowName>
          <span className="sm mut cut">
            {hook.owner_id
              ? t("operations.hook.of_owner", { owner: nameOfId(hook.owner_id) })
              : t("operations.hook.of_all")}
          </span>
        </span>
        <span className="two">
          <span className={severity === "good" ? "" : `c-${severity}`}>{told}</span>
          <Cut className="sm mut" text={hook.url ?? ""} />
        </span>
        <span className="two num">
          <span>
            {hook.delivering && t("operations.hook.pending", { count: Number(hook.pending ?? 0) })}
          </span>
          <span className="sm mut">
            {hook.delivering
              ? !Number.isNaN(oldest) &&
                t("operations.hook.oldest", { span: formatSpan(now - oldest, locale) })
              : t("operations.hook.other_process")}
          </span>
        </span>
        <span className="two num">
          {last?.at && (
            <>
              <Moment at={last.at}>{formatRelative(last.at, locale, now)}</Moment>
              <span className="sm mut">
                {t("operations.hook.attempt", { count: formatCount(last.attempt, locale) })}
              </span>
            </>
          )}
        </span>
        <span className="row-acts">
          {may && hook.disabled && (
            <Button
              kind="plain"
              {...(props.selected ? { keyCap: "e" } : {})}
              onClick={(event) => {
                event.stopPropagation();
                enable();
              }}
            >
              {t("operations.act.enable")}
            </Button>
          )}
        </span>
      </div>
      {props.selected && <Deliveries hook={hook} />}
    </>
  );
}
