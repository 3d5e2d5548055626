import { useState } from "react";
import { Link } from "wouter";
import { endSessions, hasLeft, type StaffMember, type StaffUnit } from "../../api/staff";
import { roles as allRoles, type Role, rolesThatMay, useSession } from "../../app/session";
import { Button, IconButton } from "../../components/basics";
import { Sheet } from "../../components/sheet";
import { useErrorText } from "../../components/states";
import { toast } from "../../components/toast";
import { useFormattingLocale, useT } from "../../i18n";
import { lastDayOf } from "../../lib/absence";
import { formatDay, formatFull } from "../../lib/dates";
import { useKeys } from "../../lib/keys";

/** In the order of all roles. Whoever leads a unit is a lead, whether the staff list says so or not. */
export function rolesOf(person: StaffMember): Role[] {
  return allRoles.filter(
    (role) =>
      person.roles?.includes(role) || (role === "lead" && (person.leads_unit_ids?.length ?? 0) > 0),
  );
}

/** What each role may do, and whose clients it sees. */
export function RolesInWords(props: { only?: readonly Role[] }) {
  const t = useT();
  return (
    <dl className="roles">
      {(props.only ?? allRoles).map((role) => (
        <div key={role}>
          <dt className="mid">{t(`role.${role}`)}</dt>
          <dd className="sec">{t(`people.may.${role}`)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Asks before somebody is signed out everywhere, which cannot be taken back. */
function EndSessionsSheet(props: { person: StaffMember; onClose(): void }) {
  const t = useT();
  const errorText = useErrorText();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const name = props.person.name || (props.person.person_id ?? "");
  return (
    <Sheet
      title={t("people.end_sessions_of", { name })}
      hint={t("people.end_sessions_hint")}
      submit={t("people.end_sessions")}
      busy={busy}
      error={error}
      onSubmit={() => {
        setBusy(true);
        endSessions(props.person.person_id ?? "").then(
          () => {
            toast.show(t("people.sessions_ended", { name }));
            props.onClose();
          },
          (failed: unknown) => {
            setError(errorText(failed));
            setBusy(false);
          },
        );
      }}
      onClose={props.onClose}
    >
      {null}
    </Sheet>
  );
}

/** One of ours: where they belong, what they may, when they are away, and what can be done. */
export function PersonPanel(props: {
  person: StaffMember;
  units: readonly StaffUnit[];
  nameOf(id: string): string;
  now: number;
  onHandOver(): void;
  onClose(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const session = useSession();
  const [ending, setEnding] = useState(false);
  const { person, now, nameOf } = props;
  const id = person.person_id ?? "";
  const name = person.name || id;
  const unitName = (unitId: string) =>
    props.units.find((unit) => unit.unit_id === unitId)?.name || unitId;
  const own = rolesOf(person);
  const list = (words: readonly string[] | undefined) => (words ?? []).join(", ");
  const roleWords = (permission: "hand_over" | "change_staff") =>
    t("state.roles_that_may", {
      roles: rolesThatMay(permission)
        .map((role) => t(`role.${role}`))
        .join(", "),
    });
  const handOverOff = session.may("hand_over") ? undefined : roleWords("hand_over");
  const endOff =
    session.personId === ""
      ? t("people.nobody_signs_in")
      : session.may("change_staff")
        ? undefined
        : roleWords("change_staff");
  useKeys({
    title: t("nav.people"),
    bindings: [
      {
        key: "h",
        label: t("people.hand_over"),
        enabled: handOverOff === undefined,
        run: props.onHandOver,
      },
      {
        key: "e",
        label: t("people.end_sessions"),
        enabled: endOff === undefined,
        run: () => setEnding(true),
      },
    ],
  });
  return (
    <div className="side">
      <div className="blk">
        <div className="title">
          <h2 className="cut" title={name}>
            {name}
          </h2>
          <IconButton icon="close" plain label={t("act.close")} onClick={props.onClose} />
        </div>
        {person.left_at && (
          <p className={hasLeft(person, now) ? "c-critical" : "c-medium"}>
            {t(hasLeft(person, now) ? "people.left" : "people.leaves", {
              day: formatDay(person.left_at, locale, { now, long: true }),
            })}
          </p>
        )}
      </div>
      <dl className="blk kv">
        <dt>{t("people.id")}</dt>
        <dd>{id}</dd>
        {person.e_mail && (
          <>
            <dt>{t("people.e_mail")}</dt>
            <dd>{person.e_mail}</dd>
          </>
        )}
        <dt>{t("people.unit")}</dt>
        <dd>{person.unit_id ? unitName(person.unit_id) : t("people.no_unit")}</dd>
        {(person.leads_unit_ids?.length ?? 0) > 0 && (
          <>
            <dt>{t("people.leads")}</dt>
            <dd>{list(person.leads_unit_ids?.map(unitName))}</dd>
          </>
        )}
        {(person.extensions?.length ?? 0) > 0 && (
          <>
            <dt>{t("people.extensions")}</dt>
            <dd>{list(person.extensions)}</dd>
          </>
        )}
        {(person.mailboxes?.length ?? 0) > 0 && (
          <>
            <dt>{t("people.mailboxes")}</dt>
            <dd>{list(person.mailboxes)}</dd>
          </>
        )}
      </dl>
      {((person.absences?.length ?? 0) > 0 || (person.stands_in_for_ids?.length ?? 0) > 0) && (
        <div className="blk">
          <h3>{t("people.absences")}</h3>
          {person.absences
            ?.filter((absence) => absence.cancelled !== true)
            .map((absence) => (
              <p className="two absence" key={absence.absence_id}>
                <span title={absence.from_at && formatFull(absence.from_at, locale)}>
                  {t("people.absence", {
                    from: absence.from_at ? formatDay(absence.from_at, locale, { now }) : "",
                    until: lastDayOf(absence, locale, now),
                  })}
                </span>
                <span className="sm mut">
                  {absence.deputy_id
                    ? t("people.deputy", { name: nameOf(absence.deputy_id) })
                    : t("people.no_deputy")}
                </span>
              </p>
            ))}
          {(person.stands_in_for_ids?.length ?? 0) > 0 && (
            <p>{t("people.stands_in", { names: list(person.stands_in_for_ids?.map(nameOf)) })}</p>
          )}
        </div>
      )}
      <div className="blk">
        <h3>{t("people.sees")}</h3>
        {own.length > 0 ? (
          <RolesInWords only={own} />
        ) : (
          <p className="sec">{t("people.no_roles")}</p>
        )}
      </div>
      <div className="blk">
        <Link className="link" href={`/clients?owner=${encodeURIComponent(id)}`}>
          {t("people.clients_of", { name })}
        </Link>
      </div>
      <div className="acts">
        <Button
          keyCap="h"
          kind="main"
          {...(handOverOff === undefined ? {} : { off: handOverOff })}
          onClick={props.onHandOver}
        >
          {t("people.hand_over")}
        </Button>
        <Button
          keyCap="e"
          {...(endOff === undefined ? {} : { off: endOff })}
          onClick={() => setEnding(true)}
        >
          {t("people.end_sessions")}
        </Button>
      </div>
      {ending && <EndSessionsSheet person={person} onClose={() => setEnding(false)} />}
    </div>
  );
}
