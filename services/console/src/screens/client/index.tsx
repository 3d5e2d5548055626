import { useClient } from "../../api/clients";
import { useRetention } from "../../api/risk";
import { freshnessOf } from "../../api/watermark";
import { Tag } from "../../components/basics";
import { useNow } from "../../components/freshness";
import { Reasons } from "../../components/reasons";
import { Screen } from "../../components/screen";
import { severityOf, severityOfScore } from "../../components/severity";
import { Loaded } from "../../components/states";
import { useT } from "../../i18n";

/** One client: who it is, how likely it is to leave, and why. */
export default function ClientScreen({ params }: { params: Record<string, string> }) {
  const t = useT();
  const now = useNow();
  const id = decodeURIComponent(params.id ?? "");
  const client = useClient(id);
  const retention = useRetention(id);
  const name = client.data?.facts?.name || id;
  return (
    <Screen
      title={name}
      sub={client.data?.facts?.key_account ? <Tag>{t("client.key_account")}</Tag> : undefined}
      freshness={freshnessOf([client.data?.watermark, retention.data?.watermark])}
      onReadAgain={() => {
        void client.refetch();
        void retention.refetch();
      }}
    >
      <Loaded query={client} permission="read_clients">
        {() => (
          <div className="blk">
            <Loaded query={retention} permission="read_clients">
              {(told) => (
                <Reasons
                  clientId={id}
                  reasons={told.reasons ?? []}
                  severity={severityOf(told.alert?.severity) ?? severityOfScore(told.score ?? 0)}
                  now={now}
                />
              )}
            </Loaded>
          </div>
        )}
      </Loaded>
    </Screen>
  );
}
