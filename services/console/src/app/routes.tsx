import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import type { IconName } from "../components/icon";
import type { MessageId } from "../i18n";
import type { Permission } from "./session";

// All screens of the console. A screen is a folder in src/screens with an index.tsx whose default
// export draws it; it is loaded when it is first opened.
export interface ScreenRoute {
  /** wouter's pattern, such as "/clients/:id"; its values are the props `params`. */
  path: string;
  component: LazyExoticComponent<ComponentType<{ params: Record<string, string> }>>;
  /** What the caller must be allowed to; else the screen says who may. */
  permission?: Permission;
  /** Its place in the navigation; left out: it is reached from others. */
  nav?: { label: MessageId; icon: IconName; group: "work" | "operate" | "foot"; phone?: boolean };
}

type Loader = () => Promise<{ default: ComponentType<{ params: Record<string, string> }> }>;

function screen(path: string, load: Loader, rest: Omit<ScreenRoute, "path" | "component"> = {}) {
  return { path, component: lazy(load), ...rest };
}

export const routes: readonly ScreenRoute[] = [
  screen("/", () => import("../screens/today"), {
    permission: "read_clients",
    nav: { label: "nav.today", icon: "today", group: "work", phone: true },
  }),
  screen("/clients", () => import("../screens/clients"), {
    permission: "read_clients",
    nav: { label: "nav.clients", icon: "clients", group: "work", phone: true },
  }),
  screen("/clients/:id", () => import("../screens/client"), { permission: "read_clients" }),
  screen("/pipeline", () => import("../screens/pipeline"), {
    permission: "read_figures",
    nav: { label: "nav.pipeline", icon: "pipeline", group: "work", phone: true },
  }),
  screen("/pipeline/list", () => import("../screens/pipeline/list"), {
    permission: "read_figures",
  }),
  screen("/alerts", () => import("../screens/alerts"), {
    permission: "read_clients",
    nav: { label: "nav.alerts", icon: "alerts", group: "work", phone: true },
  }),
  screen("/commitments", () => import("../screens/commitments"), {
    permission: "read_clients",
    nav: { label: "nav.commitments", icon: "promise", group: "work" },
  }),
  screen("/complaints", () => import("../screens/complaints"), {
    permission: "read_clients",
    nav: { label: "nav.complaints", icon: "complaint", group: "work" },
  }),
  screen("/figures", () => import("../screens/figures"), {
    permission: "read_figures",
    nav: { label: "nav.figures", icon: "figures", group: "work" },
  }),
  screen("/team", () => import("../screens/team"), {
    permission: "read_figures",
    nav: { label: "nav.team", icon: "clients", group: "work" },
  }),
  screen("/forecast", () => import("../screens/forecast"), {
    permission: "read_figures",
    nav: { label: "nav.forecast", icon: "forecast", group: "work" },
  }),
  screen("/bonus", () => import("../screens/bonus"), {
    permission: "read_figures",
    nav: { label: "nav.bonus", icon: "deal", group: "work" },
  }),
  screen("/people", () => import("../screens/people"), {
    permission: "read_staff",
    nav: { label: "nav.people", icon: "person", group: "foot" },
  }),
  screen("/sources", () => import("../screens/sources"), {
    permission: "read_sources",
    nav: { label: "nav.sources", icon: "sources", group: "operate", phone: true },
  }),
  screen("/operations", () => import("../screens/operations"), {
    permission: "read_operation",
    nav: { label: "nav.operations", icon: "operations", group: "operate", phone: true },
  }),
  screen("/tokens", () => import("../screens/tokens"), {
    permission: "manage_tokens",
    nav: { label: "nav.tokens", icon: "lock", group: "operate" },
  }),
  screen("/audit", () => import("../screens/audit"), {
    permission: "read_audit",
    nav: { label: "nav.audit", icon: "contract", group: "operate" },
  }),
  screen("/identity", () => import("../screens/identity"), {
    permission: "merge_clients",
    nav: { label: "nav.identity", icon: "identity", group: "operate" },
  }),
  screen("/settings", () => import("../screens/settings"), {
    nav: { label: "nav.settings", icon: "settings", group: "foot", phone: true },
  }),
];

/** Whether `path` is the route's, or below it ("/clients/18073" is below "/clients"). */
export function isAt(route: ScreenRoute, path: string): boolean {
  return route.path === "/" ? path === "/" : `${path}/`.startsWith(`${route.path}/`);
}
