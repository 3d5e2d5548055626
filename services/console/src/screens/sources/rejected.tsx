import { useState } from "react";
import { type Rejected, retryRejected } from "../../api/operation";
import { rolesThatMay, useSession } from "../../app/session";
import { Button, Cut, IconButton, Moment } from "../../components/basics";
import { SeverityShape } from "../../components/severity";
import { Field, Sheet } from "../../components/sheet";
import { useErrorText } from "../../components/states";
import { toast } from "../../components/toast";
import { RowName, Told } from "../../components/watched";
import { useFormattingLocale, useT } from "../../i18n";
import { formatRelative } from "../../lib/dates";
import { useDraft } from "../../lib/draft";
import { useKeys } from "../../lib/keys";
import { createStore, useStore } from "../../lib/store";

// The rejected log keeps what was taken up later: what this page had accepted is marked until it is
// loaded again.
const taken = createStore<Readonly<Record<string, string>>>({});

export function useTaken(): Readonly<Record<string, string>> {
  return useStore(taken);
}

/** The content as an object of JSON; null when it is none, as with a row of a file. */
export function cloudEventOf(content: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(content);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function whereOf(record: Rejected): string {
  if (!record.file) return record.position ?? "";
  return record.line ? `${record.file}:${record.line}` : record.file;
}

export function RejectedRow(props: {
  record: Rejected;
  now: number;
  selected: boolean;
  onSelect(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const { record, now } = props;
  const position = useTaken()[record.position ?? ""];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the button in it has the keys
    // biome-ignore lint/a11y/noStaticElementInteractions: the button in it has the keys
    <div
      className={`row tall rejected-row ${props.selected ? "sel" : ""} ${position ? "done" : ""}`}
      onClick={props.onSelect}
    >
      <SeverityShape severity={position ? "good" : "high"} />
      <span className="two">
        <RowName row={`r.${record.position}`} selected={props.selected} onSelect={props.onSelect}>
          <span className="mid cut">{record.source || t("sources.unknown_source")}</span>
        </RowName>
        <span className="sm mut cut">{whereOf(record)}</span>
      </span>
      <span className="two">
        <Cut text={record.reason ?? ""}>
          <Told text={record.reason} />
        </Cut>
        <span className="sm mut mono cut">
          {position ? t("sources.taken", { position }) : record.content}
        </span>
      </span>
      <span className="num mut">
        {record.rejected_at && (
          <Moment at={record.rejected_at}>{formatRelative(record.rejected_at, locale, now)}</Moment>
        )}
      </span>
    </div>
  );
}

function EditSheet(props: { record: Rejected; onClose(): void; onTaken(position: string): void }) {
  const t = useT();
  const errorText = useErrorText();
  const { record } = props;
  const event = cloudEventOf(record.content ?? "");
  const { fields, change, clear } = useDraft(`rejected.${record.position}`, () => ({
    content: JSON.stringify(
      event ?? {
        specversion: "1.0",
        id: `rejected/${record.position}`,
        source: record.source,
        type: "rapport.touchpoint.v1.",
        subject: "",
        time: "",
        data: {},
      },
      null,
      2,
    ),
  }));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const wrong = cloudEventOf(fields.content) === null;
  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      const answer = await retryRejected(record.position ?? "", fields.content);
      clear();
      props.onTaken(answer.position ?? "");
      props.onClose();
    } catch (caught) {
      setError(errorText(caught));
      setBusy(false);
    }
  };
  return (
    <Sheet
      title={t("sources.edit_title", { position: record.position })}
      hint={t(event ? "sources.edit_hint" : "sources.edit_row_hint")}
      submit={t("sources.act.offer")}
      busy={busy}
      {...(wrong ? { off: t("sources.no_json") } : {})}
      error={error}
      onSubmit={() => void submit()}
      onClose={props.onClose}
    >
      <p className="hint bad">
        <Told text={record.reason} />
      </p>
      <Field label={t("sources.cloud_event")} error={wrong ? t("sources.no_json") : undefined}>
        {(field) => (
          <textarea
            {...field}
            className={`${field.className} mono code`}
            rows={16}
            spellCheck={false}
            value={fields.content}
            onChange={(change_) => change({ content: change_.target.value })}
          />
        )}
      </Field>
    </Sheet>
  );
}

/** One record that was not accepted: what was offered, why it was refused, and another try. */
export function RejectedPanel(props: { record: Rejected; now: number; onClose(): void }) {
  const t = useT();
  const locale = useFormattingLocale();
  const errorText = useErrorText();
  const session = useSession();
  const [editing, setEditing] = useState(false);
  const [busy, setBusy] = useState(false);
  const { record, now } = props;
  const position = record.position ?? "";
  const takenAt = useTaken()[position];
  const may = session.may("mend_rejected");
  const isEvent = cloudEventOf(record.content ?? "") !== null;
  const mark = (at: string) => {
    taken.set((all) => ({ ...all, [position]: at }));
    toast.show(t("sources.did.taken", { position: at }));
  };
  const retry = async () => {
    if (busy || !isEvent) return;
    setBusy(true);
    try {
      mark((await retryRejected(position, null)).position ?? "");
    } catch (caught) {
      toast.fail(errorText(caught));
    }
    setBusy(false);
  };
  useKeys({
    title: t("sources.rejected_log"),
    bindings: may
      ? [
          { key: "e", label: t("sources.act.edit"), run: () => setEditing(true) },
          { key: "r", label: t("sources.act.retry"), run: () => void retry(), enabled: isEvent },
        ]
      : [],
  });
  return (
    <aside className="panel" aria-label={t("sources.rejected_at", { position })}>
      <header className="panel-head">
        <div className="two">
          <h2 className="panel-title">{record.source || t("sources.unknown_source")}</h2>
          <span className="sm mut">{t("sources.rejected_at", { position })}</span>
        </div>
        <IconButton icon="close" plain label={t("act.close")} onClick={props.onClose} />
      </header>
      <div className="blk">
        <p className="mid">
          <Told text={record.reason} />
        </p>
        {takenAt && <p className="c-good mid">{t("sources.taken", { position: takenAt })}</p>}
      </div>
      <div className="blk">
        <dl className="kv">
          {record.file && (
            <>
              <dt>{t("sources.file")}</dt>
              <dd className="wrap">{whereOf(record)}</dd>
            </>
          )}
          {record.rejected_at && (
            <>
              <dt>{t("sources.offered")}</dt>
              <dd>
                <Moment at={record.rejected_at}>
                  {formatRelative(record.rejected_at, locale, now)}
                </Moment>
              </dd>
            </>
          )}
        </dl>
      </div>
      <div className="blk">
        <h3>{t("sources.content")}</h3>
        <pre className="mono sec">
          {isEvent ? JSON.stringify(cloudEventOf(record.content ?? ""), null, 2) : record.content}
        </pre>
      </div>
      {may ? (
        <div className="panel-acts">
          <Button keyCap="e" onClick={() => setEditing(true)}>
            {t("sources.act.edit")}
          </Button>
          <Button
            kind="plain"
            keyCap="r"
            busy={busy}
            {...(isEvent ? {} : { off: t("sources.no_event") })}
            onClick={() => void retry()}
          >
            {t("sources.act.retry")}
          </Button>
        </div>
      ) : (
        <p className="panel-acts sm mut">
          {t("state.roles_that_may", {
            roles: rolesThatMay("mend_rejected")
              .map((role) => t(`role.${role}`))
              .join(", "),
          })}
        </p>
      )}
      {editing && <EditSheet record={record} onClose={() => setEditing(false)} onTaken={mark} />}
    </aside>
  );
}
