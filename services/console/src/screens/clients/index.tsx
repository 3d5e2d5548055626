import "./clients.css";
import { useCallback, useDeferredValue, useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { type ClientRow, useClientPages } from "../../api/client-list";
import { usePersonName } from "../../api/staff";
import { freshnessOf } from "../../api/watermark";
import { useSession } from "../../app/session";
import { Button, Chip, Cut, Moment, Segmented, Tag } from "../../components/basics";
import { FilterBar, PortfolioFilter } from "../../components/filters";
import { useNow } from "../../components/freshness";
import { type HandoverOf, HandoverSheet } from "../../components/handover";
import { Icon } from "../../components/icon";
import { Cell, HeadRow, useListKeys, VirtualRows } from "../../components/list";
import { Screen } from "../../components/screen";
import { Empty, ErrorBanner, SkeletonRows } from "../../components/states";
import { useFormattingLocale, useT } from "../../i18n";
import { formatRelative, timeOf } from "../../lib/dates";
import { useKeys } from "../../lib/keys";
import { useRowHeight } from "../../lib/row-height";
import { flag, oneOf, text, useSearchParams, withParams } from "../../lib/search-params";
import { SavedFilters } from "./saved";

const segments = ["", "business", "corporate", "personal"] as const;
const params = {
  owner: text(),
  team: text(),
  segment: oneOf(...segments),
  key: flag(),
  sort: oneOf("name", "last_contact"),
  q: text(),
  at: text(),
};

interface Chosen {
  owner: string;
}

/** All clients, narrowed by whose they are, by kind and by name; some of them handed over. */
export default function ClientsScreen() {
  const t = useT();
  const locale = useFormattingLocale();
  const now = useNow();
  const session = useSession();
  const personName = usePersonName();
  const [, navigate] = useLocation();
  const [search, change] = useSearchParams(params);
  const [range, setRange] = useState({ first: 0, last: 40 });
  const [chosen, setChosen] = useState<ReadonlyMap<string, Chosen>>(new Map());
  const [handover, setHandover] = useState<HandoverOf | null>(null);
  // Owners as they will be, until the list has heard of it.
  const [moved, setMoved] = useState<ReadonlyMap<string, string>>(new Map());
  const [pivot, setPivot] = useState(-1);
  const q = useDeferredValue(search.q.trim());
  const filter = useMemo(
    () => ({
      owner: search.owner,
      team: search.team,
      segment: search.segment,
      q,
      keyAccounts: search.key,
      sort: search.sort,
    }),
    [search.owner, search.team, search.segment, q, search.key, search.sort],
  );
  const list = useClientPages(filter, range.first, range.last);
  const height = useRowHeight("--row");
  const [selectedIndex, setSelectedIndex] = useState(-1);
  const selected = useMemo(() => {
    if (search.at === "") return -1;
    if (list.row(selectedIndex)?.client_id === search.at) return selectedIndex;
    for (let index = range.first; index <= range.last; ++index) {
      if (list.row(index)?.client_id === search.at) return index;
    }
    return selectedIndex < list.count && list.row(selectedIndex) === undefined ? selectedIndex : -1;
  }, [search.at, selectedIndex, list, range]);
  const select = (index: number) => {
    setSelectedIndex(index);
    const row = list.row(index);
    if (row) change({ at: row.client_id ?? "" }, { replace: true });
  };
  const open = (index: number) => {
    const row = list.row(index);
    if (row) navigate(`/clients/${encodeURIComponent(row.client_id ?? "")}`);
  };
  const toggle = (index: number, rangeToo = false) => {
    const row = list.row(index);
    if (!row) return;
    const on = !chosen.has(row.client_id ?? "");
    const [first, last] =
      rangeToo && pivot >= 0
        ? [Math.min(pivot, index), Math.max(pivot, index)]
        : ([index, index] as const);
    const next = new Map(chosen);
    for (let other = first; other <= last; ++other) {
      const client = list.row(other);
      if (!client?.client_id) continue;
      if (on) next.set(client.client_id, { owner: client.owner_id ?? "" });
      else next.delete(client.client_id);
    }
    setChosen(next);
    setPivot(index);
  };
  const mayHandOver = session.may("hand_over");
  const handOverChosen = () => {
    if (chosen.size > 0) {
      setHandover({ clientIds: [...chosen.keys()] });
      return;
    }
    const row = list.row(selected);
    if (row?.client_id) setHandover({ clientIds: [row.client_id] });
  };
  useKeys({
    title: t("nav.clients"),
    bindings: [
      {
        key: "x",
        label: t("keys.choose"),
        enabled: mayHandOver && selected >= 0,
        run: () => toggle(selected),
      },
      {
        key: "h",
        label: t("act.hand_over"),
        enabled: mayHandOver && (chosen.size > 0 || selected >= 0),
        run: handOverChosen,
      },
      {
        key: "e",
        label: t("clients.key_accounts"),
        run: () => change({ key: !search.key, at: "" }),
      },
      {
        key: "o",
        label: t("clients.sort_key"),
        run: () => change({ sort: search.sort === "name" ? "last_contact" : "name", at: "" }),
      },
    ],
  });
  useListKeys({
    title: t("nav.clients"),
    count: list.count,
    selected,
    onSelect: select,
    onOpen: open,
    onClose: () => {
      if (chosen.size > 0) setChosen(new Map());
      else {
        setSelectedIndex(-1);
        change({ at: "" }, { replace: true });
      }
    },
  });
  const onRange = useCallback((first: number, last: number) => setRange({ first, last }), []);
  const narrowed = { owner: search.owner, team: search.team, segment: search.segment };
  const query = withParams("", params, {
    ...narrowed,
    key: search.key,
    sort: search.sort,
    q: search.q,
  });
  const ownerOf = (row: ClientRow) => moved.get(row.client_id ?? "") ?? row.owner_id ?? "";
  const onlyOwner =
    mayHandOver &&
    search.owner !== "" &&
    search.owner !== "-" &&
    search.segment === "" &&
    search.q === "" &&
    !search.key;
  const renderRow = (index: number) => {
    const row = list.row(index);
    if (!row) {
      return (
        <Cell className="waits">
          <span className="sk" />
        </Cell>
      );
    }
    const id = row.client_id ?? "";
    const name = row.name || id;
    const last = timeOf(row.last_touchpoint_at);
    const owner = ownerOf(row);
    return (
      <>
        <Cell className="pickcell">
          {mayHandOver && (
            <input
              type="checkbox"
              tabIndex={-1}
              checked={chosen.has(id)}
              aria-label={t("clients.choose", { name })}
              onChange={() => undefined}
              onClick={(event) => {
                event.stopPropagation();
                toggle(index, event.shiftKey);
              }}
            />
          )}
        </Cell>
        <Cell className="name">
          <Link
            href={`/clients/${encodeURIComponent(id)}`}
            tabIndex={-1}
            className="mid cut"
            title={name}
          >
            {name}
          </Link>
          {row.key_account && <Tag>{t("client.key_account")}</Tag>}
        </Cell>
        <Cell className="sec c-id">
          <Cut text={id} />
        </Cell>
        <Cell className="sec c-segment">
          <Cut text={segmentText(row.segment)} />
        </Cell>
        <Cell className="sec c-owner">
          <Cut text={owner ? personName(owner) : t("clients.no_owner")} />
        </Cell>
        <Cell className="num sec c-last">
          {!Number.isNaN(last) && <Moment at={last}>{formatRelative(last, locale, now)}</Moment>}
        </Cell>
      </>
    );
  };
  const segmentText = (segment: string | undefined) => {
    switch (segment) {
      case "SEGMENT_PERSONAL":
        return t("segment.personal");
      case "SEGMENT_BUSINESS":
        return t("segment.business");
      case "SEGMENT_CORPORATE":
        return t("segment.corporate");
      default:
        return "";
    }
  };
  return (
    <Screen
      className="clients list-screen"
      title={t("nav.clients")}
      sub={
        list.total &&
        t("clients.count", {
          count: list.total.count,
          shown: `${new Intl.NumberFormat(locale).format(list.total.count)}${list.total.isLeast ? "+" : ""}`,
        })
      }
      freshness={freshnessOf(list.watermarks)}
      onReadAgain={list.readAgain}
      actions={
        onlyOwner && (
          <Button onClick={() => setHandover({ fromOwnerId: search.owner })}>
            {t("clients.hand_over_all", { name: personName(search.owner) })}
          </Button>
        )
      }
    >
      <FilterBar>
        <label className="pick grow">
          <Icon name="search" />
          <input
            type="search"
            value={search.q}
            placeholder={t("clients.search")}
            aria-label={t("clients.search")}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => {
              setSelectedIndex(-1);
              change({ q: event.target.value, at: "" }, { replace: true });
            }}
          />
        </label>
        <PortfolioFilter
          owner={search.owner}
          team={search.team}
          nobody
          onChange={(next) => change({ ...next, at: "" })}
        />
        <Segmented
          label={t("clients.segment")}
          value={search.segment}
          options={segments.map((value) => ({
            value,
            text: value === "" ? t("filter.all") : t(`segment.${value}`),
          }))}
          onChange={(segment) => change({ segment, at: "" })}
        />
        <Chip pressed={search.key} onPress={() => change({ key: !search.key, at: "" })}>
          {t("clients.key_accounts")}
        </Chip>
        <SavedFilters query={query} />
      </FilterBar>
      {list.error !== null && (
        <ErrorBanner error={list.error} shownSince={list.readAt} onRetry={list.readAgain} />
      )}
      {list.pending && list.error === null ? (
        <SkeletonRows columns={4} count={12} />
      ) : list.count === 0 && !list.hasMore && list.error === null ? (
        <Empty
          title={query === "" ? t("clients.empty") : t("clients.none")}
          icon="clients"
          action={
            query !== "" && (
              <Button onClick={() => navigate("/clients")}>{t("clients.show_all")}</Button>
            )
          }
        >
          {query === "" ? t("clients.empty_hint") : search.q ? t("clients.none_hint") : undefined}
        </Empty>
      ) : (
        <VirtualRows
          label={t("nav.clients")}
          about={query}
          count={list.count}
          hasMore={list.hasMore}
          onEnd={list.more}
          {...(list.total && !list.total.isLeast ? { total: list.total.count } : {})}
          onRange={onRange}
          height={height}
          selected={selected}
          rowKey={(index) => list.row(index)?.client_id ?? `row ${index}`}
          onSelect={(index) => {
            if (matchMedia("(max-width: 720px)").matches) open(index);
            else select(index);
          }}
          onOpen={open}
          head={
            <HeadRow
              columns={[
                { id: "choose", text: t("keys.choose"), silent: true },
                {
                  id: "name",
                  text: t("clients.head.name"),
                  ...(search.sort === "name" ? { sorted: "ascending" } : {}),
                  onSort: () => change({ sort: "name", at: "" }),
                },
                { id: "id", text: t("clients.head.id"), className: "c-id" },
                { id: "segment", text: t("clients.segment"), className: "c-segment" },
                { id: "owner", text: t("clients.head.owner"), className: "c-owner" },
                {
                  id: "last",
                  text: t("clients.head.last"),
                  className: "num c-last",
                  ...(search.sort === "last_contact" ? { sorted: "ascending" } : {}),
                  onSort: () => change({ sort: "last_contact", at: "" }),
                },
              ]}
            />
          }
        >
          {renderRow}
        </VirtualRows>
      )}
      {chosen.size > 0 && (
        <div className="list-foot chosen">
          <span className="mid" role="status">
            {t("clients.chosen", { count: chosen.size })}
          </span>
          <Button kind="main" keyCap="h" onClick={handOverChosen}>
            {t("act.hand_over")}
          </Button>
          <Button kind="plain" keyCap="Esc" onClick={() => setChosen(new Map())}>
            {t("act.unchoose")}
          </Button>
        </div>
      )}
      {handover && (
        <HandoverSheet
          of={handover}
          onDone={(owner) => {
            if ("clientIds" in handover) {
              setMoved((before) => {
                const next = new Map(before);
                for (const id of handover.clientIds) next.set(id, owner);
                return next;
              });
            }
            setChosen(new Map());
          }}
          onClose={() => setHandover(null)}
        />
      )}
    </Screen>
  );
}
