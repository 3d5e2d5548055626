import "../styles/lists.css";
import { type ReactNode, useMemo } from "react";
import { type StaffUnit, usePersonName, useStaff, useUnits } from "../api/staff";
import { useSession } from "../app/session";
import { useT } from "../i18n";

/** The line below the head of a list by which it is narrowed. */
export function FilterBar({ children }: { children: ReactNode }) {
  return <div className="filters">{children}</div>;
}

/** One of some, as a small field; its label is read out and stands before it. */
export function FilterSelect(props: {
  label: string;
  value: string;
  onChange(value: string): void;
  children: ReactNode;
}) {
  return (
    <label className={`pick ${props.value ? "is-set" : ""}`}>
      <span>{props.label}</span>
      <select value={props.value} onChange={(event) => props.onChange(event.target.value)}>
        {props.children}
      </select>
    </label>
  );
}

export interface UnitInTree {
  unit: StaffUnit;
  /** 0 at the top. */
  depth: number;
}

/** The units, each before those below it. What names a unit above that is not there stands at the top. */
export function treeOf(units: readonly StaffUnit[]): UnitInTree[] {
  const known = new Set(units.map((unit) => unit.unit_id));
  const above = (unit: StaffUnit) =>
    unit.parent_unit_id && known.has(unit.parent_unit_id) ? unit.parent_unit_id : "";
  const tree: UnitInTree[] = [];
  const add = (parent: string, depth: number) => {
    for (const unit of units) {
      if (above(unit) !== parent || tree.some((other) => other.unit === unit)) continue;
      tree.push({ unit, depth });
      add(unit.unit_id ?? "", depth + 1);
    }
  };
  add("", 0);
  return tree;
}

const indent = " ".repeat(3);

/** Whose clients: everybody's that one sees, a unit's, or one person's. */
export function PortfolioFilter(props: {
  owner: string;
  team: string;
  /** Offers the clients who have nobody ("-"). */
  nobody?: boolean;
  onChange(changed: { owner: string; team: string }): void;
}) {
  const t = useT();
  const session = useSession();
  const staff = useStaff();
  const units = useUnits();
  const personName = usePersonName();
  const { owner, team } = props;
  const tree = useMemo(() => {
    const all = treeOf(units.data ?? []);
    if (session.seesAllClients) return all;
    // What lies below a unit that one leads follows it, deeper, until the next of its depth.
    let below = -1;
    return all.filter(({ unit, depth }) => {
      if (below >= 0 && depth > below) return true;
      below = session.leadsUnitIds.includes(unit.unit_id ?? "") ? depth : -1;
      return below >= 0;
    });
  }, [units.data, session]);
  const people = useMemo(() => {
    const ids = session.seesAllClients
      ? (staff.data ?? [])
          .filter((person) =>
            person.roles?.some((role) => role === "relationship_manager" || role === "lead"),
          )
          .map((person) => person.person_id ?? "")
      : [...session.ownerIds];
    if (owner && owner !== "-" && !ids.includes(owner)) ids.push(owner);
    return ids;
  }, [staff.data, session, owner]);
  const value = owner ? `owner:${owner}` : team ? `team:${team}` : "";
  return (
    <FilterSelect
      label={t("filter.portfolio")}
      value={value}
      onChange={(chosen) => {
        const [kind, ...id] = chosen.split(":");
        props.onChange({
          owner: kind === "owner" ? id.join(":") : "",
          team: kind === "team" ? id.join(":") : "",
        });
      }}
    >
      <option value="">{t("filter.all")}</option>
      {tree.length > 0 && (
        <optgroup label={t("filter.units")}>
          {tree.map(({ unit, depth }) => (
            <option key={unit.unit_id} value={`team:${unit.unit_id}`}>
              {indent.repeat(depth) + (unit.name || unit.unit_id)}
            </option>
          ))}
        </optgroup>
      )}
      <optgroup label={t("filter.managers")}>
        {people.map((id) => (
          <option key={id} value={`owner:${id}`}>
            {personName(id)}
          </option>
        ))}
        {props.nobody && <option value="owner:-">{t("filter.nobody")}</option>}
      </optgroup>
    </FilterSelect>
  );
}
