import { type ReactNode, useEffect, useMemo, useRef } from "react";
import { usePersonName, useStaff, useUnits } from "../api/staff";
import { type Session, useSession } from "../app/session";
import { useFormattingLocale, useT } from "../i18n";
import { useKeys } from "../lib/keys";
import {
  addDays,
  formatPeriod,
  ownPeriod,
  type Period,
  periodAt,
  periodKinds,
  shifted,
  timeOfDay,
} from "../lib/periods";
import { oneOf, text, type ValuesOf } from "../lib/search-params";
import { IconButton } from "./basics";
import { FilterSelect, treeOf } from "./filters";

/** What all screens of figures have in the URL: whose, and of which days. */
export const figureParams = {
  /** "owner:anna.keller", "team:north", "branch:clients", "firm", "mine"; "": as one's role has it. */
  scope: text(),
  period: oneOf(...periodKinds),
  /** First day; "": the period that is under way. */
  from: text(),
  /** Last day, of own periods alone. */
  to: text(),
};
export type FigureSearch = ValuesOf<typeof figureParams>;

/** Gives the scope of a unit: "branch:clients", "team:north". */
export function useUnitScope(): (unitId: string) => string {
  const units = useUnits();
  return (unitId) => {
    const kind = units.data?.find((unit) => unit.unit_id === unitId)?.kind;
    return `${kind === "branch" ? "branch" : "team"}:${unitId}`;
  };
}

/** Whose figures somebody looks at first: the unit that they lead, all, or their own. */
export function usualScope(session: Session, unitScope: (unitId: string) => string): string {
  const unit = session.leadsUnitIds[0];
  if (unit !== undefined) return unitScope(unit);
  if (session.seesAllClients || !session.personId) return "firm";
  return `owner:${session.personId}`;
}

/** The scope of the URL, or the usual one; "" until the units are known that it depends on. */
export function useScope(chosen: string): string {
  const session = useSession();
  const units = useUnits();
  const unitScope = useUnitScope();
  if (chosen) return chosen;
  if (session.leadsUnitIds.length > 0 && units.isPending) return "";
  return usualScope(session, unitScope);
}

/** Gives the name of whom a scope is about. */
export function useScopeName(): (scope: string) => string {
  const t = useT();
  const personName = usePersonName();
  const units = useUnits();
  return (scope) => {
    const [kind = "", ...rest] = scope.split(":");
    const id = rest.join(":");
    if (kind === "owner") return id === "" ? t("filter.nobody") : personName(id);
    if (kind === "team" || kind === "branch") {
      return units.data?.find((unit) => unit.unit_id === id)?.name || id;
    }
    return kind === "mine" ? t("figures.scope.mine") : t("figures.scope.firm");
  };
}

/** One of some, always chosen: no filter that could be taken away. */
export function Choice(props: {
  label: string;
  value: string;
  onChange(value: string): void;
  children: ReactNode;
}) {
  return (
    <label className="pick">
      <span>{props.label}</span>
      <select value={props.value} onChange={(event) => props.onChange(event.target.value)}>
        {props.children}
      </select>
    </label>
  );
}

/** Whose figures: one's own, a person's, a unit's, the firm's. */
export function ScopeFilter(props: { scope: string; onChange(scope: string): void }) {
  const t = useT();
  const session = useSession();
  const staff = useStaff();
  const units = useUnits();
  const personName = usePersonName();
  const tree = useMemo(() => {
    const all = treeOf(units.data ?? []);
    if (session.seesAllClients || !session.personId) return all;
    // What lies below a unit that one leads follows it, deeper, until the next of its depth.
    let below = -1;
    return all.filter(({ unit, depth }) => {
      if (below >= 0 && depth > below) return true;
      below = session.leadsUnitIds.includes(unit.unit_id ?? "") ? depth : -1;
      return below >= 0;
    });
  }, [units.data, session]);
  const seesAll = session.seesAllClients || !session.personId;
  const people = useMemo(() => {
    const ids = seesAll
      ? (staff.data ?? [])
          .filter((person) =>
            person.roles?.some((role) => role === "relationship_manager" || role === "lead"),
          )
          .map((person) => person.person_id ?? "")
      : [...session.ownerIds];
    const [kind, ...id] = props.scope.split(":");
    const shown = id.join(":");
    if (kind === "owner" && !ids.includes(shown)) ids.push(shown);
    return ids.filter((id) => id !== session.personId);
  }, [staff.data, session, seesAll, props.scope]);
  const me = `owner:${session.personId}`;
  return (
    <Choice
      label={t("figures.scope")}
      value={props.scope}
      onChange={(chosen) => props.onChange(chosen)}
    >
      {session.personId && (!seesAll || props.scope === me) && (
        <option value={me}>{t("figures.scope.me")}</option>
      )}
      {seesAll ? (
        <option value="firm">{t("figures.scope.firm")}</option>
      ) : (
        <option value="mine">{t("figures.scope.mine")}</option>
      )}
      {tree.length > 0 && (
        <optgroup label={t("filter.units")}>
          {tree.map(({ unit, depth }) => (
            <option
              key={unit.unit_id}
              value={`${unit.kind === "branch" ? "branch" : "team"}:${unit.unit_id}`}
            >
              {" ".repeat(3 * depth) + (unit.name || unit.unit_id)}
            </option>
          ))}
        </optgroup>
      )}
      {people.length > 0 && (
        <optgroup label={t("filter.managers")}>
          {people.map((id) => (
            <option key={id} value={`owner:${id}`}>
              {id === "" ? t("filter.nobody") : personName(id)}
            </option>
          ))}
        </optgroup>
      )}
    </Choice>
  );
}

/** The period of the URL; what is none there is the one that is under way. */
export function periodOf(search: FigureSearch, now: string): Period {
  if (search.period === "own") {
    return (
      ownPeriod(search.from, search.to) ??
      ownPeriod(addDays(now, -29), now) ??
      periodAt("month", now)
    );
  }
  return periodAt(search.period, Number.isNaN(timeOfDay(search.from)) ? now : search.from);
}

/** Which days: a month, a quarter, a year or one's own; the arrow keys go to those beside it. */
export function PeriodFilter(props: {
  search: FigureSearch;
  period: Period;
  /** The firm's day. */
  now: string;
  /** Whole months, quarters and years alone. */
  withoutOwn?: boolean;
  onChange(changed: Partial<FigureSearch>, options?: { replace?: boolean }): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const { period, now, search } = props;
  const move = (count: number) => {
    const to = shifted(period, count);
    props.onChange(
      { from: to.from, to: to.kind === "own" ? addDays(to.to, -1) : "" },
      { replace: true },
    );
  };
  const hasNext = period.to <= now;
  useKeys({
    title: t("figures.period"),
    bindings: [
      { key: "ArrowLeft", label: t("figures.period.before"), run: () => move(-1) },
      {
        key: "ArrowRight",
        label: t("figures.period.after"),
        enabled: hasNext,
        run: () => move(1),
      },
    ],
  });
  return (
    <>
      <span className="stepper">
        <IconButton
          icon="right"
          className="back"
          plain
          label={t("figures.period.before")}
          onClick={() => move(-1)}
        />
        {period.kind === "own" ? (
          <>
            <input
              type="date"
              className="f"
              aria-label={t("figures.period.from")}
              value={period.from}
              max={addDays(period.to, -1)}
              onChange={(event) => {
                if (ownPeriod(event.target.value, addDays(period.to, -1))) {
                  props.onChange({ from: event.target.value, to: addDays(period.to, -1) });
                }
              }}
            />
            <input
              type="date"
              className="f"
              aria-label={t("figures.period.to")}
              value={addDays(period.to, -1)}
              min={period.from}
              onChange={(event) => {
                if (ownPeriod(period.from, event.target.value)) {
                  props.onChange({ from: period.from, to: event.target.value });
                }
              }}
            />
          </>
        ) : (
          <b className="mid" aria-live="polite">
            {formatPeriod(period, locale)}
          </b>
        )}
        <IconButton
          icon="right"
          plain
          label={t("figures.period.after")}
          disabled={!hasNext}
          onClick={() => move(1)}
        />
      </span>
      <Choice
        label={t("figures.period")}
        value={search.period}
        onChange={(value) => {
          const kind = periodKinds.find((one) => one === value) ?? "month";
          // The days that are looked at stay in sight.
          const inSight = period.to <= now ? period.from : now;
          if (kind === "own") {
            props.onChange({ period: kind, from: period.from, to: addDays(period.to, -1) });
          } else props.onChange({ period: kind, from: periodAt(kind, inSight).from, to: "" });
        }}
      >
        {periodKinds
          .filter((kind) => kind !== "own" || !props.withoutOwn)
          .map((kind) => (
            <option key={kind} value={kind}>
              {t(`figures.period.${kind}`)}
            </option>
          ))}
      </Choice>
    </>
  );
}

/** As known now, or as it was reported at the end of a day. `G` goes to it. */
export function ReportedFilter(props: {
  /** What it is called; left out: "as reported on". */
  label?: string;
  value: string;
  /** The firm's day. */
  now: string;
  onChange(day: string): void;
}) {
  const t = useT();
  const field = useRef<HTMLInputElement>(null);
  useKeys({
    title: t("figures.reported"),
    bindings: [
      {
        key: "g",
        label: props.label ?? t("figures.reported_on"),
        run: () => field.current?.focus(),
      },
    ],
  });
  const { value } = props;
  useEffect(() => {
    if (field.current && field.current !== document.activeElement) field.current.value = value;
  }, [value]);
  return (
    <span className={`pick ${value ? "is-set" : ""}`}>
      <label>
        <span>{props.label ?? t("figures.reported_on")}</span>{" "}
        <input
          ref={field}
          type="date"
          defaultValue={value}
          max={props.now}
          aria-keyshortcuts="g"
          onChange={(event) => {
            const day = event.target.value;
            if (day === "" || !Number.isNaN(timeOfDay(day))) props.onChange(day);
          }}
        />
      </label>
      {value && (
        <IconButton
          icon="close"
          plain
          label={t("figures.as_known_now")}
          onClick={() => {
            if (field.current) field.current.value = "";
            props.onChange("");
          }}
        />
      )}
    </span>
  );
}

export const segments = ["personal", "business", "corporate"] as const;

/** Clients of one segment alone. */
export function SegmentFilter(props: { value: string; onChange(segment: string): void }) {
  const t = useT();
  return (
    <FilterSelect label={t("figures.segment")} value={props.value} onChange={props.onChange}>
      <option value="">{t("filter.all")}</option>
      {segments.map((segment) => (
        <option key={segment} value={segment}>
          {t(`segment.${segment}`)}
        </option>
      ))}
    </FilterSelect>
  );
}
