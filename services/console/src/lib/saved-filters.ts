import { readStored, writeStored } from "./storage";
import { createStore, type Store, useStore } from "./store";

// Filters that somebody gave a name, kept in this browser: each is a query of the screen's URL.

export interface SavedFilter {
  name: string;
  /** "?owner=anna.keller&segment=business". */
  query: string;
}

const stores = new Map<string, Store<readonly SavedFilter[]>>();

function read(key: string): SavedFilter[] {
  try {
    const told = JSON.parse(readStored(key) ?? "[]") as unknown;
    return Array.isArray(told)
      ? told.filter(
          (one): one is SavedFilter =>
            typeof one?.name === "string" && typeof one?.query === "string",
        )
      : [];
  } catch {
    return [];
  }
}

function storeOf(screen: string): Store<readonly SavedFilter[]> {
  let store = stores.get(screen);
  if (!store) {
    store = createStore<readonly SavedFilter[]>(read(`rapport.filters.${screen}`));
    stores.set(screen, store);
  }
  return store;
}

/** The filters of a screen; keeping one of a name that is there replaces it. */
export function useSavedFilters(screen: string): {
  saved: readonly SavedFilter[];
  /** False when the browser did not take it. */
  keep(filter: SavedFilter): boolean;
  drop(name: string): void;
} {
  const store = storeOf(screen);
  const saved = useStore(store);
  const change = (next: readonly SavedFilter[]) => {
    store.set(next);
    return writeStored(`rapport.filters.${screen}`, JSON.stringify(next));
  };
  return {
    saved,
    keep: (filter) => change([...saved.filter((other) => other.name !== filter.name), filter]),
    drop: (name) => {
      change(saved.filter((other) => other.name !== name));
    },
  };
}
