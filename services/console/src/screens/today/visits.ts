import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { minute } from "../../lib/dates";
import { readStored, writeStored } from "../../lib/storage";

// What was on the list when it was looked at last, in this browser: what is new since then is
// marked, and what comes while it is read waits.

interface Look {
  /** When it was looked at, in milliseconds. */
  at: number;
  keys: string[];
}

interface Looks {
  /** The end of the visit before this one; null: there was none. */
  before: Look | null;
  latest: Look | null;
}

/** Who is back sooner than this has not been away. */
const awayAfter = 30 * minute;
const storageKey = "rapport.today.looks";

function restored(now: number): Looks {
  const none: Looks = { before: null, latest: null };
  try {
    const { before, latest } = {
      ...none,
      ...(JSON.parse(readStored(storageKey) ?? "{}") as Looks),
    };
    return latest && now - latest.at > awayAfter ? { before: latest, latest } : { before, latest };
  } catch {
    return none;
  }
}

/** Which of the rows are new since the visit before, and when that was; null: it is the first. */
export function useNewSince(
  keys: readonly string[],
): { at: number; keys: ReadonlySet<string> } | null {
  const [looks] = useState(() => restored(Date.now()));
  const seen = useRef<readonly string[]>([]);
  if (keys.length > 0) seen.current = keys;
  useEffect(() => {
    const keep = () => {
      if (seen.current.length === 0) return;
      const latest: Look = { at: Date.now(), keys: [...seen.current] };
      writeStored(storageKey, JSON.stringify({ before: looks.before, latest }));
    };
    const onHidden = () => document.hidden && keep();
    document.addEventListener("visibilitychange", onHidden);
    addEventListener("pagehide", keep);
    return () => {
      document.removeEventListener("visibilitychange", onHidden);
      removeEventListener("pagehide", keep);
      keep();
    };
  }, [looks]);
  return useMemo(() => {
    if (!looks.before) return null;
    const known = new Set(looks.before.keys);
    return { at: looks.before.at, keys: new Set(keys.filter((key) => !known.has(key))) };
  }, [looks, keys]);
}

export interface TodayRow {
  key: string;
  clientId: string;
}

/**
 * Holds back rows that come while the list is read: nothing moves under the eyes. Those of `own`
 * clients, of whom something was written here, do not wait. Another `list` begins anew.
 */
export function useHeldBack(
  list: string,
  rows: readonly TodayRow[] | null,
  own: ReadonlySet<string>,
): { held: ReadonlySet<string>; letIn(): void } {
  const [shown, setShown] = useState<{ list: string; keys: ReadonlySet<string> }>();
  const known = shown?.list === list ? shown.keys : undefined;
  const held = useMemo(() => {
    const late = known ? (rows ?? []).filter(({ key }) => !known.has(key)) : [];
    return new Set(late.flatMap(({ key, clientId }) => (own.has(clientId) ? [] : [key])));
  }, [known, rows, own]);
  const letIn = useCallback(
    () => setShown({ list, keys: new Set((rows ?? []).map(({ key }) => key)) }),
    [list, rows],
  );
  useEffect(() => {
    if (rows && !known) letIn();
  }, [rows, known, letIn]);
  return { held, letIn };
}
