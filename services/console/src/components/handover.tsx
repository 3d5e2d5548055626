import { useState } from "react";
import {
  absenceAt,
  handedOver,
  handOver,
  hasLeft,
  useHandoverPreview,
  usePersonName,
  useStaff,
} from "../api/staff";
import { useFormattingLocale, useT } from "../i18n";
import { lastDayOf } from "../lib/absence";
import { newId } from "../lib/ids";
import { Cut } from "./basics";
import { useNow } from "./freshness";
import { Field, Sheet } from "./sheet";
import { useErrorText } from "./states";
import { toast } from "./toast";

/** Who is to be handed over: some clients, or all of one of ours. */
export type HandoverOf = { clientIds: readonly string[] } | { fromOwnerId: string };

/** Clients go to another of ours; what would change is told before it does. */
export function HandoverSheet(props: {
  of: HandoverOf;
  onDone(toOwnerId: string): void;
  onClose(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const errorText = useErrorText();
  const personName = usePersonName();
  const now = useNow();
  const staff = useStaff();
  const [to, setTo] = useState("");
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  // Another choice is another order; the same, sent again, is carried out once.
  const [orderId, setOrderId] = useState(newId);
  const from = "fromOwnerId" in props.of ? props.of.fromOwnerId : "";
  const clientIds = "clientIds" in props.of ? props.of.clientIds : [];
  const preview = useHandoverPreview({ fromOwnerId: from, toOwnerId: to, clientIds });
  const told = preview.data;
  const count = Number(told?.clients ?? 0);
  const unknown = told?.unknown_client_ids ?? [];
  const already = told && clientIds.length > 0 ? clientIds.length - count - unknown.length : 0;
  const people = (staff.data ?? []).filter(
    (person) =>
      person.person_id !== from &&
      !hasLeft(person, now) &&
      person.roles?.some((role) => role === "relationship_manager" || role === "lead"),
  );
  const chosen = people.find((person) => person.person_id === to);
  const away = chosen && absenceAt(chosen, now);
  const off =
    to === ""
      ? t("handover.off.to")
      : preview.error
        ? errorText(preview.error)
        : told === undefined
          ? t("state.loading")
          : count === 0
            ? t("handover.off.none")
            : undefined;
  const submit = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const done = await handOver(
        { fromOwnerId: from, toOwnerId: to, clientIds, reason: reason.trim(), orderId },
        { dryRun: false },
      );
      const examples = done.examples ?? [];
      const before = new Set(examples.map((example) => example.from_owner_id));
      const [owner] = before;
      // It can be taken back when all is known of who had them.
      const undo =
        owner && before.size === 1 && examples.length === Number(done.clients)
          ? () => {
              handOver(
                {
                  fromOwnerId: to,
                  toOwnerId: owner,
                  clientIds: examples.map((example) => example.client_id ?? ""),
                  reason: reason.trim(),
                  orderId: newId(),
                },
                { dryRun: false },
              ).then(
                () => {
                  handedOver();
                  props.onDone(owner);
                  toast.show(
                    t("handover.undone", { count: examples.length, name: personName(owner) }),
                  );
                },
                (failed: unknown) => toast.fail(errorText(failed)),
              );
            }
          : undefined;
      toast.show(
        t("handover.done", { count: Number(done.clients ?? 0), name: personName(to) }),
        undo,
      );
      handedOver();
      props.onDone(to);
      props.onClose();
    } catch (failed) {
      setError(errorText(failed));
      setBusy(false);
    }
  };
  return (
    <Sheet
      title={
        from
          ? t("handover.title.all", { name: personName(from) })
          : t("handover.title", { count: clientIds.length })
      }
      hint={t("handover.hint")}
      submit={count > 0 ? t("handover.submit", { count }) : t("act.hand_over")}
      busy={busy}
      {...(off === undefined ? {} : { off })}
      error={error ?? (preview.error ? errorText(preview.error) : undefined)}
      onSubmit={() => void submit()}
      onClose={props.onClose}
    >
      <Field
        label={t("handover.to")}
        {...(away
          ? {
              hint: t("people.away", {
                until: lastDayOf(away, locale, now),
                deputy: away.deputy_id ? personName(away.deputy_id) : "",
                known: away.deputy_id ? "yes" : "no",
              }),
            }
          : staff.data?.length === 0
            ? { error: t("people.empty") }
            : {})}
      >
        {(field) => (
          <select
            {...field}
            value={to}
            // biome-ignore lint/a11y/noAutofocus: a dialog gives the focus to its first field
            autoFocus
            onChange={(event) => {
              setTo(event.target.value);
              setOrderId(newId());
            }}
          >
            <option value="">{t("handover.choose")}</option>
            {people.map((person) => (
              <option key={person.person_id} value={person.person_id}>
                {person.name || person.person_id}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={t("handover.reason")} hint={t("handover.reason_hint")}>
        {(field) => (
          <input
            {...field}
            type="text"
            autoComplete="off"
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        )}
      </Field>
      {told && (
        <section className="preview" aria-live="polite">
          <p className="mid">{t("handover.preview", { count, name: personName(to) })}</p>
          {already > 0 && (
            <p className="hint">
              {t("handover.already", { count: already, name: personName(to) })}
            </p>
          )}
          {unknown.length > 0 && (
            <p className="hint bad">
              {t("handover.unknown", { count: unknown.length, ids: unknown.join(", ") })}
            </p>
          )}
          {count > 0 && (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by key
            <ol tabIndex={0} aria-label={t("handover.preview", { count, name: personName(to) })}>
              {(told.examples ?? []).map((example) => (
                <li key={example.client_id}>
                  <Cut text={example.name || (example.client_id ?? "")} />
                  <span className="sm mut">
                    {example.from_owner_id
                      ? personName(example.from_owner_id)
                      : t("clients.no_owner")}
                  </span>
                </li>
              ))}
            </ol>
          )}
          {count > (told.examples?.length ?? 0) && (
            <p className="hint">{t("handover.first", { count: told.examples?.length ?? 0 })}</p>
          )}
        </section>
      )}
    </Sheet>
  );
}
