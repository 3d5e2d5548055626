import { useState } from "react";
import {
  type DeadLetterSummary,
  orderDeadLetter,
  type Projection,
  useDeadLetter,
} from "../../api/operation";
import { useSession } from "../../app/session";
import { Button, Cut, Moment, TextLink } from "../../components/basics";
import { SeverityShape } from "../../components/severity";
import { Field, Sheet } from "../../components/sheet";
import { Loaded, useErrorText } from "../../components/states";
import { toast } from "../../components/toast";
import { RowName } from "../../components/watched";
import { useFormattingLocale, useT } from "../../i18n";
import { formatRelative } from "../../lib/dates";
import { useDraft } from "../../lib/draft";
import { hexLines } from "../../lib/hex";
import { useKeys } from "../../lib/keys";
import { formatCount } from "../../lib/numbers";

export interface Letter {
  projection: Projection;
  summary: DeadLetterSummary;
}

export function letterKey(letter: Letter): string {
  return `d.${letter.projection}.${letter.summary.position ?? ""}`;
}

/** "OrderCancelled" of "order_cancelled": what the touchpoint is called everywhere else. */
function kindName(kind: string): string {
  return kind
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function Contents({ letter }: { letter: Letter }) {
  const t = useT();
  const query = useDeadLetter(letter.projection, letter.summary.position ?? "");
  return (
    <div className="detail letter">
      <Loaded query={query}>
        {(told) => {
          const value = told.record_value ? bytesOf(told.record_value) : null;
          if (value === null && !told.touchpoint) {
            return <p className="sec">{t("operations.letter.hidden")}</p>;
          }
          return (
            <>
              <div>
                <h3>{t("operations.letter.decoded")}</h3>
                {told.touchpoint ? (
                  <pre className="mono sec">{JSON.stringify(told.touchpoint, null, 2)}</pre>
                ) : (
                  <p className="sec">{t("operations.letter.undecodable")}</p>
                )}
              </div>
              {value !== null && (
                <div>
                  <h3>{t("operations.letter.bytes", { count: value.length })}</h3>
                  <pre className="mono mut">{hexLines(value)}</pre>
                </div>
              )}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

function SkipSheet({ letter, onClose }: { letter: Letter; onClose(): void }) {
  const t = useT();
  const errorText = useErrorText();
  const { fields, change, clear } = useDraft(`skip.${letterKey(letter)}`, () => ({ reason: "" }));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const reason = fields.reason.trim();
  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      await orderDeadLetter(letter.projection, letter.summary.position ?? "", "skip", reason);
      clear();
      toast.show(t("operations.did.skip", { position: letter.summary.position }));
      onClose();
    } catch (caught) {
      setError(errorText(caught));
      setBusy(false);
    }
  };
  return (
    <Sheet
      title={t("operations.letter.skip_title", { position: letter.summary.position })}
      hint={t("operations.letter.skip_hint")}
      submit={t("operations.act.skip")}
      busy={busy}
      {...(reason === "" ? { off: t("operations.letter.reason_missing") } : {})}
      error={error}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <Field label={t("operations.letter.reason")} hint={t("operations.letter.reason_hint")}>
        {(field) => (
          <textarea
            {...field}
            value={fields.reason}
            onChange={(event) => change({ reason: event.target.value })}
          />
        )}
      </Field>
    </Sheet>
  );
}

export function LetterRow(props: {
  letter: Letter;
  now: number;
  selected: boolean;
  onSelect(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const errorText = useErrorText();
  const session = useSession();
  const [skipping, setSkipping] = useState(false);
  const [busy, setBusy] = useState(false);
  const { letter, now } = props;
  const { summary } = letter;
  const may = session.may("operate");
  const [partition = "", offset = ""] = (summary.position ?? "").split(":");
  const retry = async () => {
    setBusy(true);
    try {
      await orderDeadLetter(
        letter.projection,
        summary.position ?? "",
        "retry",
        t("operations.letter.retry_reason"),
      );
      toast.show(t("operations.did.retry", { position: summary.position }));
    } catch (caught) {
      toast.fail(errorText(caught));
    }
    setBusy(false);
  };
  useKeys({
    title: t("operations.dead_letters"),
    bindings:
      props.selected && may
        ? [
            { key: "r", label: t("operations.act.retry"), run: () => void retry() },
            { key: "x", label: t("operations.act.skip_long"), run: () => setSkipping(true) },
          ]
        : [],
  });
  const held = summary.holds_back
    ? t("operations.letter.holds_back")
    : summary.waiting
      ? t("operations.letter.waiting")
      : "";
  return (
    <>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the button in it has the keys */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button in it has the keys */}
      <div
        className={`row tall letter-row ${props.selected ? "sel" : ""}`}
        onClick={props.onSelect}
      >
        <SeverityShape severity={summary.waiting ? "medium" : "critical"} />
        <span className="num sec c-offset">{formatCount(offset, locale)}</span>
        <span className="two">
          <RowName row={letterKey(letter)} selected={props.selected} onSelect={props.onSelect}>
            <span className="mid cut">
              {summary.kind ? kindName(summary.kind) : t("operations.letter.unknown_kind")}
            </span>
          </RowName>
          {summary.client_id &&
            (session.may("read_clients") ? (
              <TextLink to={`/clients/${encodeURIComponent(summary.client_id)}`} className="sm cut">
                {summary.client_id}
              </TextLink>
            ) : (
              <span className="sm mut cut">{summary.client_id}</span>
            ))}
        </span>
        <span className="two">
          <span className={props.selected ? "" : "cut"} lang="en" title={summary.reason}>
            {summary.reason}
          </span>
          <span className="sm mut cut">
            {t("operations.letter.where", { projection: letter.projection, partition })}
            {summary.recorded_at && (
              <>
                {" · "}
                <Moment at={summary.recorded_at}>
                  {formatRelative(summary.recorded_at, locale, now)}
                </Moment>
              </>
            )}
            {held && ` · ${held}`}
          </span>
        </span>
        {may && (
          <span className="row-acts">
            <Button
              kind="plain"
              busy={busy}
              {...(props.selected ? { keyCap: "r" } : {})}
              onClick={(event) => {
                event.stopPropagation();
                void retry();
              }}
            >
              {t("operations.act.retry")}
            </Button>
            <Button
              kind="plain"
              {...(props.selected ? { keyCap: "x" } : {})}
              onClick={(event) => {
                event.stopPropagation();
                setSkipping(true);
              }}
            >
              {t("operations.act.skip_long")}
            </Button>
          </span>
        )}
      </div>
      {props.selected && <Contents letter={letter} />}
      {skipping && <SkipSheet letter={letter} onClose={() => setSkipping(false)} />}
    </>
  );
}

/** The first of one projection's dead letters are shown; says so when there are more. */
export function MoreLetters({ projection, count }: { projection: string; count: number }) {
  const t = useT();
  return (
    <p className="more sm mut">
      <Cut text={t("operations.letter.more", { projection, count })} />
    </p>
  );
}
