import "./operations.css";
import { useState } from "react";
import {
  deadLettersShown,
  isUnderWay,
  type Job,
  type JobOrder,
  type Projection,
  projections,
  type Readiness,
  readOperationAgain,
  startJob,
  useDeadLetters,
  useJobs,
  useOrganisation,
  useProjection,
  useReadiness,
  useWebHooks,
  verifyOrganisation,
  type WithJobs,
} from "../../api/operation";
import { type Freshness, freshnessOf } from "../../api/watermark";
import { useCommands } from "../../app/commands";
import { useSession } from "../../app/session";
import { Button } from "../../components/basics";
import { useNow } from "../../components/freshness";
import { useListKeys, useSelectedInSight } from "../../components/list";
import { Screen } from "../../components/screen";
import { SeverityShape } from "../../components/severity";
import { ErrorBanner, Loaded, useErrorText } from "../../components/states";
import { toast } from "../../components/toast";
import type { Standing } from "../../components/watched";
import { StandingMark, Told } from "../../components/watched";
import { useFormattingLocale, useT } from "../../i18n";
import { timeOf } from "../../lib/dates";
import { useKeys } from "../../lib/keys";
import { formatCount } from "../../lib/numbers";
import { text, useSearchParams } from "../../lib/search-params";
import { ClockSection } from "./clock";
import { type Letter, LetterRow, letterKey, MoreLetters } from "./dead-letters";
import { JobProgress, JobRow, JobSheet, jobKey } from "./jobs";
import {
  PartitionTable,
  PlainRow,
  ProjectionHeads,
  ProjectionRow,
  SettingsLine,
  Troubles,
} from "./projections";
import { standingOfJob } from "./standing";
import { WebHookRow } from "./web-hooks";

const params = { open: text(), of: text() };

const names = [...projections, "identity", "organisation"] as const;
type Name = (typeof names)[number];

function isProjection(name: Name): name is Projection {
  return (projections as readonly string[]).includes(name);
}

/** What the services say against themselves: why one is not ready, and what it warns of. */
function Warnings({ readiness }: { readiness: Readiness }) {
  const t = useT();
  const lines = readiness.services.flatMap((service) => [
    ...(service.ready
      ? []
      : [{ service: service.name, bad: true, told: service.reason || t("operations.not_ready") }]),
    ...(service.warnings ?? []).map((told) => ({ service: service.name, bad: false, told })),
  ]);
  lines.push(...(readiness.warnings ?? []).map((told) => ({ service: "", bad: false, told })));
  if (lines.length === 0) return null;
  return (
    <ul className="warnings" aria-label={t("operations.warnings")}>
      {lines.map((line) => (
        <li key={`${line.service} ${line.told}`} className={line.bad ? "c-critical" : "c-medium"}>
          <SeverityShape severity={line.bad ? "critical" : "medium"} />
          <span>
            {line.service && <b className="mid">{line.service}</b>}{" "}
            <Told text={line.told} className={line.bad ? "" : "ink"} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function useAllOfOperation() {
  const status = {
    profile: useProjection("profile"),
    retention: useProjection("retention"),
    deal_pipeline: useProjection("deal_pipeline"),
  };
  const jobs = {
    profile: useJobs("profile"),
    retention: useJobs("retention"),
    deal_pipeline: useJobs("deal_pipeline"),
    identity: useJobs("identity"),
  };
  const letters = {
    profile: useDeadLetters("profile"),
    retention: useDeadLetters("retention"),
    deal_pipeline: useDeadLetters("deal_pipeline"),
  };
  return {
    status,
    jobs,
    letters,
    organisation: useOrganisation(),
    hooks: useWebHooks(),
    readiness: useReadiness(),
  };
}

/** How the whole of it runs: each fold, what it could not fold, the log's clock, the web hooks. */
export default function OperationsScreen() {
  const t = useT();
  const locale = useFormattingLocale();
  const errorText = useErrorText();
  const session = useSession();
  const now = useNow(5000);
  const [search, change] = useSearchParams(params);
  const [asked, setAsked] = useState<{ projection: WithJobs; order: JobOrder } | null>(null);
  const all = useAllOfOperation();
  const may = session.may("operate");

  const jobsOf = (name: Name): Job[] =>
    name === "organisation" ? [] : (all.jobs[name].data?.jobs ?? []);
  const everyJob = (["profile", "retention", "deal_pipeline", "identity"] as const).flatMap(jobsOf);
  const over = everyJob
    .filter((job) => !isUnderWay(job))
    .sort((a, b) => timeOf(b.started_at) - timeOf(a.started_at));
  const letters: Letter[] = projections.flatMap((projection) =>
    (all.letters[projection].data?.dead_letters ?? []).map((summary) => ({ projection, summary })),
  );
  const hooks = all.hooks.data?.web_hooks ?? [];

  // The projection whose partitions and job are shown: the chosen one, or one that asks for it.
  const chosen = names.find((name) => name === search.of);
  const troubled = projections.find((name) =>
    all.status[name].data?.partitions?.some((one) => one.trouble || Number(one.lag_ms ?? 0) > 1000),
  );
  const shown: Name =
    chosen ?? names.find((name) => jobsOf(name).some(isUnderWay)) ?? troubled ?? "profile";

  const rows = [
    ...names.map((name) => `p.${name}`),
    ...letters.map(letterKey),
    ...over.map((job) => `j.${jobKey(job)}`),
    ...hooks.map((hook) => `w.${hook.name ?? ""}`),
  ];
  const select = (row: string) => {
    const of = row.startsWith("p.") ? row.slice(2) : row.startsWith("d.") ? row.split(".")[1] : "";
    change({ open: row, ...(of ? { of } : {}) }, { replace: true });
  };
  const toggle = (row: string) => (row === search.open ? change({ open: "" }) : select(row));
  useListKeys({
    title: t("nav.operations"),
    count: rows.length,
    selected: rows.indexOf(search.open),
    onSelect: (index) => select(rows[index] ?? ""),
    onOpen: (index) => toggle(rows[index] ?? ""),
    onClose: () => change({ open: "" }, { replace: true }),
  });
  const list = useSelectedInSight(search.open || null);

  const fail = (error: unknown) => toast.fail(errorText(error));
  const verifyAll = async () => {
    const started = await Promise.allSettled(
      (["profile", "retention", "deal_pipeline", "identity"] as const).map((name) =>
        startJob(name, "verify"),
      ),
    );
    const refused = started.find((one) => one.status === "rejected");
    if (refused) fail(refused.reason);
    else toast.show(t("operations.did.verify_all"));
  };
  const verifyShown = () => {
    if (shown !== "organisation") {
      startJob(shown, "verify")
        .then(() =>
          toast.show(
            t("operations.did.start", { job: t("operations.job.verify", { projection: shown }) }),
          ),
        )
        .catch(fail);
      return;
    }
    verifyOrganisation()
      .then((told) =>
        told.equal
          ? toast.show(
              t("operations.did.organisation_equal", {
                records: formatCount(told.records, locale),
              }),
            )
          : toast.fail(t("operations.did.organisation_differs")),
      )
      .catch(fail);
  };
  const ask = (order: JobOrder) => {
    if (isProjection(shown)) setAsked({ projection: shown, order });
  };
  const running = jobsOf(shown).filter(isUnderWay);
  const idle = running.length === 0;
  useKeys({
    title: t("nav.operations"),
    bindings: may
      ? [
          { key: "v", label: t("operations.act.verify_all"), run: () => void verifyAll() },
          {
            key: "y",
            label: t("operations.act.verify_one", { projection: shown }),
            run: verifyShown,
            enabled: idle,
          },
          {
            key: "b",
            label: t("operations.act.rebuild_one", { projection: shown }),
            run: () => ask("rebuild"),
            enabled: idle && isProjection(shown),
          },
          {
            key: "o",
            label: t("operations.act.rollback_one", { projection: shown }),
            run: () => ask("rollback"),
            enabled: idle && isProjection(shown),
          },
        ]
      : [],
  });
  useCommands(
    may
      ? [
          {
            id: "operations.verify_all",
            text: t("operations.act.verify_all"),
            icon: "operations",
            keyCap: "V",
            run: () => void verifyAll(),
          },
          ...projections.map((projection) => ({
            id: `operations.rebuild.${projection}`,
            text: t("operations.act.rebuild_one", { projection }),
            icon: "operations" as const,
            run: () => setAsked({ projection, order: "rebuild" as const }),
          })),
        ]
      : [],
  );

  const freshness: Freshness = freshnessOf(
    projections.map((one) => all.status[one].data?.watermark),
  );
  const partitions = all.status.profile.data?.partition_count;

  const identityState = ((): Standing => {
    const job = jobsOf("identity").find(isUnderWay);
    return job ? standingOfJob(job, t, locale) : { severity: "good", text: "" };
  })();
  const organisation = all.organisation.data;
  const passedOver = Number(organisation?.passed_over ?? 0);
  const organisationState: Standing =
    passedOver > 0
      ? { severity: "medium", text: t("operations.state.passed_over", { count: passedOver }) }
      : { severity: "good", text: organisation ? t("operations.state.current") : "" };

  const shownStatus = isProjection(shown) ? all.status[shown] : null;
  return (
    <Screen
      className="ops"
      title={t("nav.operations")}
      sub={
        partitions === undefined
          ? undefined
          : t("operations.partitions_count", { count: partitions })
      }
      freshness={freshness}
      onReadAgain={() => void readOperationAgain()}
      actions={
        may && (
          <Button keyCap="v" onClick={() => void verifyAll()}>
            {t("operations.act.verify_all")}
          </Button>
        )
      }
    >
      {all.readiness.data ? (
        <Warnings readiness={all.readiness.data} />
      ) : (
        all.readiness.error && (
          <ErrorBanner error={all.readiness.error} onRetry={() => void all.readiness.refetch()} />
        )
      )}
      <div ref={list}>
        <div className="wide-table">
          <table className="t projections">
            <ProjectionHeads />
            <tbody>
              {projections.map((name) => (
                <ProjectionRow
                  key={name}
                  name={name}
                  query={all.status[name]}
                  jobs={jobsOf(name)}
                  now={now}
                  selected={search.open === `p.${name}` || shown === name}
                  onSelect={() => select(`p.${name}`)}
                />
              ))}
              <PlainRow
                name="identity"
                state={
                  all.jobs.identity.error ? (
                    <span className="c-critical">{errorText(all.jobs.identity.error)}</span>
                  ) : (
                    <StandingMark standing={identityState} />
                  )
                }
                selected={shown === "identity"}
                onSelect={() => select("p.identity")}
              />
              <PlainRow
                name="organisation"
                state={
                  all.organisation.error ? (
                    <span className="c-critical">{errorText(all.organisation.error)}</span>
                  ) : (
                    <StandingMark standing={organisationState} />
                  )
                }
                {...(organisation?.digest ? { digest: organisation.digest } : {})}
                selected={shown === "organisation"}
                onSelect={() => select("p.organisation")}
              />
            </tbody>
          </table>
        </div>
        <div className={`two-parts ${shownStatus ? "" : "one"}`}>
          <section aria-label={shown}>
            {idle ? (
              <div className="job">
                <div className="job-head">
                  <h2>{shown}</h2>
                  {shownStatus?.data && <SettingsLine status={shownStatus.data} />}
                </div>
                <p className="sec">{t(`operations.about.${shown}`)}</p>
                {shown === "organisation" && organisation && (
                  <p className="sec">
                    {t("operations.organisation_counts", {
                      people: Number(organisation.people ?? 0),
                      units: Number(organisation.units ?? 0),
                    })}
                  </p>
                )}
                {shownStatus?.data && <Troubles status={shownStatus.data} />}
                {may && (
                  <div className="job-acts">
                    <Button keyCap="y" onClick={verifyShown}>
                      {t("operations.act.verify")}
                    </Button>
                    {isProjection(shown) && (
                      <>
                        <Button keyCap="b" onClick={() => ask("rebuild")}>
                          {t("operations.act.rebuild_more")}
                        </Button>
                        <Button kind="plain" keyCap="o" onClick={() => ask("rollback")}>
                          {t("operations.act.rollback_more")}
                        </Button>
                      </>
                    )}
                  </div>
                )}
              </div>
            ) : (
              running.map((job) => <JobProgress key={jobKey(job)} job={job} />)
            )}
          </section>
          {shownStatus?.data && (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways on a phone, by keys too
            <section aria-label={t("operations.by_partition", { projection: shown })} tabIndex={0}>
              <div className="sect">
                <h2>{t("operations.by_partition", { projection: shown })}</h2>
              </div>
              <PartitionTable status={shownStatus.data} />
            </section>
          )}
        </div>
        <section aria-label={t("operations.dead_letters")}>
          <div className="sect">
            <h2>{t("operations.dead_letters")}</h2>
            {letters.length > 0 && <span className="end">{t("operations.dead_letters_hint")}</span>}
          </div>
          {projections.map((projection) =>
            all.letters[projection].error ? (
              <ErrorBanner
                key={projection}
                error={all.letters[projection].error}
                {...(all.letters[projection].data
                  ? { shownSince: all.letters[projection].dataUpdatedAt }
                  : {})}
                onRetry={() => void all.letters[projection].refetch()}
              />
            ) : null,
          )}
          {letters.length === 0 && projections.every((one) => all.letters[one].data) && (
            <p className="nothing sec">{t("operations.dead_letters_none")}</p>
          )}
          {letters.map((letter) => (
            <LetterRow
              key={letterKey(letter)}
              letter={letter}
              now={now}
              selected={search.open === letterKey(letter)}
              onSelect={() => toggle(letterKey(letter))}
            />
          ))}
          {projections
            .filter((projection) => all.letters[projection].data?.next_cursor)
            .map((projection) => (
              <MoreLetters key={projection} projection={projection} count={deadLettersShown} />
            ))}
        </section>
        <section aria-label={t("operations.jobs")}>
          <div className="sect">
            <h2>{t("operations.jobs")}</h2>
            <span className="end">{t("operations.jobs_hint")}</span>
          </div>
          {over.length === 0 && <p className="nothing sec">{t("operations.jobs_none")}</p>}
          {over.map((job) => (
            <JobRow
              key={jobKey(job)}
              job={job}
              selected={search.open === `j.${jobKey(job)}`}
              onSelect={() => toggle(`j.${jobKey(job)}`)}
            />
          ))}
        </section>
        <ClockSection />
        <section aria-label={t("operations.web_hooks")}>
          <div className="sect">
            <h2>{t("operations.web_hooks")}</h2>
            <span className="end">{t("operations.web_hooks_hint")}</span>
          </div>
          <Loaded query={all.hooks} permission="read_operation">
            {() =>
              hooks.length === 0 ? (
                <p className="nothing sec">{t("operations.web_hooks_none")}</p>
              ) : (
                hooks.map((hook) => (
                  <WebHookRow
                    key={hook.name}
                    hook={hook}
                    now={now}
                    selected={search.open === `w.${hook.name ?? ""}`}
                    onSelect={() => toggle(`w.${hook.name ?? ""}`)}
                  />
                ))
              )
            }
          </Loaded>
        </section>
      </div>
      {asked && (
        <JobSheet
          projection={asked.projection}
          order={asked.order}
          onClose={() => setAsked(null)}
        />
      )}
    </Screen>
  );
}
