import { type Locale, localeOf } from "../i18n/locales";
import { readStored, writeStored } from "./storage";
import { createStore, useStore } from "./store";

// What a user chose for this browser.
export interface Preferences {
  theme: "system" | "light" | "dark";
  density: "usual" | "roomy";
  /** Null: that of the browser. */
  locale: Locale | null;
  /** IANA name of the zone that times are shown in; "": that of the browser. */
  zone: string;
  /** Whether single letters act (WCAG 2.1.4 wants them to be switched off at will). */
  singleKeys: boolean;
  /** Whom actions are told of where the server asks nobody who they are; "": the client's owner. */
  actingAs: string;
}

const key = "rapport.preferences";

// Names of zones come and go with the versions of browsers.
function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function read(): Preferences {
  const preferences: Preferences = {
    theme: "system",
    density: "usual",
    locale: null,
    zone: "",
    singleKeys: true,
    actingAs: "",
  };
  const stored = readStored(key);
  if (!stored) return preferences;
  try {
    const told = JSON.parse(stored) as Partial<Record<keyof Preferences, unknown>>;
    if (told.theme === "light" || told.theme === "dark") preferences.theme = told.theme;
    if (told.density === "roomy") preferences.density = "roomy";
    if (typeof told.locale === "string") preferences.locale = localeOf(told.locale);
    if (typeof told.zone === "string" && isZone(told.zone)) preferences.zone = told.zone;
    if (told.singleKeys === false) preferences.singleKeys = false;
    if (typeof told.actingAs === "string") preferences.actingAs = told.actingAs;
  } catch {
    writeStored(key, null);
  }
  return preferences;
}

const store = createStore(read());

function show(preferences: Preferences): void {
  const root = document.documentElement;
  if (preferences.theme === "system") root.removeAttribute("data-theme");
  else root.dataset.theme = preferences.theme;
  if (preferences.density === "usual") root.removeAttribute("data-density");
  else root.dataset.density = preferences.density;
}

export const preferences = {
  get: store.get,
  change(changed: Partial<Preferences>): void {
    store.set((before) => ({ ...before, ...changed }));
    writeStored(key, JSON.stringify(store.get()));
    show(store.get());
  },
  subscribe: store.subscribe,
};

/** Called once, before the page is drawn. */
export function showPreferences(): void {
  show(store.get());
}

export function usePreferences(): Preferences {
  return useStore(store);
}
