import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { ApiError } from "../api/client";
import { type Permission, rolesThatMay, useSession } from "../app/session";
import { useFormattingLocale, useT } from "../i18n";
import { formatTime } from "../lib/dates";
import { Button } from "./basics";
import { Icon, type IconName } from "./icon";
import { SeverityShape } from "./severity";

/** Why there is nothing, and what to do. */
export function Empty(props: {
  title: string;
  children?: ReactNode;
  icon?: IconName;
  action?: ReactNode;
}) {
  return (
    <div className="void">
      <Icon name={props.icon ?? "check"} />
      <b className="str">{props.title}</b>
      {props.children && <span className="sec">{props.children}</span>}
      {props.action}
    </div>
  );
}

/** True once `milliseconds` have passed: a skeleton that flashes is worse than none. */
export function useAfter(milliseconds: number): boolean {
  const [passed, setPassed] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setPassed(true), milliseconds);
    return () => clearTimeout(timer);
  }, [milliseconds]);
  return passed;
}

const widths = [72, 60, 66, 58, 70, 62];

/** Rows of the size of those that come, after 150 ms. */
export function SkeletonRows(props: { count?: number; columns?: number }) {
  const t = useT();
  const shown = useAfter(150);
  const { count = 6, columns = 3 } = props;
  return (
    <div aria-busy="true" className="skeleton">
      <span className="vh" role="status">
        {t("state.loading")}
      </span>
      {shown &&
        Array.from({ length: count }, (_, row) => (
          <div
            className="row tall"
            aria-hidden="true"
            // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
            key={row}
            style={{
              gridTemplateColumns: `16px 172px repeat(${columns - 2}, minmax(0, 1fr)) 60px`,
            }}
          >
            <span className="sk" style={{ width: 14 }} />
            {Array.from({ length: columns }, (_, column) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
              <span className="two" style={{ gap: 8 }} key={column}>
                <span className="sk" style={{ width: `${widths[(row + column) % 6]}%` }} />
                <span className="sk dim" style={{ width: `${widths[(row + column + 3) % 6]}%` }} />
              </span>
            ))}
          </div>
        ))}
    </div>
  );
}

/** What went wrong, in the language of the page, with the server's own sentence behind it. */
export function useErrorText(): (error: unknown) => string {
  const t = useT();
  return (error) => {
    if (!(error instanceof ApiError)) return t("error.unexpected");
    const told = error.message ? `: ${error.message}` : "";
    if (error.status === 0) return t("error.unreachable");
    if (error.status === 403) return t("error.forbidden") + told;
    if (error.status === 404) return t("error.not_found") + told;
    if (error.status === 409) return t("error.conflict") + told;
    if (error.status >= 500) return t("error.server", { status: error.status }) + told;
    return t("error.refused", { status: error.status }) + told;
  };
}

/** Something could not be read: what, and another try. Stands above data that is still shown. */
export function ErrorBanner(props: {
  error: unknown;
  /** When what is shown was read, in milliseconds; 0: nothing is shown. */
  shownSince?: number;
  onRetry?: () => void;
}) {
  const t = useT();
  const text = useErrorText();
  const locale = useFormattingLocale();
  return (
    <div className="banner bad" role="alert">
      <SeverityShape severity="critical" />
      <span>
        {text(props.error)}
        {props.shownSince
          ? ` ${t("error.shown_since", { time: formatTime(props.shownSince, locale) })}`
          : ""}
      </span>
      {props.onRetry && <Button onClick={props.onRetry}>{t("act.retry")}</Button>}
    </div>
  );
}

export function NoPermission({ permission }: { permission: Permission }) {
  const t = useT();
  const session = useSession();
  const list = (words: readonly string[]) => words.join(", ");
  return (
    <Empty title={t("state.no_permission")} icon="lock">
      {session.roles.length > 0
        ? t("state.your_roles", { roles: list(session.roles.map((role) => t(`role.${role}`))) })
        : t("state.no_role")}{" "}
      {t("state.roles_that_may", {
        roles: list(rolesThatMay(permission).map((role) => t(`role.${role}`))),
      })}
    </Empty>
  );
}

/**
 * What a query has to show: a skeleton before the first answer, an error in place of it or above
 * what is still known, and never a spinner over old data.
 */
export function Loaded<Data>(props: {
  query: UseQueryResult<Data>;
  /** For 403. */
  permission?: Permission;
  skeleton?: ReactNode;
  children(data: Data): ReactNode;
}) {
  const t = useT();
  const { query } = props;
  if (query.data !== undefined) {
    return (
      <>
        {query.error && (
          <ErrorBanner
            error={query.error}
            shownSince={query.dataUpdatedAt}
            onRetry={() => void query.refetch()}
          />
        )}
        {props.children(query.data)}
      </>
    );
  }
  if (query.error) {
    if (query.error instanceof ApiError && query.error.status === 403 && props.permission) {
      return <NoPermission permission={props.permission} />;
    }
    if (query.error instanceof ApiError && query.error.status === 404) {
      return (
        <Empty title={t("error.not_found")} icon="search">
          {query.error.message}
        </Empty>
      );
    }
    return <ErrorBanner error={query.error} onRetry={() => void query.refetch()} />;
  }
  return <>{props.skeleton ?? <SkeletonRows />}</>;
}
