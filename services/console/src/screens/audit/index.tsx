import "./audit.css";
import { type ReactNode, useState } from "react";
import { type AuditEntry, auditFirst, useAudit, useStaff } from "../../api/access";
import { useSession } from "../../app/session";
import { Button, Cut, Moment, TextLink } from "../../components/basics";
import { useNow } from "../../components/freshness";
import { useListKeys, VirtualRows } from "../../components/list";
import { Screen } from "../../components/screen";
import { SeverityShape } from "../../components/severity";
import { Empty, Loaded } from "../../components/states";
import { hasText, useFormattingLocale, useT } from "../../i18n";
import { formatDay, formatSeconds } from "../../lib/dates";
import { startOfDay } from "../../lib/local-time";
import { nameOfId } from "../../lib/people";
import { text, useSearchParams } from "../../lib/search-params";

const params = { client: text(), person: text(), from: text(), to: text() };

// The server gives no more than that at once; older lines are reached by their days.
const most = 10_000;

/** Rests until Enter or the field is left: a name that is half typed is nobody's. */
function FilterField(props: {
  label: string;
  value: string;
  onChange(value: string): void;
  type?: "text" | "date";
}) {
  const [typed, setTyped] = useState(props.value);
  const [known, setKnown] = useState(props.value);
  if (known !== props.value) {
    setKnown(props.value);
    setTyped(props.value);
  }
  const done = (value: string) => {
    if (value.trim() !== props.value) props.onChange(value.trim());
  };
  return (
    <label className="filter">
      <span className="lab">{props.label}</span>
      <input
        className="f"
        type={props.type ?? "text"}
        value={typed}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setTyped(event.target.value);
          if (props.type === "date") done(event.target.value);
        }}
        onBlur={() => done(typed)}
        onKeyDown={(event) => {
          if (event.key === "Enter") done(typed);
        }}
      />
    </label>
  );
}

function useActorName(): (actor: string) => string {
  const t = useT();
  const staff = useStaff().data?.people ?? [];
  return (actor) => {
    if (actor === "") return t("audit.unknown");
    if (actor === "command line") return t("audit.command_line");
    if (actor.startsWith("token:")) return t("audit.token", { name: actor.slice(6) });
    return staff.find((one) => one.person_id === actor)?.name || nameOfId(actor);
  };
}

function Cell(props: { className: string; title?: string | undefined; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the row about it has the focus
    <span role="gridcell" className={props.className} title={props.title}>
      {props.children}
    </span>
  );
}

function Line(props: { entry: AuditEntry; now: number; actorName(actor: string): string }) {
  const t = useT();
  const locale = useFormattingLocale();
  const session = useSession();
  const { entry, now, actorName } = props;
  const id = `audit.action.${entry.action}`;
  const bad = entry.action === "refused" || entry.action === "sign_in_failed";
  const at = entry.at ?? "";
  return (
    <>
      <Cell className="num sec at">
        {at && (
          <Moment at={at}>
            {formatDay(at, locale, { now })} {formatSeconds(at, locale)}
          </Moment>
        )}
      </Cell>
      <Cell className={`what ${bad ? "c-high mid" : ""}`}>
        {bad && <SeverityShape severity="high" />}
        <span className="cut">{hasText(id) ? t(id) : entry.action}</span>
      </Cell>
      <Cell className="cut mid" title={entry.actor}>
        {actorName(entry.actor ?? "")}
      </Cell>
      <Cell className="cut">
        {entry.client_id &&
          (session.may("read_clients") ? (
            <TextLink to={`/clients/${encodeURIComponent(entry.client_id)}`}>
              {entry.client_id}
            </TextLink>
          ) : (
            entry.client_id
          ))}
      </Cell>
      <Cell className="two why">
        <Cut text={entry.detail ?? ""} />
        <Cut className="sm mut mono" text={entry.route ?? ""} />
      </Cell>
      <Cell className="cut mut sm mono address">{entry.client_address}</Cell>
    </>
  );
}

/** Who looked at what, or did something, the newest first. */
export default function AuditScreen() {
  const t = useT();
  const now = useNow();
  const actorName = useActorName();
  const [search, change] = useSearchParams(params);
  const [limit, setLimit] = useState(auditFirst);
  const [selected, setSelected] = useState(-1);
  const query = useAudit(
    {
      client: search.client,
      person: search.person,
      from: startOfDay(search.from) ?? "",
      to: startOfDay(search.to, 1) ?? "",
    },
    limit,
  );
  const entries = query.data?.entries ?? [];
  const more = query.data?.more === true;
  useListKeys({
    title: t("nav.audit"),
    count: entries.length,
    selected,
    onSelect: setSelected,
    onOpen: (index) => {
      const actor = entries[index]?.actor;
      if (actor) change({ person: actor });
    },
    onClose: () => setSelected(-1),
  });
  const filtered = search.client || search.person || search.from || search.to;
  const filter = (changed: Partial<typeof search>) => {
    setSelected(-1);
    setLimit(auditFirst);
    change(changed);
  };
  const clear = (
    <Button onClick={() => filter({ client: "", person: "", from: "", to: "" })}>
      {t("audit.clear")}
    </Button>
  );
  return (
    <Screen
      className="audit"
      title={t("nav.audit")}
      sub={search.from || search.to ? t("audit.sub_chosen") : t("audit.sub")}
      freshness={{
        asOf: query.data ? query.dataUpdatedAt : null,
        missingPartitions: [],
        partitionCount: 0,
      }}
      onReadAgain={() => void query.refetch()}
    >
      <div className="filters" role="search">
        <FilterField
          label={t("audit.person")}
          value={search.person}
          onChange={(person) => filter({ person })}
        />
        <FilterField
          label={t("audit.client")}
          value={search.client}
          onChange={(client) => filter({ client })}
        />
        <FilterField
          type="date"
          label={t("audit.from")}
          value={search.from}
          onChange={(from) => filter({ from })}
        />
        <FilterField
          type="date"
          label={t("audit.to")}
          value={search.to}
          onChange={(to) => filter({ to })}
        />
        {filtered && clear}
      </div>
      <Loaded query={query} permission="read_audit">
        {() =>
          entries.length === 0 ? (
            <Empty title={t(filtered ? "audit.none_fit" : "audit.empty")} icon="contract">
              {t(filtered ? "audit.none_fit_hint" : "audit.empty_hint")}
            </Empty>
          ) : (
            <>
              <div className="caps" aria-hidden="true">
                <span className="num">{t("audit.head.at")}</span>
                <span>{t("audit.head.action")}</span>
                <span>{t("audit.person")}</span>
                <span>{t("audit.client")}</span>
                <span>{t("audit.head.detail")}</span>
                <span>{t("audit.head.address")}</span>
              </div>
              <VirtualRows
                label={t("nav.audit")}
                count={entries.length}
                height={44}
                hasMore={more && limit < most}
                onEnd={() => {
                  if (!query.isFetching) setLimit(Math.min(limit * 5, most));
                }}
                selected={selected}
                rowKey={(index) => String(entries.length - index)}
                onSelect={setSelected}
                onOpen={(index) => {
                  const actor = entries[index]?.actor;
                  if (actor) filter({ person: actor });
                }}
              >
                {(index) => (
                  <Line entry={entries[index] as AuditEntry} now={now} actorName={actorName} />
                )}
              </VirtualRows>
              {more && limit >= most && (
                <p className="too-many sm mut">{t("audit.too_many", { count: most })}</p>
              )}
            </>
          )
        }
      </Loaded>
    </Screen>
  );
}
