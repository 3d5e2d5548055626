import { Link, useLocation } from "wouter";
import { Avatar, KeyCap } from "../components/basics";
import { Icon } from "../components/icon";
import { useT } from "../i18n";
import { useCounts } from "./counts";
import { openPalette } from "./palette";
import { isAt, routes, type ScreenRoute } from "./routes";
import { type Session, useSession } from "./session";

function allowed(session: Session, group: "work" | "operate" | "foot"): ScreenRoute[] {
  return routes.filter(
    (route) => route.nav?.group === group && (!route.permission || session.may(route.permission)),
  );
}

function NavLink({ route }: { route: ScreenRoute }) {
  const t = useT();
  const [path] = useLocation();
  const counts = useCounts();
  if (!route.nav) return null;
  const count = counts[route.path];
  return (
    <Link href={route.path} aria-current={isAt(route, path) ? "page" : undefined}>
      <Icon name={route.nav.icon} />
      <span className="cut">{t(route.nav.label)}</span>
      {count && <span className={`n ${count.critical ? "crit" : ""}`}>{count.text}</span>}
    </Link>
  );
}

export function Navigation() {
  const t = useT();
  const session = useSession();
  const operate = allowed(session, "operate");
  const role = session.roles[0];
  return (
    <nav className="nav" aria-label={t("nav.main")}>
      <div className="word">{t("app.name")}</div>
      <button
        type="button"
        className="find"
        onClick={openPalette}
        aria-keyshortcuts="/ Control+K"
        aria-haspopup="dialog"
      >
        <Icon name="search" />
        <span>{t("nav.search")}</span>
        <KeyCap>/</KeyCap>
      </button>
      {allowed(session, "work").map((route) => (
        <NavLink key={route.path} route={route} />
      ))}
      {operate.length > 0 && <h3>{t("nav.operate")}</h3>}
      {operate.map((route) => (
        <NavLink key={route.path} route={route} />
      ))}
      <div className="foot">
        {allowed(session, "foot").map((route) => (
          <NavLink key={route.path} route={route} />
        ))}
        <div className="me">
          {session.personId ? (
            <>
              <Avatar name={session.name || session.personId} />
              <span className="two">
                <span className="mid cut">{session.name || session.personId}</span>
                {role && <span className="xs mut cut">{t(`role.${role}`)}</span>}
              </span>
            </>
          ) : (
            <>
              <span className="av" aria-hidden="true">
                <Icon name="lock" />
              </span>
              <span className="two">
                <span className="mid cut">{t("session.open")}</span>
                <span className="xs mut cut">{t("session.open_hint")}</span>
              </span>
            </>
          )}
        </div>
      </div>
    </nav>
  );
}

/** The navigation at the foot of a phone. */
export function TabBar() {
  const t = useT();
  const session = useSession();
  const [path] = useLocation();
  const shown = routes
    .filter((route) => route.nav?.phone && (!route.permission || session.may(route.permission)))
    .slice(0, 4);
  return (
    <nav className="tabbar" aria-label={t("nav.main")}>
      {shown.map((route) => (
        <Link
          key={route.path}
          href={route.path}
          aria-current={isAt(route, path) ? "page" : undefined}
        >
          {route.nav && <Icon name={route.nav.icon} />}
          <span>{route.nav && t(route.nav.label)}</span>
        </Link>
      ))}
      <button type="button" onClick={openPalette}>
        <Icon name="search" />
        <span>{t("nav.search")}</span>
      </button>
    </nav>
  );
}
