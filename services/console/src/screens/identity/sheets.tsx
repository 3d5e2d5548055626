import "./identity.css";
import { Fragment, useState } from "react";
import type { Client } from "../../api/clients";
import { type Merge, mergeClients, splitMerge, useMergePreview } from "../../api/identities";
import { usePersonName } from "../../api/staff";
import { useSegmentText } from "../../components/segment";
import { Choice, Field, Sheet } from "../../components/sheet";
import { useErrorText } from "../../components/states";
import { toast } from "../../components/toast";
import { hasText, useT } from "../../i18n";
import { useDraft } from "../../lib/draft";

function nameOf(client: Client): string {
  return client.facts?.name || (client.client_id ?? "");
}

/** Facts of which the two say something different; the server keeps those that were told later. */
function Differences({ clients }: { clients: readonly [Client, Client] }) {
  const t = useT();
  const segment = useSegmentText();
  const personName = usePersonName();
  const facts: [string, (client: Client) => string][] = [
    [t("clients.head.name"), (one) => one.facts?.name ?? ""],
    [t("identity.legal_name"), (one) => one.facts?.legal_name ?? ""],
    [t("identity.segment"), (one) => segment({ segment: one.facts?.segment ?? "" })],
    [t("client.about.industry"), (one) => one.facts?.industry ?? ""],
    [t("identity.website"), (one) => one.facts?.website ?? ""],
    [t("client.language"), (one) => one.facts?.language ?? ""],
    [t("panel.owner"), (one) => (one.owner_id ? personName(one.owner_id) : "")],
  ];
  const different = facts.flatMap(([label, of]) => {
    const [first, second] = [of(clients[0]), of(clients[1])];
    return first && second && first !== second ? [{ label, first, second }] : [];
  });
  if (different.length === 0) return null;
  return (
    <>
      <p className="sec">{t("identity.differ_hint")}</p>
      <dl className="kv">
        {different.map(({ label, first, second }) => (
          <Fragment key={label}>
            <dt>{label}</dt>
            <dd>
              {first} / {second}
            </dd>
          </Fragment>
        ))}
      </dl>
    </>
  );
}

/** What the merge would move, as the server counts it. */
function Preview({ absorbed, survivor }: { absorbed: Client; survivor: Client }) {
  const t = useT();
  const errorText = useErrorText();
  const preview = useMergePreview(absorbed.client_id ?? "", survivor.client_id ?? "");
  if (preview.error) {
    return (
      <p className="hint bad" role="alert">
        {errorText(preview.error)}
      </p>
    );
  }
  const told = preview.data;
  return (
    <div className="preview" aria-busy={preview.isPending}>
      <p>
        {told
          ? t("identity.preview", {
              absorbed: nameOf(absorbed),
              survivor: nameOf(survivor),
              count: Number(told.touchpoints ?? 0),
              deals: Number(told.deals ?? 0),
              alerts: Number(told.alerts ?? 0),
            })
          : t("state.loading")}
      </p>
      {told && <Differences clients={[absorbed, survivor]} />}
      {told && (
        <ul className="kinds">
          {(told.kinds ?? []).map((one) => {
            const id = `identity.kind.${one.kind}`;
            return (
              <li key={one.kind}>
                <span>{hasText(id) ? t(id) : (one.kind ?? "").replaceAll("_", " ")}</span>
                <span className="num">{one.touchpoints}</span>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}

/** Which of the two stays, what moves, and why. */
export function MergeSheet(props: { clients: [Client, Client]; onClose(): void }) {
  const t = useT();
  const errorText = useErrorText();
  const [first, second] = props.clients;
  // The one of whom more is known stays, unless somebody says otherwise.
  const larger =
    Number(second.touchpoint_count ?? 0) > Number(first.touchpoint_count ?? 0) ? second : first;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const { fields, change, clear } = useDraft(
    `merge.${first.client_id}.${second.client_id}`,
    () => ({ survivor: larger.client_id ?? "", reason: "" }),
  );
  const survivor = fields.survivor === second.client_id ? second : first;
  const absorbed = survivor === first ? second : first;
  return (
    <Sheet
      title={t("identity.merge_title", { first: nameOf(first), second: nameOf(second) })}
      hint={t("identity.merge_hint")}
      submit={t("identity.merge")}
      busy={busy}
      error={error}
      onSubmit={() => {
        setBusy(true);
        setError(undefined);
        mergeClients(absorbed.client_id ?? "", survivor.client_id ?? "", fields.reason.trim()).then(
          () => {
            clear();
            props.onClose();
            toast.show(
              t("identity.merged", { absorbed: nameOf(absorbed), survivor: nameOf(survivor) }),
            );
          },
          (failed: unknown) => {
            setBusy(false);
            setError(errorText(failed));
          },
        );
      }}
      onClose={props.onClose}
    >
      <Choice
        label={t("identity.stays")}
        value={survivor.client_id ?? ""}
        options={props.clients.map((client) => ({
          value: client.client_id ?? "",
          text: `${nameOf(client)} (${client.client_id})`,
        }))}
        onChange={(value) => change({ survivor: value })}
      />
      <Preview absorbed={absorbed} survivor={survivor} />
      <Field label={t("identity.reason")} hint={t("deal.optional")}>
        {(field) => (
          <input
            {...field}
            type="text"
            autoComplete="off"
            value={fields.reason}
            onChange={(event) => change({ reason: event.target.value })}
          />
        )}
      </Field>
    </Sheet>
  );
}

/** Takes a merge apart again. */
export function SplitSheet(props: { merge: Merge; onClose(): void }) {
  const t = useT();
  const errorText = useErrorText();
  const { merge } = props;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const { fields, change, clear } = useDraft(`split.${merge.merge_id}`, () => ({ reason: "" }));
  return (
    <Sheet
      title={t("identity.split_title", { absorbed: merge.absorbed_client_id ?? "" })}
      hint={t("identity.split_hint", { count: Number(merge.touchpoints ?? 0) })}
      submit={t("identity.split")}
      busy={busy}
      error={error}
      onSubmit={() => {
        setBusy(true);
        setError(undefined);
        splitMerge(merge, fields.reason.trim()).then(
          () => {
            clear();
            props.onClose();
            toast.show(t("identity.was_split", { absorbed: merge.absorbed_client_id ?? "" }));
          },
          (failed: unknown) => {
            setBusy(false);
            setError(errorText(failed));
          },
        );
      }}
      onClose={props.onClose}
    >
      <Field label={t("identity.reason")} hint={t("deal.optional")}>
        {(field) => (
          <input
            {...field}
            type="text"
            autoComplete="off"
            // biome-ignore lint/a11y/noAutofocus: a dialog gives the focus to its first field
            autoFocus
            value={fields.reason}
            onChange={(event) => change({ reason: event.target.value })}
          />
        )}
      </Field>
    </Sheet>
  );
}
