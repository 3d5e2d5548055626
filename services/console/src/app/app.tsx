import { QueryClientProvider } from "@tanstack/react-query";
import { Suspense, useEffect, useRef } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { followChanges } from "../api/changes";
import { queryClient } from "../api/query";
import { Empty, ErrorBanner, NoPermission, SkeletonRows } from "../components/states";
import { Toasts } from "../components/toast";
import { Texts, useT } from "../i18n";
import { Sheets } from "../sheets";
import { ErrorBoundary } from "./error-boundary";
import { KeysHelp } from "./keys-help";
import { Navigation, TabBar } from "./navigation";
import { OutboxBanner } from "./outbox-banner";
import { Palette } from "./palette";
import { routes, type ScreenRoute } from "./routes";
import { SessionProvider, useSession, useSessionQuery } from "./session";

function Shown(props: { route: ScreenRoute; params: Record<string, string> }) {
  const session = useSession();
  const { component: Component, permission } = props.route;
  if (permission && !session.may(permission)) return <NoPermission permission={permission} />;
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

function SignedIn() {
  const t = useT();
  const session = useSessionQuery();
  const follows = session.data !== undefined;
  useEffect(() => {
    if (!follows) return;
    const ended = new AbortController();
    void followChanges(ended.signal);
    return () => ended.abort();
  }, [follows]);
  if (session.data === undefined) {
    // 401 has already led to the sign-in page.
    return session.error ? (
      <ErrorBanner error={session.error} onRetry={() => void session.refetch()} />
    ) : null;
  }
  return (
    <SessionProvider told={session.data}>
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
