import { useEffect, useState } from "react";
import { readStored, writeStored } from "../../lib/storage";

/** When this client was looked at before, in milliseconds; null: never, in this browser. */
export function useLastVisit(clientId: string): number | null {
  const key = `rapport.visit.${clientId}`;
  const [before] = useState(() => {
    const stored = Number(readStored(key));
    return Number.isFinite(stored) && stored > 0 ? stored : null;
  });
  useEffect(() => () => void writeStored(key, String(Date.now())), [key]);
  return before;
}
