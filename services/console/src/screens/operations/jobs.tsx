import { useState } from "react";
import {
  type Job,
  type JobOrder,
  percentOf,
  startJob,
  steerJob,
  type WithJobs,
} from "../../api/operation";
import { useSession } from "../../app/session";
import { Button, Moment } from "../../components/basics";
import { useNow } from "../../components/freshness";
import { SeverityShape } from "../../components/severity";
import { Field, Sheet } from "../../components/sheet";
import { useErrorText } from "../../components/states";
import { toast } from "../../components/toast";
import { RowName, Told } from "../../components/watched";
import { type Translate, useFormattingLocale, useT } from "../../i18n";
import { formatSeconds, formatSpan, timeOf } from "../../lib/dates";
import { useKeys } from "../../lib/keys";
import { formatCount, formatPercent } from "../../lib/numbers";

export function jobKey(job: Job): string {
  return `${job.projection ?? ""}.${job.instance ?? ""}.${job.job_id ?? ""}`;
}

function kindOf(job: Job): JobOrder {
  if (job.kind === "JOB_KIND_REBUILD") return "rebuild";
  return job.kind === "JOB_KIND_ROLLBACK" ? "rollback" : "verify";
}

export function jobTitle(job: Job, t: Translate): string {
  return t(`operations.job.${kindOf(job)}`, { projection: job.projection });
}

/** What a job that is over came to. */
function resultOf(job: Job, t: Translate, locale: string): string {
  const records = formatCount(job.records, locale);
  switch (job.status) {
    case "JOB_STATUS_CANCELLED":
      return t("operations.job.cancelled", { records });
    case "JOB_STATUS_FAILED":
      return t("operations.job.failed");
    default:
  }
  if (job.kind === "JOB_KIND_ROLLBACK") {
    return t("operations.job.rolled_back", { generation: job.generation });
  }
  const taken =
    job.kind === "JOB_KIND_REBUILD"
      ? `${t("operations.job.taken_over", { generation: job.generation })} `
      : "";
  if (job.equal === true) return `${taken}${t("operations.job.equal", { records })}`;
  if (job.equal === false) return `${taken}${t("operations.job.differs", { records })}`;
  return `${taken}${t("operations.job.not_compared", { records })}`;
}

/** The job that is under way, with its progress and how to steer it. */
export function JobProgress({ job }: { job: Job }) {
  const t = useT();
  const locale = useFormattingLocale();
  const errorText = useErrorText();
  const session = useSession();
  const now = useNow(1000);
  const percent = percentOf(job);
  const paused = job.status === "JOB_STATUS_PAUSED";
  const may = session.may("operate");
  const steer = (how: "pause" | "resume" | "cancel") => {
    steerJob(job.projection ?? "", how)
      .then(() =>
        toast.show(
          t(`operations.did.${how}`, { job: jobTitle(job, t) }),
          how === "pause" ? () => steer("resume") : undefined,
        ),
      )
      .catch((error) => toast.fail(errorText(error)));
  };
  useKeys({
    title: t("nav.operations"),
    bindings: may
      ? [
          {
            key: "p",
            label: t(paused ? "operations.act.resume" : "operations.act.pause"),
            run: () => steer(paused ? "resume" : "pause"),
          },
          { key: "c", label: t("operations.act.cancel_job"), run: () => steer("cancel") },
        ]
      : [],
  });
  const remaining = job.remaining_seconds === undefined ? undefined : Number(job.remaining_seconds);
  const differences = (job.findings ?? []).filter((finding) => finding.difference);
  return (
    <div className="job">
      <div className="job-head">
        <h2>{jobTitle(job, t)}</h2>
        <span className="sm mut">{t(`operations.job.${kindOf(job)}_hint`)}</span>
        {may && (
          <span className="end">
            <Button kind="plain" keyCap="p" onClick={() => steer(paused ? "resume" : "pause")}>
              {t(paused ? "operations.act.resume" : "operations.act.pause")}
            </Button>
            <Button kind="plain" danger icon="close" keyCap="c" onClick={() => steer("cancel")}>
              {t("operations.act.cancel_job")}
            </Button>
          </span>
        )}
      </div>
      <div className="job-figures">
        {percent !== null && <span className="job-percent">{formatPercent(percent, locale)}</span>}
        <span className="sec">
          {percent === null
            ? t("operations.job.counting")
            : t("operations.job.records", {
                records: formatCount(job.records, locale),
                total: formatCount(job.total_records, locale),
              })}
        </span>
        {paused ? (
          <span className="end c-medium mid">{t("operations.job.paused")}</span>
        ) : (
          remaining !== undefined && (
            <span className="end sec">
              {t("operations.job.ready", {
                time: formatSeconds(now + remaining * 1000, locale),
                span: formatSpan(remaining * 1000, locale),
              })}
            </span>
          )
        )}
      </div>
      <span
        className="bar"
        role="progressbar"
        aria-label={jobTitle(job, t)}
        aria-valuemin={0}
        aria-valuemax={100}
        {...(percent === null ? {} : { "aria-valuenow": percent })}
      >
        <i style={{ width: `${percent ?? 0}%` }} />
      </span>
      <div className="job-foot sm">
        <span>
          <span className="mut">{t("operations.job.rate")}</span>{" "}
          <b className="mid">
            {t("operations.job.per_second", {
              records: formatCount(job.records_per_second, locale),
            })}
          </b>
        </span>
        <span>
          <span className="mut">{t("operations.job.started")}</span>{" "}
          <Moment at={job.started_at ?? now}>{formatSeconds(job.started_at ?? now, locale)}</Moment>
        </span>
        {job.instance && (
          <span>
            <span className="mut">{t("operations.job.process")}</span> {job.instance}
          </span>
        )}
        <span>
          <span className="mut">{t("operations.job.differences_so_far")}</span>{" "}
          {differences.length === 0
            ? t("operations.job.none_so_far")
            : t("operations.job.in_partitions", {
                partitions: differences.map((one) => one.partition).join(", "),
              })}
        </span>
      </div>
    </div>
  );
}

/** What was found in each partition, in words. */
function Findings({ job }: { job: Job }) {
  const t = useT();
  const locale = useFormattingLocale();
  return (
    <div className="detail">
      {job.error && (
        <p className="c-critical">
          <Told text={job.error} />
        </p>
      )}
      <dl className="findings">
        {(job.findings ?? []).map((finding) => (
          <div key={finding.partition}>
            <dt>
              {t("operations.finding.at", {
                partition: finding.partition,
                position: formatCount(finding.position, locale),
              })}
            </dt>
            <dd>
              {finding.difference ? (
                <>
                  <span className="c-medium mid">{t("operations.finding.differs")}</span>{" "}
                  <Told text={finding.difference} />
                </>
              ) : (
                <>
                  {t("operations.finding.equal")}{" "}
                  <span className="mono mut">{finding.rebuilt_digest}</span>
                </>
              )}
              {finding.difference && finding.live_digest && (
                <span className="digests mono mut">
                  {t("operations.finding.live")} {finding.live_digest}
                  <br />
                  {t("operations.finding.stored")} {finding.stored_digest}
                  <br />
                  {t("operations.finding.rebuilt")} {finding.rebuilt_digest}
                </span>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

export function JobRow(props: { job: Job; selected: boolean; onSelect(): void }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { job } = props;
  const began = timeOf(job.started_at);
  const ended = timeOf(job.ended_at);
  const severity =
    job.status === "JOB_STATUS_FAILED"
      ? "critical"
      : job.equal === false
        ? "medium"
        : job.status === "JOB_STATUS_CANCELLED"
          ? "low"
          : "good";
  return (
    <>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the button in it has the keys */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button in it has the keys */}
      <div className={`row job-row ${props.selected ? "sel" : ""}`} onClick={props.onSelect}>
        <SeverityShape severity={severity} />
        <RowName row={`j.${jobKey(job)}`} selected={props.selected} onSelect={props.onSelect}>
          <span className="mid cut">{jobTitle(job, t)}</span>
        </RowName>
        <span className="sec">{resultOf(job, t, locale)}</span>
        <span className="num mut">
          <Moment at={began}>{formatSeconds(began, locale)}</Moment>
        </span>
        <span className="num mut">
          {Number.isNaN(ended) ? "" : formatSpan(ended - began, locale)}
        </span>
      </div>
      {props.selected && <Findings job={job} />}
    </>
  );
}

/** Asks once more, and for a limit, before a job that changes what answers. */
export function JobSheet(props: { projection: WithJobs; order: JobOrder; onClose(): void }) {
  const t = useT();
  const errorText = useErrorText();
  const [limit, setLimit] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const { projection, order } = props;
  const wrong = limit !== "" && !/^\d{1,9}$/.test(limit);
  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      await startJob(projection, order, Number(limit || 0));
      toast.show(t("operations.did.start", { job: t(`operations.job.${order}`, { projection }) }));
      props.onClose();
    } catch (caught) {
      setError(errorText(caught));
      setBusy(false);
    }
  };
  return (
    <Sheet
      title={t(`operations.job.${order}`, { projection })}
      hint={t(`operations.job.${order}_long`)}
      submit={t(`operations.act.${order}`)}
      busy={busy}
      {...(wrong ? { off: t("operations.limit_wrong") } : {})}
      error={error}
      onSubmit={() => void submit()}
      onClose={props.onClose}
    >
      {order === "rollback" ? null : (
        <Field
          label={t("operations.limit")}
          hint={t("operations.limit_hint")}
          error={wrong ? t("operations.limit_wrong") : undefined}
        >
          {(field) => (
            <input
              {...field}
              type="text"
              inputMode="numeric"
              value={limit}
              autoComplete="off"
              onChange={(event) => setLimit(event.target.value.trim())}
            />
          )}
        </Field>
      )}
    </Sheet>
  );
}
