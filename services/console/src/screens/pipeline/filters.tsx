import { type ReactNode, useMemo } from "react";
import { usePersonName, useStaff, useUnits } from "../../api/staff";
import { Chip } from "../../components/basics";
import { SeverityShape } from "../../components/severity";
import { useFormattingLocale, useT } from "../../i18n";
import { type Deal, stages } from "../../lib/board";
import { stageHeading } from "./actions";
import { formatMonthYear, kinds, monthOf, type Search } from "./filter";

/** A filter that is one of some: a chip that opens the browser's own list. */
function ChipSelect(props: {
  label: string;
  value: string;
  options: readonly { value: string; text: string }[];
  onChange(value: string): void;
}) {
  const chosen = props.options.find((option) => option.value === props.value);
  return (
    <label className={`chip pick ${props.value ? "on" : "dash"}`}>
      <span aria-hidden="true">
        {props.value ? `${props.label}: ${chosen?.text ?? props.value}` : props.label}
      </span>
      <select
        aria-label={props.label}
        value={props.value}
        onChange={(event) => props.onChange(event.target.value)}
      >
        {props.options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Filters(props: {
  deals: readonly Deal[];
  search: Search;
  onChange(changed: Partial<Search>): void;
  children?: ReactNode;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const nameOf = usePersonName();
  const staff = useStaff();
  const units = useUnits();
  const { search, onChange, deals } = props;
  const owners = useMemo(() => {
    const ids = new Set(deals.map((deal) => deal.owner_id ?? ""));
    for (const person of staff.data ?? []) {
      if (person.roles?.includes("relationship_manager")) ids.add(person.person_id ?? "");
    }
    if (search.owner) ids.add(search.owner);
    ids.delete("");
    return [...ids]
      .map((value) => ({ value, text: nameOf(value) }))
      .sort((a, b) => a.text.localeCompare(b.text, locale));
  }, [deals, staff.data, search.owner, nameOf, locale]);
  const months = useMemo(
    () =>
      [
        ...new Set(
          deals.flatMap((deal) =>
            deal.expected_close_at ? [monthOf(deal.expected_close_at)] : [],
          ),
        ),
      ].sort(),
    [deals],
  );
  const all = { value: "", text: t("pipeline.filter.all") };
  const kindsAreTold = deals.some((deal) => deal.kind);
  return (
    <div className="filters">
      <ChipSelect
        label={t("pipeline.filter.owner")}
        value={search.owner}
        options={[all, ...owners]}
        onChange={(owner) => onChange({ owner, ...(owner ? { team: "" } : {}) })}
      />
      {(units.data?.length ?? 0) > 0 && (
        <ChipSelect
          label={t("pipeline.filter.team")}
          value={search.team}
          options={[
            all,
            ...(units.data ?? []).map((unit) => ({
              value: unit.unit_id ?? "",
              text: unit.name || (unit.unit_id ?? ""),
            })),
          ]}
          onChange={(team) => onChange({ team, ...(team ? { owner: "" } : {}) })}
        />
      )}
      {(kindsAreTold || search.kind) && (
        <ChipSelect
          label={t("pipeline.filter.kind")}
          value={search.kind}
          options={[all, ...kinds.map((value) => ({ value, text: t(`deal.kind.${value}`) }))]}
          onChange={(kind) => onChange({ kind })}
        />
      )}
      <ChipSelect
        label={t("pipeline.filter.closing")}
        value={search.closing}
        options={[
          all,
          { value: "past", text: t("pipeline.filter.past") },
          ...months.map((value) => ({ value, text: formatMonthYear(value, locale) })),
          { value: "none", text: t("pipeline.filter.no_date") },
        ]}
        onChange={(closing) => onChange({ closing })}
      />
      <Chip pressed={search.stuck} onPress={() => onChange({ stuck: !search.stuck })}>
        <SeverityShape severity="critical" />
        {t("pipeline.filter.stuck")}
      </Chip>
      {props.children}
    </div>
  );
}

/** What stage the list is about; those before an outcome unless it is said. */
export function StageFilter(props: { value: string; onChange(value: string): void }) {
  const t = useT();
  return (
    <ChipSelect
      label={t("pipeline.stage")}
      value={props.value}
      options={[
        { value: "", text: t("pipeline.filter.open") },
        ...stages.map((value) => ({ value, text: stageHeading(t, value) })),
      ]}
      onChange={props.onChange}
    />
  );
}
