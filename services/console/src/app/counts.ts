import { useEffect } from "react";
import { createStore, useStore } from "../lib/store";

// Numbers beside the navigation. Each comes from the server with the screen that knows it; nothing
// is counted here.

export interface Count {
  text: string;
  /** It is red: somebody has to act. */
  critical?: boolean;
}

const counts = createStore<Readonly<Record<string, Count>>>({});

/** By the path of the screen. */
export function useCounts(): Readonly<Record<string, Count>> {
  return useStore(counts);
}

/** Shows a count beside a screen; null takes it away. */
export function useCount(path: string, text: string | null, critical = false): void {
  useEffect(() => {
    counts.set((all) => {
      const { [path]: _, ...others } = all;
      return text === null ? others : { ...others, [path]: { text, critical } };
    });
  }, [path, text, critical]);
}
