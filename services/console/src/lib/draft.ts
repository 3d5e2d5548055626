import { useCallback, useEffect, useRef, useState } from "react";
import { readStored, writeStored } from "./storage";

function keyOf(name: string): string {
  return `rapport.draft.${name}`;
}

/** Puts fields into a form that is not open yet. */
export function keepDraft(name: string, fields: object): void {
  writeStored(keyOf(name), JSON.stringify(fields));
}

/**
 * The fields of a form, kept in this browser until they are sent: whoever closes the sheet, or the
 * page, finds them again. `name` says which form, of which client.
 */
export function useDraft<Fields extends object>(
  name: string,
  initial: () => Fields,
): { fields: Fields; change(changed: Partial<Fields>): void; clear(): void } {
  const key = keyOf(name);
  const [fields, setFields] = useState<Fields>(() => {
    const stored = readStored(key);
    if (!stored) return initial();
    try {
      return { ...initial(), ...(JSON.parse(stored) as Partial<Fields>) };
    } catch {
      return initial();
    }
  });
  const cleared = useRef(false);
  const changed = useRef(false);
  useEffect(() => {
    if (changed.current && !cleared.current) writeStored(key, JSON.stringify(fields));
  }, [key, fields]);
  const change = useCallback((some: Partial<Fields>) => {
    changed.current = true;
    setFields((before) => ({ ...before, ...some }));
  }, []);
  const clear = useCallback(() => {
    cleared.current = true;
    writeStored(key, null);
  }, [key]);
  return { fields, change, clear };
}
