import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";

// The URL is the state of a screen: filters, period, open panel, selected row.

export interface Param<Value> {
  read(text: string | null): Value;
  /** Null: left out of the URL. */
  write(value: Value): string | null;
}

/** A text; left out when it is empty. */
export function text(): Param<string> {
  return { read: (raw) => raw ?? "", write: (value) => value || null };
}

/** One of some words; anything else is the first, which is left out of the URL. */
export function oneOf<const Words extends readonly [string, ...string[]]>(
  ...words: Words
): Param<Words[number]> {
  return {
    read: (raw) => words.find((word) => word === raw) ?? words[0],
    write: (value) => (value === words[0] ? null : value),
  };
}

/** Some words, with commas in between. */
export function many(): Param<readonly string[]> {
  return {
    read: (raw) => (raw ? raw.split(",") : []),
    write: (value) => (value.length > 0 ? value.join(",") : null),
  };
}

export function flag(): Param<boolean> {
  return { read: (raw) => raw === "1", write: (value) => (value ? "1" : null) };
}

export type Params = Record<string, Param<unknown>>;
export type ValuesOf<P> = { [Name in keyof P]: P[Name] extends Param<infer Value> ? Value : never };

/** The query of `path` with `changed` in it; other parameters stay. */
export function withParams<P extends Record<string, Param<unknown>>>(
  search: string,
  params: P,
  changed: Partial<ValuesOf<P>>,
): string {
  const next = new URLSearchParams(search);
  for (const name of Object.keys(changed)) {
    const written = params[name]?.write(changed[name]);
    if (written === null || written === undefined) next.delete(name);
    else next.set(name, written);
  }
  const query = next.toString();
  return query ? `?${query}` : "";
}

/**
 * The parameters of the URL, and how to change some. A change is a step of its own for "back"
 * unless `replace` is asked for, as for a text that is being typed.
 */
export function useSearchParams<P extends Record<string, Param<unknown>>>(
  params: P,
): [ValuesOf<P>, (changed: Partial<ValuesOf<P>>, options?: { replace?: boolean }) => void] {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const values = useMemo(() => {
    const query = new URLSearchParams(search);
    return Object.fromEntries(
      Object.entries(params).map(([name, param]) => [name, param.read(query.get(name))]),
    ) as unknown as ValuesOf<P>;
  }, [search, params]);
  const change = useCallback(
    (changed: Partial<ValuesOf<P>>, options: { replace?: boolean } = {}) => {
      navigate(path + withParams(location.search, params, changed), {
        replace: options.replace === true,
      });
    },
    [navigate, path, params],
  );
  return [values, change];
}
