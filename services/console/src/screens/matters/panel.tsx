import { Link } from "wouter";
import { useClient } from "../../api/clients";
import type { Matter, MatterKind } from "../../api/matters";
import { useRetention } from "../../api/risk";
import { usePersonName } from "../../api/staff";
import { useSession } from "../../app/session";
import { Button, IconButton, Moment, Tag } from "../../components/basics";
import { callsRefused, phoneOf } from "../../components/client-panel";
import { useFormattingLocale, useT } from "../../i18n";
import { formatDay, formatRelative, formatTime, timeOf } from "../../lib/dates";
import { ActionButton, useClientActions } from "../../sheets/actions";
import { complaintCategories } from "../../sheets/complaint-sheet";

export interface MatterAction {
  key: string;
  text: string;
  danger?: boolean;
  run(): void;
}

/** A promise or complaint: what it is, whose, what it weighs, and what to do about it. */
export function MatterPanel(props: {
  kind: MatterKind;
  matter: Matter;
  actions: readonly MatterAction[];
  off: string | undefined;
  now: number;
  onClose(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const session = useSession();
  const personName = usePersonName();
  const { matter, kind, now, off } = props;
  const clientId = matter.client_id ?? "";
  const name = matter.client_name || clientId;
  const client = useClient(clientId);
  const retention = useRetention(clientId);
  const contact = useClientActions(
    { clientId, clientName: name, ownerId: matter.owner_id ?? "", phone: phoneOf(client.data) },
    {
      mayAct: session.may("record_contacts"),
      ...(callsRefused(client.data) ? { callOff: t("act.off.consent") } : {}),
    },
  ).contact;
  const price = retention.data?.promises?.find((one) => one.commitment_id === matter.item_id);
  const promise = client.data?.commitments?.find((one) => one.commitment_id === matter.item_id);
  const moved = timeOf(promise?.moved_at);
  const category = complaintCategories.find(
    (one) => matter.category === `COMPLAINT_CATEGORY_${one}`,
  );
  const due = timeOf(matter.due_at);
  const since = timeOf(matter.since_at);
  const late = !Number.isNaN(due) && due < now;
  const moment = (at: number) => (
    <Moment at={at}>
      {formatDay(at, locale, { now })} {formatTime(at, locale)}
    </Moment>
  );
  return (
    <div className="side">
      <div className="blk">
        <div className="title">
          <h2 className="cut">
            <Link href={`/clients/${encodeURIComponent(clientId)}`} title={name}>
              {name}
            </Link>
          </h2>
          {matter.key_account && <Tag>{t("client.key_account")}</Tag>}
          <IconButton icon="close" plain label={t("act.close")} onClick={props.onClose} />
        </div>
        <p className="statement">{matter.text}</p>
      </div>
      <dl className="blk kv">
        {!Number.isNaN(due) && (
          <>
            <dt>{t(kind === "promise" ? "sheet.due" : "sheet.complaint.due")}</dt>
            <dd className={late ? "c-critical mid" : ""}>
              {moment(due)}
              <span className="sm"> ({formatRelative(due, locale, now)})</span>
            </dd>
          </>
        )}
        {!Number.isNaN(since) && (
          <>
            <dt>{t(kind === "promise" ? "matters.promised" : "matters.opened")}</dt>
            <dd>{moment(since)}</dd>
          </>
        )}
        {!Number.isNaN(moved) && (
          <>
            <dt>{t("matters.moved")}</dt>
            <dd>
              {moment(moved)}
              <span className="sm">
                {" "}
                ({t(promise?.moved_with_consent ? "matters.agreed" : "matters.not_agreed")})
              </span>
            </dd>
          </>
        )}
        {matter.agent_id && (
          <>
            <dt>{t(kind === "promise" ? "matters.by" : "matters.about")}</dt>
            <dd>{personName(matter.agent_id)}</dd>
          </>
        )}
        {kind === "complaint" && category && (
          <>
            <dt>{t("sheet.complaint.category")}</dt>
            <dd>{t(`complaint.category.${category}`)}</dd>
          </>
        )}
        {matter.owner_id && (
          <>
            <dt>{t("panel.owner")}</dt>
            <dd>{personName(matter.owner_id)}</dd>
          </>
        )}
        {retention.data && (
          <>
            <dt>{t("matters.score")}</dt>
            <dd>{retention.data.score}</dd>
          </>
        )}
        {price && (
          <>
            <dt>{t("panel.promises")}</dt>
            <dd>
              {t("panel.if_failed", {
                kept: price.score_if_kept ?? 0,
                failed: price.score_if_failed ?? 0,
              })}
            </dd>
          </>
        )}
      </dl>
      <div className="acts">
        {props.actions.map((action, index) => (
          <Button
            key={action.key}
            keyCap={action.key}
            kind={index === 0 ? "main" : "usual"}
            {...(action.danger ? { danger: true } : {})}
            {...(off === undefined ? {} : { off })}
            onClick={action.run}
          >
            {action.text}
          </Button>
        ))}
        {contact.map((action) => (
          <ActionButton key={action.key} action={{ ...action, main: false }} plain />
        ))}
      </div>
    </div>
  );
}
