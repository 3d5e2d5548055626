import { useQuery } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useMemo } from "react";
import { api, body, type Schemas } from "../api/client";
import { usePreferences } from "../lib/preferences";

export type Permission =
  | "read_clients"
  | "read_figures"
  | "act_on_alerts"
  | "record_contacts"
  | "hand_over"
  | "merge_clients"
  | "write_touchpoints"
  | "read_sources"
  | "read_rejected"
  | "mend_rejected"
  | "read_operation"
  | "operate"
  | "read_staff"
  | "change_staff"
  | "manage_tokens"
  | "read_audit"
  | "set_plans";

export const roles = [
  "relationship_manager",
  "lead",
  "director",
  "analyst",
  "integrator",
  "operator",
  "auditor",
  "administrator",
] as const;
export type Role = (typeof roles)[number];

// As libs/people/README.md has it. The server decides; the page only leaves out what it would refuse.
const permissionsOf: Record<Role, readonly Permission[]> = {
  relationship_manager: [
    "read_clients",
    "read_figures",
    "act_on_alerts",
    "record_contacts",
    "read_staff",
  ],
  lead: [
    "read_clients",
    "read_figures",
    "act_on_alerts",
    "record_contacts",
    "hand_over",
    "read_staff",
    "set_plans",
  ],
  director: [
    "read_clients",
    "read_figures",
    "act_on_alerts",
    "record_contacts",
    "hand_over",
    "merge_clients",
    "read_staff",
    "set_plans",
  ],
  analyst: ["read_figures", "read_staff"],
  integrator: [
    "write_touchpoints",
    "read_sources",
    "read_rejected",
    "mend_rejected",
    "manage_tokens",
    "read_staff",
  ],
  operator: ["read_sources", "read_operation", "operate", "read_staff"],
  auditor: [
    "read_clients",
    "read_figures",
    "read_sources",
    "read_rejected",
    "read_operation",
    "read_staff",
    "read_audit",
  ],
  administrator: ["read_staff", "change_staff", "manage_tokens"],
};

/** The roles that may do something, in the order of the table. */
export function rolesThatMay(permission: Permission): Role[] {
  return roles.filter((role) => permissionsOf[role].includes(permission));
}

export interface Session {
  /** "" where the server asks nobody who they are. */
  personId: string;
  name: string;
  roles: Role[];
  seesAllClients: boolean;
  /** Else whose clients they see. */
  ownerIds: string[];
  leadsUnitIds: string[];
  /** When it ends at the latest, as RFC 3339; "": it does not. */
  endsAt: string;
  may(permission: Permission): boolean;
}

function sessionOf(told: Schemas["Session"]): Session {
  const known = (told.roles ?? []).filter((role): role is Role =>
    (roles as readonly string[]).includes(role),
  );
  const open = !told.person_id && told.access_controlled !== true;
  const permissions = new Set(known.flatMap((role) => permissionsOf[role]));
  return {
    personId: told.person_id ?? "",
    name: told.name ?? "",
    roles: known,
    seesAllClients: told.sees_all_clients === true,
    ownerIds: told.owner_ids ?? [],
    leadsUnitIds: told.leads_unit_ids ?? [],
    endsAt: told.ends_at ?? "",
    may: (permission) => open || permissions.has(permission),
  };
}

const Current = createContext<Session | null>(null);

export function useSessionQuery() {
  return useQuery({
    queryKey: ["session"],
    queryFn: ({ signal }) => body(api.GET("/v1/session", { signal })),
    staleTime: 60_000,
    refetchInterval: 5 * 60_000,
  });
}

export function SessionProvider(props: { told: Schemas["Session"]; children: ReactNode }) {
  const session = useMemo(() => sessionOf(props.told), [props.told]);
  return <Current value={session}>{props.children}</Current>;
}

export function useSession(): Session {
  const session = useContext(Current);
  if (!session) throw new Error("no session");
  return session;
}

/**
 * Whom an action is told of. With a session it is the one who is signed in, and the server sees to
 * it; where nobody is asked, whoever was chosen in the settings, or the client's own manager.
 */
export function useActor(): (ownerId: string) => string {
  const { personId } = useSession();
  const { actingAs } = usePreferences();
  return (ownerId) => personId || actingAs || ownerId || "console";
}
