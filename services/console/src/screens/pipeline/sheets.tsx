import { useState } from "react";
import { useClient } from "../../api/clients";
import { movedTo } from "../../api/deals";
import { usePersonName, useStaff } from "../../api/staff";
import { useSession } from "../../app/session";
import { ClientPicker } from "../../components/client-picker";
import { Choice, Field, Sheet } from "../../components/sheet";
import { useFormattingLocale, useT } from "../../i18n";
import { type Deal, openStages, type Stage } from "../../lib/board";
import { useDraft } from "../../lib/draft";
import { newId } from "../../lib/ids";
import { dateOf, fromLocal } from "../../lib/local-time";
import { decimalOf, digitsOf, formatMoney, type Money, parseAmount } from "../../lib/money";
import { TextField } from "../../sheets/fields";
import {
  awaitFocus,
  closeDealSheet,
  type DealSheetKind,
  openDealSheet,
  stageHeading,
  titleOf,
  useOpenDealSheet,
  useWriteDeal,
} from "./actions";
import { kinds, sources } from "./filter";
import { lossReasons } from "./panel";

/** "1550.00" of an amount, as it is typed. */
function typedOf(money: Money | undefined): string {
  return money?.currency_code
    ? decimalOf(money.minor_units ?? "0", digitsOf(money.currency_code))
    : "";
}

/** Noon of a date, so that it is the same day in all zones of a firm; undefined when it is none. */
function noonOf(date: string): string | undefined {
  return fromLocal(`${date}T12:00`) ?? undefined;
}

/** Undefined: nothing was typed; null: it is no amount. */
function moneyOf(typed: string, currency: string): Money | null | undefined {
  if (typed.trim() === "") return undefined;
  if (!/^[A-Z]{3}$/.test(currency)) return null;
  const minor = parseAmount(typed, digitsOf(currency));
  return minor === null ? null : { minor_units: minor, currency_code: currency };
}

function AmountField(props: {
  label: string;
  amount: string;
  currency: string;
  error: string | undefined;
  first?: boolean;
  onChange(changed: { amount?: string; currency?: string }): void;
}) {
  const t = useT();
  return (
    <div className="amount-field">
      <Field label={props.label} error={props.error}>
        {(field) => (
          <input
            {...field}
            inputMode="decimal"
            autoComplete="off"
            // biome-ignore lint/a11y/noAutofocus: a dialog gives the focus to its first field
            autoFocus={props.first === true}
            value={props.amount}
            onChange={(event) => props.onChange({ amount: event.target.value })}
          />
        )}
      </Field>
      <Field label={t("deal.currency")}>
        {(field) => (
          <input
            {...field}
            autoComplete="off"
            maxLength={3}
            value={props.currency}
            onChange={(event) => props.onChange({ currency: event.target.value.toUpperCase() })}
          />
        )}
      </Field>
    </div>
  );
}

function DateField(props: {
  label: string;
  value: string;
  error?: string | undefined;
  onChange(value: string): void;
}) {
  return (
    <Field label={props.label} error={props.error}>
      {(field) => (
        <input
          {...field}
          type="date"
          value={props.value}
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

interface Props {
  deal: Deal;
  clientName: string;
  onClose(): void;
}

// A sheet closes at once, and the board shows what was done. What the server refuses opens it again
// with all that was typed.
function useSubmit(kind: DealSheetKind, props: Props) {
  const writeOf = useWriteDeal();
  const [id] = useState(newId);
  return (order: Omit<Parameters<typeof writeOf>[0], "before">, clear: () => void) => {
    awaitFocus(props.deal.deal_id ?? "");
    props.onClose();
    void writeOf({ ...order, id, before: props.deal }).then((done) => {
      if (done) clear();
      else openDealSheet(kind, props.deal, props.clientName);
    });
  };
}

function WonSheet(props: Props) {
  const t = useT();
  const locale = useFormattingLocale();
  const { deal, clientName } = props;
  const [tried, setTried] = useState(false);
  const submit = useSubmit("won", props);
  const { fields, change, clear } = useDraft(`deal.won.${deal.deal_id}`, () => ({
    amount: typedOf(deal.amount),
    currency: deal.amount?.currency_code ?? "EUR",
    contract: "",
  }));
  const amount = moneyOf(fields.amount, fields.currency);
  return (
    <Sheet
      title={t("deal.won.title", { deal: titleOf(deal) })}
      hint={`${clientName}. ${t("deal.won.hint")}`}
      submit={t("deal.won.submit")}
      onSubmit={() => {
        setTried(true);
        if (amount === null) return;
        const contract = fields.contract.trim();
        submit(
          {
            kind: "DealWon",
            payload: {
              ...(amount ? { amount } : {}),
              ...(contract ? { contract_id: contract } : {}),
            },
            text: t("deal.won.done", {
              deal: titleOf(deal),
              client: clientName,
              amount: formatMoney(amount ?? deal.amount, locale),
            }),
            deal: { ...movedTo(deal, "WON"), ...(amount ? { amount } : {}) },
          },
          clear,
        );
      }}
      onClose={props.onClose}
    >
      <AmountField
        first
        label={t("deal.won.amount")}
        amount={fields.amount}
        currency={fields.currency}
        error={tried && amount === null ? t("deal.bad_amount") : undefined}
        onChange={change}
      />
      <TextField
        label={t("deal.won.contract")}
        hint={t("deal.optional")}
        value={fields.contract}
        onChange={(contract) => change({ contract })}
      />
    </Sheet>
  );
}

function LostSheet(props: Props) {
  const t = useT();
  const { deal, clientName } = props;
  const submit = useSubmit("lost", props);
  const [tried, setTried] = useState(false);
  const { fields, change, clear } = useDraft(`deal.lost.${deal.deal_id}`, () => ({
    reason: "" as "" | (typeof lossReasons)[number],
    note: "",
    competitor: "",
  }));
  return (
    <Sheet
      title={t("deal.lost.title", { deal: titleOf(deal) })}
      hint={`${clientName}. ${t("deal.lost.hint")}`}
      submit={t("deal.lost.submit")}
      error={tried && fields.reason === "" ? t("deal.lost.reason_needed") : undefined}
      onSubmit={() => {
        setTried(true);
        if (fields.reason === "") return;
        submit(
          {
            kind: "DealLost",
            payload: {
              reason: `DEAL_LOSS_REASON_${fields.reason}`,
              note: fields.note.trim(),
              competitor: fields.competitor.trim(),
            },
            text: t("deal.lost.done", { deal: titleOf(deal), client: clientName }),
            deal: movedTo(deal, "LOST"),
          },
          clear,
        );
      }}
      onClose={props.onClose}
    >
      <Choice
        label={t("deal.lost.reason")}
        value={fields.reason}
        options={lossReasons.map((value) => ({ value, text: t(`deal.loss.${value}`) }))}
        onChange={(reason) => change({ reason })}
      />
      <TextField
        label={t("deal.competitor")}
        hint={t("deal.optional")}
        value={fields.competitor}
        onChange={(competitor) => change({ competitor })}
      />
      <TextField
        label={t("deal.note")}
        hint={t("deal.optional")}
        value={fields.note}
        onChange={(note) => change({ note })}
      />
    </Sheet>
  );
}

function NextSheet(props: Props) {
  const t = useT();
  const { deal, clientName } = props;
  const submit = useSubmit("next", props);
  const [tried, setTried] = useState(false);
  const { fields, change, clear } = useDraft(`deal.next.${deal.deal_id}`, () => ({
    step: deal.next_step ?? "",
    due: dateOf(deal.next_step_due_at),
  }));
  const due = fields.due ? noonOf(fields.due) : undefined;
  const step = fields.step.trim();
  const nothing = step === "" && !deal.next_step;
  return (
    <Sheet
      title={t("deal.next.title", { deal: titleOf(deal) })}
      hint={deal.next_step ? t("deal.next.hint") : clientName}
      submit={t("act.save")}
      onSubmit={() => {
        setTried(true);
        if (nothing) return;
        const { next_step_due_at: _, ...rest } = deal;
        submit(
          {
            kind: "DealNextStepSet",
            payload: { next_step: step, ...(step && due ? { due_at: due } : {}) },
            text: step
              ? t("deal.next.done", { deal: titleOf(deal), step })
              : t("deal.next.taken", { deal: titleOf(deal) }),
            deal: { ...rest, next_step: step, ...(step && due ? { next_step_due_at: due } : {}) },
          },
          clear,
        );
      }}
      onClose={props.onClose}
    >
      <TextField
        first
        label={t("deal.next.step")}
        value={fields.step}
        error={tried && nothing ? t("deal.needed") : undefined}
        onChange={(value) => change({ step: value })}
      />
      <DateField
        label={t("deal.next.due")}
        value={fields.due}
        onChange={(value) => change({ due: value })}
      />
    </Sheet>
  );
}

function AmountSheet(props: Props) {
  const t = useT();
  const locale = useFormattingLocale();
  const { deal, clientName } = props;
  const submit = useSubmit("amount", props);
  const [tried, setTried] = useState(false);
  const { fields, change, clear } = useDraft(`deal.amount.${deal.deal_id}`, () => ({
    amount: typedOf(deal.amount),
    currency: deal.amount?.currency_code ?? "EUR",
    close: dateOf(deal.expected_close_at),
    reason: "",
  }));
  const amount = moneyOf(fields.amount, fields.currency);
  const close = fields.close ? noonOf(fields.close) : undefined;
  const nothing = !amount && !close;
  return (
    <Sheet
      title={t("deal.amount.title", { deal: titleOf(deal) })}
      hint={clientName}
      submit={t("act.save")}
      onSubmit={() => {
        setTried(true);
        if (amount === null || nothing) return;
        submit(
          {
            kind: "DealAmountChanged",
            payload: {
              ...(amount ? { amount } : {}),
              ...(close && dateOf(deal.expected_close_at) !== fields.close
                ? { expected_close_at: close }
                : {}),
              reason: fields.reason.trim(),
            },
            text: t("deal.amount.done", {
              deal: titleOf(deal),
              amount: formatMoney(amount ?? deal.amount, locale),
            }),
            deal: {
              ...deal,
              ...(amount ? { amount } : {}),
              ...(close ? { expected_close_at: close } : {}),
            },
          },
          clear,
        );
      }}
      onClose={props.onClose}
    >
      <AmountField
        first
        label={t("deal.amount.amount")}
        amount={fields.amount}
        currency={fields.currency}
        error={tried && (amount === null || nothing) ? t("deal.bad_amount") : undefined}
        onChange={change}
      />
      <DateField
        label={t("deal.close")}
        value={fields.close}
        onChange={(value) => change({ close: value })}
      />
      <TextField
        label={t("deal.amount.reason")}
        hint={t("deal.optional")}
        value={fields.reason}
        onChange={(reason) => change({ reason })}
      />
    </Sheet>
  );
}

const removalReasons = ["DUPLICATE", "MISTAKE"] as const;

function RemoveSheet(props: Props) {
  const t = useT();
  const { deal, clientName } = props;
  const submit = useSubmit("remove", props);
  const { fields, change, clear } = useDraft(`deal.remove.${deal.deal_id}`, () => ({
    reason: "MISTAKE" as (typeof removalReasons)[number],
    note: "",
  }));
  return (
    <Sheet
      title={t("deal.remove.title", { deal: titleOf(deal) })}
      hint={`${clientName}. ${t("deal.remove.hint")}`}
      submit={t("deal.act.remove")}
      onSubmit={() =>
        submit(
          {
            kind: "DealRemoved",
            payload: { reason: `DEAL_REMOVAL_REASON_${fields.reason}`, note: fields.note.trim() },
            text: t("deal.remove.done", { deal: titleOf(deal), client: clientName }),
            deal,
            removed: true,
          },
          clear,
        )
      }
      onClose={props.onClose}
    >
      <Choice
        label={t("deal.remove.reason")}
        value={fields.reason}
        options={removalReasons.map((value) => ({ value, text: t(`deal.removal.${value}`) }))}
        onChange={(reason) => change({ reason })}
      />
      <TextField
        label={t("deal.note")}
        hint={t("deal.optional")}
        value={fields.note}
        onChange={(note) => change({ note })}
      />
    </Sheet>
  );
}

function NewDealSheet(props: {
  deals: readonly Deal[];
  clientId: string;
  onClose(): void;
  onOpened(dealId: string): void;
}) {
  const t = useT();
  const session = useSession();
  const staff = useStaff();
  const nameOf = usePersonName();
  const writeOf = useWriteDeal();
  const [id] = useState(newId);
  const [dealId] = useState(newId);
  const [tried, setTried] = useState(false);
  const given = useClient(props.clientId);
  const usualCurrency = props.deals.find((deal) => deal.amount)?.amount?.currency_code ?? "EUR";
  const { fields, change, clear } = useDraft(`deal.new.${props.clientId}`, () => ({
    client: props.clientId,
    clientName: "",
    clientOwner: "",
    title: "",
    kind: "NEW_BUSINESS" as (typeof kinds)[number],
    source: "" as "" | (typeof sources)[number],
    stage: "LEAD" as Stage,
    amount: "",
    currency: usualCurrency,
    close: "",
    owner: "",
  }));
  const clientName = fields.clientName || given.data?.facts?.name || fields.client;
  const owner = fields.owner || fields.clientOwner || (given.data?.owner_id ?? "");
  const amount = moneyOf(fields.amount, fields.currency);
  const close = fields.close ? noonOf(fields.close) : undefined;
  const title = fields.title.trim();
  const people = (staff.data ?? []).filter((person) =>
    person.roles?.includes("relationship_manager"),
  );
  return (
    <Sheet
      title={t("pipeline.new")}
      submit={t("deal.new.submit")}
      onSubmit={() => {
        setTried(true);
        if (!fields.client || !title || amount === null) return;
        const text = t("deal.new.done", { deal: title, client: clientName });
        const deal: Deal = {
          deal_id: dealId,
          client_id: fields.client,
          client_name: clientName,
          title,
          owner_id: owner || session.personId,
          stage: `DEAL_STAGE_${fields.stage}`,
          stage_at: new Date().toISOString(),
          next_step: "",
          kind: `DEAL_KIND_${fields.kind}`,
          ...(amount ? { amount } : {}),
          ...(close ? { expected_close_at: close } : {}),
        };
        awaitFocus(dealId);
        props.onClose();
        void writeOf({
          id,
          kind: "DealOpened",
          payload: {
            title,
            kind: `DEAL_KIND_${fields.kind}`,
            ...(fields.source ? { source: `DEAL_SOURCE_${fields.source}` } : {}),
            stage: `DEAL_STAGE_${fields.stage}`,
            ...(amount ? { amount } : {}),
            ...(close ? { expected_close_at: close } : {}),
            ...(fields.owner ? { deal_owner_id: fields.owner } : {}),
          },
          text,
          deal,
          before: null,
        }).then((done) => {
          if (!done) return;
          clear();
          props.onOpened(dealId);
        });
      }}
      onClose={props.onClose}
    >
      <ClientPicker
        label={t("deal.new.client")}
        chosen={fields.client}
        name={clientName}
        error={tried && !fields.client ? t("deal.new.client_needed") : undefined}
        onPick={(client, name, clientOwner) => change({ client, clientName: name, clientOwner })}
      />
      <TextField
        first={fields.client !== ""}
        label={t("deal.new.title")}
        value={fields.title}
        error={tried && !title ? t("deal.needed") : undefined}
        onChange={(value) => change({ title: value })}
      />
      <AmountField
        label={t("deal.amount.amount")}
        amount={fields.amount}
        currency={fields.currency}
        error={tried && amount === null ? t("deal.bad_amount") : undefined}
        onChange={change}
      />
      <div className="pair">
        <DateField
          label={t("deal.close")}
          value={fields.close}
          onChange={(value) => change({ close: value })}
        />
        <Field label={t("pipeline.stage")}>
          {(field) => (
            <select
              {...field}
              value={fields.stage}
              onChange={(event) => change({ stage: event.target.value as Stage })}
            >
              {openStages.map((stage) => (
                <option key={stage} value={stage}>
                  {stageHeading(t, stage)}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Choice
        label={t("pipeline.filter.kind")}
        value={fields.kind}
        options={kinds.map((value) => ({ value, text: t(`deal.kind.${value}`) }))}
        onChange={(kind) => change({ kind })}
      />
      <div className="pair">
        <Field label={t("deal.source")}>
          {(field) => (
            <select
              {...field}
              value={fields.source}
              onChange={(event) => change({ source: event.target.value as "" })}
            >
              <option value="">{t("deal.source.unknown")}</option>
              {sources.map((source) => (
                <option key={source} value={source}>
                  {t(`deal.source.${source}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        {people.length > 0 && (
          <Field label={t("pipeline.filter.owner")}>
            {(field) => (
              <select
                {...field}
                value={owner}
                onChange={(event) => change({ owner: event.target.value })}
              >
                {!people.some((person) => person.person_id === owner) && (
                  <option value={owner}>
                    {owner ? nameOf(owner) : t("deal.new.owner_client")}
                  </option>
                )}
                {people.map((person) => (
                  <option key={person.person_id} value={person.person_id}>
                    {person.name || person.person_id}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
      </div>
    </Sheet>
  );
}

/** All sheets that write of deals. */
export function DealSheets(props: {
  deals: readonly Deal[];
  /** "": none; "1": a new deal; else a new deal of this client. */
  newFor: string;
  onCloseNew(): void;
  onOpened(dealId: string): void;
}) {
  const open = useOpenDealSheet();
  if (props.newFor) {
    return (
      <NewDealSheet
        deals={props.deals}
        clientId={props.newFor === "1" ? "" : props.newFor}
        onClose={props.onCloseNew}
        onOpened={props.onOpened}
      />
    );
  }
  if (!open) return null;
  const rest = { deal: open.deal, clientName: open.clientName, onClose: closeDealSheet };
  switch (open.kind) {
    case "won":
      return <WonSheet {...rest} />;
    case "lost":
      return <LostSheet {...rest} />;
    case "next":
      return <NextSheet {...rest} />;
    case "amount":
      return <AmountSheet {...rest} />;
    case "remove":
      return <RemoveSheet {...rest} />;
  }
}
