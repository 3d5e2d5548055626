import "./people.css";
import { type CSSProperties, useMemo, useState } from "react";
import { useLocation } from "wouter";
import {
  absenceAt,
  hasLeft,
  type StaffMember,
  usePersonName,
  useStaff,
  useUnits,
} from "../../api/staff";
import { roles } from "../../app/session";
import { Avatar, Button, Cut } from "../../components/basics";
import { FilterBar, FilterSelect, treeOf } from "../../components/filters";
import { useNow } from "../../components/freshness";
import { HandoverSheet } from "../../components/handover";
import { Icon } from "../../components/icon";
import { useListKeys, useSelectedInSight } from "../../components/list";
import { Screen } from "../../components/screen";
import { Empty, ErrorBanner, SkeletonRows } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import { lastDayOf } from "../../lib/absence";
import { formatDay } from "../../lib/dates";
import { folded } from "../../lib/fold";
import { oneOf, text, useSearchParams } from "../../lib/search-params";
import { PersonPanel, RolesInWords, rolesOf } from "./panel";

const params = { q: text(), role: oneOf("", ...roles), open: text() };
const unitKinds = ["team", "branch", "department"] as const;

/** Who works here: units as they stand below each other, people, roles, absences, handover. */
export default function PeopleScreen() {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const [, navigate] = useLocation();
  const [search, change] = useSearchParams(params);
  const staff = useStaff();
  const units = useUnits();
  const nameOf = usePersonName();
  const [handingOver, setHandingOver] = useState(false);
  const wanted = folded(search.q.trim());
  const groups = useMemo(() => {
    const collator = new Intl.Collator(locale);
    const people = (staff.data ?? [])
      .filter(
        (person) =>
          folded(`${person.name ?? ""} ${person.person_id ?? ""} ${person.e_mail ?? ""}`).includes(
            wanted,
          ) &&
          (search.role === "" || rolesOf(person).includes(search.role)),
      )
      .sort(
        (a, b) =>
          Number(hasLeft(a, now)) - Number(hasLeft(b, now)) ||
          collator.compare(a.name ?? "", b.name ?? ""),
      );
    const tree = treeOf(units.data ?? []);
    const known = new Set(tree.map(({ unit }) => unit.unit_id));
    const narrowed = wanted !== "" || search.role !== "";
    const all = tree.map(({ unit, depth }) => ({
      id: unit.unit_id ?? "",
      unit,
      depth,
      people: people.filter((person) => person.unit_id === unit.unit_id),
    }));
    const rest = people.filter((person) => !known.has(person.unit_id ?? ""));
    return [
      ...all.filter((group) => !narrowed || group.people.length > 0),
      ...(rest.length > 0 ? [{ id: "", unit: null, depth: 0, people: rest }] : []),
    ];
  }, [staff.data, units.data, wanted, search.role, locale, now]);
  const people = groups.flatMap((group) => group.people);
  const selected = people.findIndex((person) => person.person_id === search.open);
  const shown = people[selected];
  const select = (id: string) => change({ open: id }, { replace: true });
  useListKeys({
    title: t("nav.people"),
    count: people.length,
    selected,
    onSelect: (index) => select(people[index]?.person_id ?? ""),
    onOpen: (index) =>
      navigate(`/clients?owner=${encodeURIComponent(people[index]?.person_id ?? "")}`),
    onClose: () => select(""),
  });
  const list = useSelectedInSight(search.open || null);
  const presence = (person: StaffMember): string => {
    if (person.left_at) {
      return t(hasLeft(person, now) ? "people.left" : "people.leaves", {
        day: formatDay(person.left_at, locale, { now }),
      });
    }
    const away = absenceAt(person, now);
    if (away) {
      return t("people.away", {
        until: lastDayOf(away, locale, now),
        deputy: away.deputy_id ? nameOf(away.deputy_id) : "",
        known: away.deputy_id ? "yes" : "no",
      });
    }
    const stands = person.stands_in_for_ids ?? [];
    return stands.length > 0 ? t("people.stands_in", { names: stands.map(nameOf).join(", ") }) : "";
  };
  const loading = staff.isPending || units.isPending;
  const failed = staff.error ?? units.error;
  const readAgain = () => {
    void staff.refetch();
    void units.refetch();
  };
  return (
    <Screen
      className="people list-screen"
      title={t("nav.people")}
      sub={
        <>
          {t("people.imported")} <code>rapport staff import</code>
        </>
      }
    >
      <FilterBar>
        <label className="pick grow">
          <Icon name="search" />
          <input
            type="search"
            value={search.q}
            placeholder={t("people.search")}
            aria-label={t("people.search")}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => change({ q: event.target.value }, { replace: true })}
          />
        </label>
        <FilterSelect
          label={t("people.role")}
          value={search.role}
          onChange={(value) => change({ role: roles.find((role) => role === value) ?? "" })}
        >
          <option value="">{t("filter.all")}</option>
          {roles.map((role) => (
            <option key={role} value={role}>
              {t(`role.${role}`)}
            </option>
          ))}
        </FilterSelect>
      </FilterBar>
      {failed && (
        <ErrorBanner error={failed} shownSince={staff.dataUpdatedAt} onRetry={readAgain} />
      )}
      {!loading && !failed && people.length === 0 && groups.length === 0 ? (
        wanted !== "" || search.role !== "" ? (
          <Empty
            title={t("people.none")}
            icon="person"
            action={<Button onClick={() => navigate("/people")}>{t("people.show_all")}</Button>}
          />
        ) : (
          <Empty title={t("people.empty")} icon="person">
            {t("people.empty_hint")} <code>rapport staff import staff.csv</code>
          </Empty>
        )
      ) : (
        <div className={`split ${shown ? "has-open" : ""}`}>
          <div className="list-column">
            <div className="scrolls" ref={list}>
              <div className="caps" aria-hidden="true">
                <span>{t("people.name")}</span>
                <span>{t("people.roles")}</span>
                <span className="c-presence">{t("people.presence")}</span>
              </div>
              {loading && !failed && <SkeletonRows columns={3} />}
              {people.length > 0 && (
                <div role="listbox" aria-label={t("nav.people")}>
                  {groups.map(({ id, unit, depth, people: members }) => {
                    const name = unit ? unit.name || id : t("people.no_unit");
                    const kind = unitKinds.find((one) => one === unit?.kind);
                    return (
                      <div role="group" key={id} aria-label={name}>
                        <div
                          className="sect unit"
                          aria-hidden="true"
                          style={{ "--depth": depth } as CSSProperties}
                        >
                          <b className="str sm">{name}</b>
                          {unit && (
                            <span className="n">
                              {[
                                kind && t(`people.kind.${kind}`),
                                unit.lead_id && t("people.led_by", { name: nameOf(unit.lead_id) }),
                              ]
                                .filter(Boolean)
                                .join(", ")}
                            </span>
                          )}
                          {unit && (
                            <span className="end">
                              {t("people.members", { count: Number(unit.members ?? 0) })}
                              {unit.members_below !== unit.members &&
                                `, ${t("people.members_below", { count: Number(unit.members_below ?? 0) })}`}
                            </span>
                          )}
                        </div>
                        {members.map((person) => {
                          const personId = person.person_id ?? "";
                          const away = absenceAt(person, now) !== undefined;
                          return (
                            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the list do the same
                            <div
                              key={personId}
                              role="option"
                              tabIndex={
                                personId === search.open ||
                                (search.open === "" && person === people[0])
                                  ? 0
                                  : -1
                              }
                              className={`row ${hasLeft(person, now) ? "done" : ""}`}
                              data-row={personId}
                              aria-selected={personId === search.open}
                              style={{ "--depth": depth } as CSSProperties}
                              onClick={() => select(personId)}
                            >
                              <span className="who">
                                <Avatar name={person.name || personId} />
                                <Cut className="mid" text={person.name || personId} />
                              </span>
                              <Cut
                                className="sec"
                                text={rolesOf(person)
                                  .map((role) => t(`role.${role}`))
                                  .join(", ")}
                              />
                              <Cut
                                className={`c-presence ${away ? "c-medium" : "sec"}`}
                                text={presence(person)}
                              />
                            </div>
                          );
                        })}
                      </div>
                    );
                  })}
                </div>
              )}
            </div>
          </div>
          <aside
            className="panel"
            aria-label={shown ? (shown.name ?? search.open) : t("people.sees")}
          >
            {shown ? (
              <PersonPanel
                key={shown.person_id}
                person={shown}
                units={units.data ?? []}
                nameOf={nameOf}
                now={now}
                onHandOver={() => setHandingOver(true)}
                onClose={() => select("")}
              />
            ) : (
              <div className="blk">
                <h2 className="panel-title">{t("people.sees")}</h2>
                <p className="sec">{t("people.sees_hint")}</p>
                <RolesInWords />
              </div>
            )}
          </aside>
        </div>
      )}
      {handingOver && shown?.person_id && (
        <HandoverSheet
          of={{ fromOwnerId: shown.person_id }}
          onDone={() => undefined}
          onClose={() => setHandingOver(false)}
        />
      )}
    </Screen>
  );
}
