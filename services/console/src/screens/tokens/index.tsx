import "./tokens.css";
import { useRef, useState } from "react";
import {
  makeToken,
  revokeToken,
  type Scope,
  scopes,
  type Token,
  useTokens,
} from "../../api/access";
import { useCommands } from "../../app/commands";
import { Button, Moment, Tag } from "../../components/basics";
import { useNow } from "../../components/freshness";
import { useListKeys, useSelectedInSight } from "../../components/list";
import { Screen } from "../../components/screen";
import { Dialog, Field, Sheet } from "../../components/sheet";
import { Empty, Loaded, useErrorText } from "../../components/states";
import { toast } from "../../components/toast";
import { RowName } from "../../components/watched";
import { type MessageId, useFormattingLocale, useT } from "../../i18n";
import { day, formatDay, formatRelative, timeOf } from "../../lib/dates";
import { useDraft } from "../../lib/draft";
import { useKeys } from "../../lib/keys";
import { startOfDay } from "../../lib/local-time";
import { nameOfId } from "../../lib/people";
import { text, useSearchParams } from "../../lib/search-params";

const params = { open: text() };

function scopeText(scope: string): MessageId | null {
  return (scopes as readonly string[]).includes(scope)
    ? (`tokens.scope.${scope.replace(":", "_")}` as MessageId)
    : null;
}

interface Fields {
  tokenId: string;
  scopes: Scope[];
  source: string;
  until: string;
}

function MakeSheet(props: { onClose(): void; onMade(tokenId: string, secret: string): void }) {
  const t = useT();
  const errorText = useErrorText();
  const { fields, change, clear } = useDraft<Fields>("token", () => ({
    tokenId: "",
    scopes: [],
    source: "",
    until: "",
  }));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const badName = fields.tokenId !== "" && !/^[A-Za-z0-9._-]{1,100}$/.test(fields.tokenId);
  const expiresAt = startOfDay(fields.until, 1);
  const over = expiresAt !== null && Date.parse(expiresAt) <= Date.now();
  const writes = fields.scopes.includes("touchpoints:write");
  const off =
    fields.tokenId === ""
      ? t("tokens.name_missing")
      : badName
        ? t("tokens.name_wrong")
        : fields.scopes.length === 0
          ? t("tokens.scopes_missing")
          : over
            ? t("tokens.until_over")
            : undefined;
  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      const secret = await makeToken({
        tokenId: fields.tokenId,
        scopes: fields.scopes,
        source: writes ? fields.source.trim() : "",
        expiresAt,
      });
      clear();
      props.onMade(secret.token_id ?? fields.tokenId, secret.secret ?? "");
    } catch (caught) {
      setError(errorText(caught));
      setBusy(false);
    }
  };
  return (
    <Sheet
      title={t("tokens.make")}
      hint={t("tokens.make_hint")}
      submit={t("tokens.make")}
      busy={busy}
      {...(off === undefined ? {} : { off })}
      error={error}
      onSubmit={() => void submit()}
      onClose={props.onClose}
    >
      <Field
        label={t("tokens.name")}
        hint={t("tokens.name_hint")}
        error={badName ? t("tokens.name_wrong") : undefined}
      >
        {(field) => (
          <input
            {...field}
            type="text"
            value={fields.tokenId}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => change({ tokenId: event.target.value.trim() })}
          />
        )}
      </Field>
      <fieldset className="scopes">
        <legend className="lab">{t("tokens.scopes")}</legend>
        {scopes.map((scope) => (
          <label className="check" key={scope}>
            <input
              type="checkbox"
              checked={fields.scopes.includes(scope)}
              onChange={(event) =>
                change({
                  scopes: event.target.checked
                    ? [...fields.scopes, scope]
                    : fields.scopes.filter((other) => other !== scope),
                })
              }
            />
            <span>
              {t(`tokens.scope.${scope.replace(":", "_")}` as MessageId)}{" "}
              <span className="mono mut">{scope}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {writes && (
        <Field label={t("tokens.source")} hint={t("tokens.source_hint")}>
          {(field) => (
            <input
              {...field}
              type="text"
              value={fields.source}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => change({ source: event.target.value })}
            />
          )}
        </Field>
      )}
      <Field
        label={t("tokens.until")}
        hint={t("tokens.until_hint")}
        error={over ? t("tokens.until_over") : undefined}
      >
        {(field) => (
          <input
            {...field}
            type="date"
            value={fields.until}
            onChange={(event) => change({ until: event.target.value })}
          />
        )}
      </Field>
    </Sheet>
  );
}

/** The secret, which nobody can show again: it stays until somebody says that they have it. */
function SecretDialog(props: { tokenId: string; secret: string; onClose(): void }) {
  const t = useT();
  const [copied, setCopied] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(props.secret);
      setCopied(true);
    } catch {
      // Without TLS a browser keeps the clipboard to itself: what is selected can be copied by hand.
      setCopied(false);
    }
  };
  return (
    <Dialog
      label={t("tokens.made", { name: props.tokenId })}
      className="sheet"
      onClose={() => field.current?.focus()}
    >
      <form onSubmit={(event) => event.preventDefault()}>
        <header>
          <h2>{t("tokens.made", { name: props.tokenId })}</h2>
          <p className="sec">{t("tokens.secret_once")}</p>
        </header>
        <div className="fields">
          <Field label={t("tokens.secret")} hint={t("tokens.secret_hint")}>
            {(attributes) => (
              <textarea
                {...attributes}
                ref={field}
                className={`${attributes.className} mono`}
                readOnly
                rows={2}
                value={props.secret}
                onFocus={(event) => event.target.select()}
              />
            )}
          </Field>
          <p role="status" className="sm c-good">
            {copied ? t("tokens.copied") : ""}
          </p>
        </div>
        <footer>
          <Button icon="copy" onClick={() => void copy()}>
            {t("tokens.copy")}
          </Button>
          <Button kind="main" onClick={props.onClose}>
            {t("tokens.have_it")}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

function RevokeSheet({ token, onClose }: { token: Token; onClose(): void }) {
  const t = useT();
  const errorText = useErrorText();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      await revokeToken(token.token_id ?? "");
      toast.show(t("tokens.did.revoke", { name: token.token_id }));
      onClose();
    } catch (caught) {
      setError(errorText(caught));
      setBusy(false);
    }
  };
  return (
    <Sheet
      title={t("tokens.revoke_title", { name: token.token_id })}
      hint={t("tokens.revoke_hint")}
      submit={t("tokens.revoke")}
      busy={busy}
      error={error}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      {null}
    </Sheet>
  );
}

function TokenRow(props: {
  token: Token;
  now: number;
  selected: boolean;
  onSelect(): void;
  onRevoke(): void;
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const { token, now } = props;
  const expires = timeOf(token.expires_at);
  const soon = expires < now + 14 * day;
  return (
    <tr className={props.selected ? "sel" : ""} onClick={props.onSelect}>
      <td>
        <RowName
          row={token.token_id ?? ""}
          selected={props.selected}
          onSelect={props.onSelect}
          className="mid"
        >
          {token.token_id}
        </RowName>
      </td>
      <td className="tags">
        {(token.scopes ?? []).map((scope) => {
          const id = scopeText(scope);
          return <Tag key={scope}>{id ? t(id) : scope}</Tag>;
        })}
      </td>
      <td className="sec">{token.source || t("tokens.any_source")}</td>
      <td className="sec">
        {nameOfId(token.made_by ?? "")}
        {token.made_at && (
          <>
            {", "}
            <Moment at={token.made_at}>{formatDay(token.made_at, locale, { now })}</Moment>
          </>
        )}
      </td>
      <td className={`num ${soon ? "c-medium mid" : "sec"}`}>
        {Number.isNaN(expires) ? (
          t("tokens.until_revoked")
        ) : (
          <Moment at={expires}>{formatRelative(expires, locale, now)}</Moment>
        )}
      </td>
      <td className="num sec">
        {token.used_at ? (
          <Moment at={token.used_at}>{formatRelative(token.used_at, locale, now)}</Moment>
        ) : (
          <span className="mut">{t("tokens.never_used")}</span>
        )}
      </td>
      <td className="num">
        <Button
          kind="plain"
          danger
          {...(props.selected ? { keyCap: "x" } : {})}
          onClick={(event) => {
            event.stopPropagation();
            props.onRevoke();
          }}
        >
          {t("tokens.revoke")}
        </Button>
      </td>
    </tr>
  );
}

/** Tokens of programs: who may write or read without a person. */
export default function TokensScreen() {
  const t = useT();
  const now = useNow();
  const [search, change] = useSearchParams(params);
  const tokens = useTokens();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<{ tokenId: string; secret: string } | null>(null);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const all = tokens.data?.tokens ?? [];
  const selected = all.findIndex((token) => token.token_id === search.open);
  const select = (id: string) => change({ open: id }, { replace: true });
  useListKeys({
    title: t("nav.tokens"),
    count: all.length,
    selected,
    onSelect: (index) => select(all[index]?.token_id ?? ""),
    onOpen: () => undefined,
    onClose: () => select(""),
  });
  useKeys({
    title: t("nav.tokens"),
    bindings: [
      { key: "n", label: t("tokens.make"), run: () => setMaking(true) },
      {
        key: "x",
        label: t("tokens.revoke"),
        enabled: selected >= 0,
        run: () => setRevoking(all[selected] ?? null),
      },
    ],
  });
  useCommands([
    {
      id: "tokens.make",
      text: t("tokens.make"),
      icon: "lock",
      keyCap: "N",
      run: () => setMaking(true),
    },
  ]);
  const list = useSelectedInSight(search.open || null);
  const make = (
    <Button keyCap="n" icon="plus" onClick={() => setMaking(true)}>
      {t("tokens.make")}
    </Button>
  );
  return (
    <Screen
      className="tokens"
      title={t("nav.tokens")}
      sub={t("tokens.sub")}
      actions={all.length > 0 && make}
    >
      <Loaded query={tokens} permission="manage_tokens">
        {() =>
          all.length === 0 ? (
            <Empty title={t("tokens.empty")} icon="lock" action={make}>
              {t("tokens.empty_hint")}
            </Empty>
          ) : (
            <div className="wide-table" ref={list}>
              <table className="t">
                <thead>
                  <tr>
                    <th scope="col">{t("tokens.name")}</th>
                    <th scope="col">{t("tokens.scopes")}</th>
                    <th scope="col">{t("tokens.source")}</th>
                    <th scope="col">{t("tokens.made_by")}</th>
                    <th scope="col" className="num">
                      {t("tokens.expires")}
                    </th>
                    <th scope="col" className="num">
                      {t("tokens.used")}
                    </th>
                    <th scope="col">
                      <span className="vh">{t("tokens.revoke")}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {all.map((token) => (
                    <TokenRow
                      key={token.token_id}
                      token={token}
                      now={now}
                      selected={token.token_id === search.open}
                      onSelect={() => select(token.token_id ?? "")}
                      onRevoke={() => setRevoking(token)}
                    />
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
      {making && (
        <MakeSheet
          onClose={() => setMaking(false)}
          onMade={(tokenId, secret) => {
            setMaking(false);
            setMade({ tokenId, secret });
          }}
        />
      )}
      {made && (
        <SecretDialog
          tokenId={made.tokenId}
          secret={made.secret}
          onClose={() => {
            setMade(null);
            select(made.tokenId);
          }}
        />
      )}
      {revoking && <RevokeSheet token={revoking} onClose={() => setRevoking(null)} />}
    </Screen>
  );
}
