import { QueryClientProvider } from "@tanstack/react-query";
import { Suspense, useEffect, useRef } from "react";
import { Link, Redirect, Route, Switch, useLocation } from "wouter";
import { followChanges } from "../api/changes";
import { queryClient } from "../api/query";
import { Screen } from "../components/screen";
import { Empty, ErrorBanner, NoPermission, SkeletonRows } from "../components/states";
import { Toasts } from "../components/toast";
import { Texts, useT } from "../i18n";
import { Sheets } from "../sheets";
import { ErrorBoundary } from "./error-boundary";
import { GoTo } from "./go-to";
import { KeysHelp } from "./keys-help";
import { Navigation, TabBar } from "./navigation";
import { OutboxBanner } from "./outbox-banner";
import { Palette } from "./palette";
import { routes, type ScreenRoute } from "./routes";
import { type Session, SessionProvider, useSession, useSessionQuery } from "./session";
import { SessionEnd } from "./session-end";

function firstToOperate(session: Session): ScreenRoute | undefined {
  return routes.find(
    (route) => route.nav?.group === "operate" && route.permission && session.may(route.permission),
  );
}

function Shown(props: { route: ScreenRoute; params: Record<string, string> }) {
  const t = useT();
  const session = useSession();
  const { component: Component, permission } = props.route;
  if (permission && !session.may(permission)) {
    // Whoever has no clients begins with what they have.
    const own = props.route.path === "/" && firstToOperate(session);
    if (own) return <Redirect to={own.path} replace />;
    return (
      <Screen title={props.route.nav ? t(props.route.nav.label) : t("state.no_permission")}>
        <NoPermission permission={permission} />
      </Screen>
    );
  }
  return (
    <Suspense fallback={<SkeletonRows />}>
      <Component params={props.params} />
    </Suspense>
  );
}

function NothingHere() {
  const t = useT();
  return (
    <Empty
      title={t("error.no_screen")}
      icon="search"
      action={
        <Link className="b" href="/">
          {t("nav.today")}
        </Link>
      }
    />
  );
}

/** A new screen is read from its beginning: the focus goes to it, as with a page that is loaded. */
function Main() {
  const [path] = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [path]);
  return (
    <main className="main" id="main" ref={main} tabIndex={-1}>
      <SessionEnd />
      <OutboxBanner />
      <ErrorBoundary key={path}>
        <Switch>
          {routes.map((route) => (
            <Route key={route.path} path={route.path}>
              {(params) => <Shown route={route} params={params as Record<string, string>} />}
            </Route>
          ))}
          <Route>
            <NothingHere />
          </Route>
        </Switch>
      </ErrorBoundary>
    </main>
  );
}

/** Follows what changes, for those who see clients at all. */
function Changes() {
  const follows = useSession().may("read_clients");
  useEffect(() => {
    if (!follows) return;
    const ended = new AbortController();
    void followChanges(ended.signal);
    return () => ended.abort();
  }, [follows]);
  return null;
}

function SignedIn() {
  const t = useT();
  const session = useSessionQuery();
  if (session.data === undefined) {
    // 401 has already led to the sign-in page.
    return session.error ? (
      <ErrorBanner error={session.error} onRetry={() => void session.refetch()} />
    ) : null;
  }
  return (
    <SessionProvider told={session.data}>
      <Changes />
      <a className="skip" href="#main">
        {t("nav.skip")}
      </a>
      <div className="app">
        <Navigation />
        <Main />
      </div>
      <TabBar />
      <Toasts />
      <Palette />
      <GoTo />
      <Sheets />
      <KeysHelp />
    </SessionProvider>
  );
}

export function App() {
  return (
    <Texts>
      <QueryClientProvider client={queryClient}>
        <SignedIn />
      </QueryClientProvider>
    </Texts>
  );
}
