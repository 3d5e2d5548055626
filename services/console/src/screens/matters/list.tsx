import "./matters.css";
import { useEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { type Matter, type MatterKind, useLateCount, useMatters } from "../../api/matters";
import { queryClient } from "../../api/query";
import { usePersonName } from "../../api/staff";
import { freshnessOf } from "../../api/watermark";
import { type Done, useDone } from "../../api/writes";
import { useCount } from "../../app/counts";
import { useSession } from "../../app/session";
import { Button, Cut, Moment, Segmented } from "../../components/basics";
import { DoneList } from "../../components/done-list";
import { FilterBar, FilterSelect, PortfolioFilter } from "../../components/filters";
import { useNow } from "../../components/freshness";
import { Icon } from "../../components/icon";
import { useListKeys, useSelectedInSight } from "../../components/list";
import { Screen } from "../../components/screen";
import { useSegmentText } from "../../components/segment";
import { SeverityShape } from "../../components/severity";
import { Empty, ErrorBanner, SkeletonRows } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import { calendarDays, formatDay, formatRelative, formatTime, timeOf } from "../../lib/dates";
import { useKeys } from "../../lib/keys";
import { atHour } from "../../lib/local-time";
import { oneOf, text, useSearchParams } from "../../lib/search-params";
import { complaintCategories } from "../../sheets/complaint-sheet";
import { openSheet } from "../../sheets/open";
import { type MatterAction, MatterPanel } from "./panel";

const spans = ["all", "late", "week", "month"] as const;
const orders = ["due", "client", "person"] as const;
const params = {
  owner: text(),
  team: text(),
  until: oneOf(...spans),
  by: oneOf(...orders),
  open: text(),
};

const grades = { LOW: "low", MEDIUM: "medium", HIGH: "high", CRITICAL: "critical" } as const;

function gradeOf(matter: Matter) {
  const name = matter.severity?.replace("COMPLAINT_SEVERITY_", "") ?? "";
  return name in grades ? grades[name as keyof typeof grades] : null;
}

const keyOf = (matter: Matter) => `${matter.client_id ?? ""}/${matter.item_id ?? ""}`;

/** Of the matter that was dealt with; null when it was something else. */
function matterKeyOf(done: Done): string | null {
  const payload = done.touchpoint?.payload;
  const id = payload?.commitment_id ?? payload?.complaint_id;
  return typeof id === "string" ? `${done.clientId}/${id}` : null;
}

/** Until when, by the day: an address that changes by the second is never the same question. */
function untilOf(span: (typeof spans)[number], today: number): string {
  switch (span) {
    case "late":
      return new Date(today).toISOString();
    case "week":
      return new Date(atHour(today, 7, 24)).toISOString();
    case "month":
      return new Date(atHour(today, 30, 24)).toISOString();
    default:
      return "2200-01-01T00:00:00Z";
  }
}

type Group = "late" | "today" | "week" | "later" | "no_date";

function groupOf(matter: Matter, now: number): Group {
  const due = timeOf(matter.due_at);
  if (Number.isNaN(due)) return "no_date";
  if (due < now) return "late";
  const days = calendarDays(now, due);
  if (days === 0) return "today";
  return days < 7 ? "week" : "later";
}

/** Open promises or complaints over a portfolio: due, late, by client and by person. */
export function MatterList({ kind }: { kind: MatterKind }) {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const session = useSession();
  const personName = usePersonName();
  const segmentText = useSegmentText();
  const [, navigate] = useLocation();
  const [search, change] = useSearchParams(params);
  const path = kind === "promise" ? "/commitments" : "/complaints";
  const title = t(kind === "promise" ? "nav.commitments" : "nav.complaints");
  const scope = useMemo(
    () => ({ owner: search.owner, team: search.team }),
    [search.owner, search.team],
  );
  // "Late" is as of when it was asked for, and asked again with the rest.
  const [openedAt, setOpenedAt] = useState(() => Date.now());
  const done = useDone();
  // What was done here, by the matter it was done with.
  const doneWith = useMemo(() => {
    const all = new Map<string, (typeof done)[number]>();
    for (const one of done) {
      const key = matterKeyOf(one);
      if (key !== null && !one.undone) all.set(key, one);
    }
    return all;
  }, [done]);
  const written = useMemo(
    () => done.filter((one) => one.state === "written").map((one) => one.clientId),
    [done],
  );
  const until = untilOf(kind === "promise" ? search.until : "all", openedAt);
  // What was taken back comes again once the client's history has been told anew, of which no
  // position tells: for a minute it is looked for.
  const [longUndone] = useState(
    () => new Set(done.filter((one) => one.undone).map(({ id }) => id)),
  );
  const undoneAt = useRef(new Map<string, number>());
  const [awaiting, setAwaiting] = useState(false);
  const list = useMatters(kind, scope, until, written, awaiting);
  const late = useLateCount(kind, scope, written, awaiting);
  // What was written changes the list as soon as the server has it.
  const changes = done
    .filter((one) => one.state === "written")
    .map((one) => `${one.id}${one.undone ? " undone" : ""}`)
    .join(" ");
  const seen = useRef(changes);
  useEffect(() => {
    if (seen.current === changes) return;
    seen.current = changes;
    void queryClient.invalidateQueries({ queryKey: ["agenda"] });
  }, [changes]);
  const section = list.data?.pages[0]?.sections?.[0];
  const matters = useMemo(() => {
    const all = (list.data?.pages ?? []).flatMap((page) => page.sections?.[0]?.items ?? []);
    const collator = new Intl.Collator(locale);
    const by = (matter: Matter) =>
      search.by === "client"
        ? matter.client_name || (matter.client_id ?? "")
        : personName(matter.agent_id || matter.owner_id || "");
    return search.by === "due" ? all : [...all].sort((a, b) => collator.compare(by(a), by(b)));
  }, [list.data, search.by, locale, personName]);
  useEffect(() => {
    const there = new Set(matters.map(keyOf));
    setAwaiting(
      done.some((one) => {
        const key = matterKeyOf(one);
        if (!one.undone || key === null || there.has(key) || longUndone.has(one.id)) return false;
        const since = undoneAt.current.get(one.id) ?? list.dataUpdatedAt;
        undoneAt.current.set(one.id, since);
        return list.dataUpdatedAt - since < 60_000;
      }),
    );
  }, [done, matters, longUndone, list.dataUpdatedAt]);
  const headingOf = (matter: Matter): string => {
    if (search.by === "client") return matter.client_name || (matter.client_id ?? "");
    if (search.by === "person") {
      const id = matter.agent_id || matter.owner_id;
      return id ? personName(id) : t("clients.no_owner");
    }
    const group = groupOf(matter, now);
    return t(`matters.group.${group}`);
  };
  const selected = matters.findIndex((matter) => keyOf(matter) === search.open);
  const shown = matters[selected];
  const select = (key: string) => change({ open: key }, { replace: true });
  const off = session.may("record_contacts") ? undefined : t("act.off.role");
  const start = (
    what:
      | "promise-kept"
      | "promise-moved"
      | "promise-broken"
      | "complaint-settled"
      | "complaint-rejected",
  ) => {
    if (!shown) return;
    openSheet({
      kind: what,
      subject: {
        clientId: shown.client_id ?? "",
        clientName: shown.client_name || (shown.client_id ?? ""),
        ownerId: shown.owner_id ?? "",
      },
      matter: {
        id: shown.item_id ?? "",
        statement: shown.text ?? "",
        ...(shown.due_at ? { dueAt: shown.due_at } : {}),
      },
    });
  };
  const actions: MatterAction[] =
    kind === "promise"
      ? [
          { key: "r", text: t("act.keep"), run: () => start("promise-kept") },
          { key: "m", text: t("act.move"), run: () => start("promise-moved") },
          { key: "b", text: t("act.break"), danger: true, run: () => start("promise-broken") },
        ]
      : [
          { key: "r", text: t("act.settle"), run: () => start("complaint-settled") },
          { key: "d", text: t("act.reject"), danger: true, run: () => start("complaint-rejected") },
        ];
  useKeys({
    title,
    bindings: actions.map((action) => ({
      key: action.key,
      label: action.text,
      enabled: shown !== undefined && off === undefined,
      run: action.run,
    })),
  });
  useListKeys({
    title,
    count: matters.length,
    selected,
    onSelect: (index) => {
      const matter = matters[index];
      if (matter) select(keyOf(matter));
    },
    onOpen: (index) => navigate(`/clients/${encodeURIComponent(matters[index]?.client_id ?? "")}`),
    onClose: () => select(""),
  });
  // Once the matter is done with, the next one has the selection.
  const justDone = shown && doneWith.has(keyOf(shown)) ? keyOf(shown) : "";
  const handled = useRef("");
  useEffect(() => {
    if (justDone === "" || handled.current === justDone) return;
    handled.current = justDone;
    const next = matters[selected + 1];
    if (next) change({ open: keyOf(next) }, { replace: true });
  }, [justDone, matters, selected, change]);
  const inSight = useSelectedInSight(search.open || null);
  const count = section ? `${section.count}${section.more ? "+" : ""}` : null;
  useCount(path, search.until === "all" && !search.owner && !search.team ? count : null);
  const groups: { heading: string; matters: Matter[] }[] = [];
  for (const matter of matters) {
    const heading = headingOf(matter);
    const last = groups.at(-1);
    if (last?.heading === heading) last.matters.push(matter);
    else groups.push({ heading, matters: [matter] });
  }
  const row = (matter: Matter) => {
    const key = keyOf(matter);
    const due = timeOf(matter.due_at);
    const since = timeOf(matter.since_at);
    const isLate = !Number.isNaN(due) && due < now;
    const grade = gradeOf(matter);
    const category = complaintCategories.find(
      (one) => matter.category === `COMPLAINT_CATEGORY_${one}`,
    );
    const was = doneWith.get(key);
    const person = matter.agent_id || matter.owner_id || "";
    return (
      // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the list do the same
      <div
        key={key}
        role="option"
        tabIndex={key === search.open || (search.open === "" && matter === matters[0]) ? 0 : -1}
        className={`row tall ${was ? "done" : ""}`}
        data-row={key}
        aria-selected={key === search.open}
        onClick={() => select(key)}
        onDoubleClick={() => navigate(`/clients/${encodeURIComponent(matter.client_id ?? "")}`)}
      >
        {was ? (
          <Icon name="check" />
        ) : kind === "complaint" && grade ? (
          <SeverityShape severity={grade} />
        ) : (
          <Icon
            name={isLate ? "clock" : kind === "promise" ? "promise" : "complaint"}
            className={isLate ? "c-critical" : "sec"}
          />
        )}
        <span className="two">
          <Cut className="mid" text={matter.client_name || (matter.client_id ?? "")} />
          <Cut className="sm mut" text={segmentText(matter)} />
        </span>
        <span className="two why">
          <Cut
            text={
              matter.text || t(kind === "promise" ? "agenda.item.PROMISE" : "agenda.item.COMPLAINT")
            }
          />
          <Cut
            className="sm mut"
            text={
              was
                ? was.text
                : [
                    kind === "complaint" && grade && t(`severity.${grade}`),
                    category && t(`complaint.category.${category}`),
                    !Number.isNaN(since) &&
                      t(kind === "promise" ? "agenda.since.PROMISE" : "agenda.since.COMPLAINT", {
                        ago: formatRelative(since, locale, now),
                      }),
                  ]
                    .filter(Boolean)
                    .join(" · ")
            }
          />
        </span>
        <Cut className="sec c-owner" text={person ? personName(person) : t("clients.no_owner")} />
        {Number.isNaN(due) ? (
          <span className="num mut sm">{t("matters.no_date")}</span>
        ) : (
          <Moment at={due} className="two num">
            <span className={isLate && !was ? "c-critical mid" : ""}>
              {calendarDays(now, due) === 0
                ? formatTime(due, locale)
                : formatDay(due, locale, { now })}
            </span>
            <span className="sm mut">{formatRelative(due, locale, now, "short")}</span>
          </Moment>
        )}
      </div>
    );
  };
  const nothing = !list.isPending && matters.length === 0 && !list.error;
  return (
    <Screen
      className="matters list-screen"
      title={title}
      sub={
        section && (
          <>
            {t(kind === "promise" ? "matters.open_promises" : "matters.open_complaints", {
              count: Number(section.count ?? 0),
              shown: `${new Intl.NumberFormat(locale).format(Number(section.count ?? 0))}${section.more ? "+" : ""}`,
            })}
            {kind === "promise" && late.data !== undefined && late.data.count > 0 && (
              <span className="c-critical">
                {", "}
                {t("matters.late", { count: late.data.count })}
              </span>
            )}
          </>
        )
      }
      freshness={freshnessOf((list.data?.pages ?? []).map((page) => page.watermark))}
      onReadAgain={() => {
        setOpenedAt(Date.now());
        void list.refetch();
        void late.refetch();
      }}
    >
      <FilterBar>
        {kind === "promise" && (
          <Segmented
            label={t("sheet.due")}
            value={search.until}
            options={spans.map((value) => ({ value, text: t(`matters.until.${value}`) }))}
            onChange={(value) => {
              setOpenedAt(Date.now());
              change({ until: value, open: "" });
            }}
          />
        )}
        <FilterSelect
          label={t("matters.by_label")}
          value={search.by === "due" ? "" : search.by}
          onChange={(value) => change({ by: orders.find((one) => one === value) ?? "due" })}
        >
          <option value="">{t("matters.order.due")}</option>
          <option value="client">{t("matters.order.client")}</option>
          <option value="person">
            {t(kind === "promise" ? "matters.order.promiser" : "matters.order.about")}
          </option>
        </FilterSelect>
        <PortfolioFilter
          owner={search.owner}
          team={search.team}
          onChange={(next) => change({ ...next, open: "" })}
        />
      </FilterBar>
      {list.error && (
        <ErrorBanner
          error={list.error}
          shownSince={list.dataUpdatedAt}
          onRetry={() => void list.refetch()}
        />
      )}
      {nothing ? (
        <Empty
          title={t(
            kind === "complaint"
              ? "matters.empty.complaint"
              : search.until === "all"
                ? "matters.empty.promise"
                : "matters.empty.span",
          )}
          action={
            search.until !== "all" && (
              <Button onClick={() => change({ until: "all" })}>{t("matters.show_all")}</Button>
            )
          }
        >
          {t(kind === "complaint" ? "matters.empty_hint.complaint" : "matters.empty_hint.promise")}
        </Empty>
      ) : (
        <div className={`split ${shown ? "has-open" : ""}`}>
          <div className="list-column">
            <div className="scrolls" ref={inSight}>
              <div className="caps" aria-hidden="true">
                <span />
                <span>{t("clients.head.name")}</span>
                <span>
                  {t(kind === "promise" ? "matters.head.promise" : "matters.head.complaint")}
                </span>
                <span className="c-owner">
                  {t(kind === "promise" ? "matters.by" : "clients.head.owner")}
                </span>
                <span className="num">{t("sheet.due")}</span>
              </div>
              {list.isPending && !list.error && <SkeletonRows columns={3} />}
              {matters.length > 0 && (
                <div role="listbox" aria-label={title}>
                  {groups.map((group) => (
                    <div role="group" key={group.heading} aria-label={group.heading}>
                      <div className="sect" aria-hidden="true">
                        <b className="str sm">{group.heading}</b>
                      </div>
                      {group.matters.map(row)}
                    </div>
                  ))}
                </div>
              )}
              {list.hasNextPage && (
                <div className="list-foot">
                  <span>
                    {search.by !== "due" && t("matters.first", { count: matters.length })}
                  </span>
                  <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                    {t("act.show_more")}
                  </Button>
                </div>
              )}
              <DoneList />
            </div>
          </div>
          <aside
            className="panel"
            aria-label={shown ? shown.client_name || title : t("today.panel")}
          >
            {shown ? (
              <MatterPanel
                key={keyOf(shown)}
                kind={kind}
                matter={shown}
                actions={actions}
                off={off}
                now={now}
                onClose={() => select("")}
              />
            ) : (
              <p className="blk sec">{t("today.panel_empty")}</p>
            )}
          </aside>
        </div>
      )}
    </Screen>
  );
}
