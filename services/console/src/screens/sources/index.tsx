import "./sources.css";
import { useMemo } from "react";
import { readOperationAgain, useRejected, useSources } from "../../api/operation";
import { useSession } from "../../app/session";
import { Button } from "../../components/basics";
import { useNow } from "../../components/freshness";
import { useListKeys, useSelectedInSight } from "../../components/list";
import { Screen } from "../../components/screen";
import { Empty, Loaded, NoPermission } from "../../components/states";
import { useT } from "../../i18n";
import { text, useSearchParams } from "../../lib/search-params";
import { Ledger } from "./ledger";
import { RejectedPanel, RejectedRow } from "./rejected";
import { SourcePanel } from "./source-panel";

const params = { open: text() };

/** The ledger as it is: what came in by each source, and what became of every piece of it. */
export default function SourcesScreen() {
  const t = useT();
  const session = useSession();
  const now = useNow(5000);
  const [search, change] = useSearchParams(params);
  const ledger = useSources();
  const mayRead = session.may("read_rejected");
  const rejected = useRejected(mayRead);
  const sources = ledger.data?.sources ?? [];
  const records = useMemo(
    () => (rejected.data?.pages ?? []).flatMap((page) => page.rejected ?? []),
    [rejected.data],
  );
  const rows = [
    ...sources.map((source) => `s.${source.name}`),
    ...records.map((record) => `r.${record.position}`),
  ];
  const select = (row: string) => change({ open: row }, { replace: true });
  const toggle = (row: string) => change({ open: row === search.open ? "" : row });
  const close = () => select("");
  useListKeys({
    title: t("nav.sources"),
    count: rows.length,
    selected: rows.indexOf(search.open),
    onSelect: (index) => select(rows[index] ?? ""),
    onOpen: (index) => toggle(rows[index] ?? ""),
    onClose: close,
  });
  const list = useSelectedInSight(search.open || null);
  const source = sources.find((one) => `s.${one.name}` === search.open);
  const record = records.find((one) => `r.${one.position}` === search.open);
  return (
    <Screen
      className="sources"
      title={t("nav.sources")}
      sub={ledger.data && !ledger.data.counted ? t("sources.counting") : t("sources.sub")}
      freshness={{
        asOf: ledger.data ? ledger.dataUpdatedAt : null,
        missingPartitions: [],
        partitionCount: 0,
      }}
      onReadAgain={() => void readOperationAgain()}
    >
      <div className={`split ${source || record ? "opened" : "closed"}`}>
        <div className="list" ref={list}>
          <Loaded query={ledger} permission="read_sources">
            {() =>
              sources.length === 0 ? (
                <div className="none-connected">
                  <Empty title={t("sources.empty")} icon="sources">
                    {t("sources.empty_hint")}
                  </Empty>
                </div>
              ) : (
                <Ledger
                  sources={sources}
                  now={now}
                  selected={source?.name ?? ""}
                  onSelect={(name) => toggle(`s.${name}`)}
                />
              )
            }
          </Loaded>
          <section aria-label={t("sources.rejected_log")}>
            <div className="sect">
              <h2>{t("sources.rejected_log")}</h2>
              <span className="end">{t("sources.rejected_hint")}</span>
            </div>
            {mayRead ? (
              <Loaded query={rejected} permission="read_rejected">
                {() =>
                  records.length === 0 ? (
                    <p className="nothing sec">{t("sources.rejected_none")}</p>
                  ) : (
                    <>
                      {records.map((one) => (
                        <RejectedRow
                          key={one.position}
                          record={one}
                          now={now}
                          selected={one === record}
                          onSelect={() => toggle(`r.${one.position}`)}
                        />
                      ))}
                      {rejected.hasNextPage && (
                        <p className="nothing">
                          <Button
                            {...(rejected.isFetchingNextPage ? { busy: true } : {})}
                            onClick={() => void rejected.fetchNextPage()}
                          >
                            {t("sources.more")}
                          </Button>
                        </p>
                      )}
                    </>
                  )
                }
              </Loaded>
            ) : (
              <NoPermission permission="read_rejected" />
            )}
          </section>
        </div>
        {source && <SourcePanel source={source} now={now} onClose={close} />}
        {record && (
          <RejectedPanel key={record.position} record={record} now={now} onClose={close} />
        )}
      </div>
    </Screen>
  );
}
