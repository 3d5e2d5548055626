import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useLocation } from "wouter";
import { type SearchHit, useSearchHits } from "../api/search";
import { KeyCap } from "../components/basics";
import { Icon, type IconName } from "../components/icon";
import { Dialog } from "../components/sheet";
import { useErrorText } from "../components/states";
import { useLocale, useT } from "../i18n";
import { localeNames, locales } from "../i18n/locales";
import { folded } from "../lib/fold";
import { useKeys } from "../lib/keys";
import { preferences } from "../lib/preferences";
import { createStore, useStore } from "../lib/store";
import { useAllCommands } from "./commands";
import { routes } from "./routes";
import { useSession } from "./session";

const open = createStore(false);

export function openPalette(): void {
  open.set(true);
}

interface Entry {
  id: string;
  icon: IconName;
  text: string;
  detail: string;
  keyCap?: string;
  run(): void;
}

const hitIcons: Record<SearchHit["kind"], IconName> = {
  client: "clients",
  person: "person",
  identifier: "identity",
  deal: "deal",
};

function usePageEntries(): Entry[] {
  const t = useT();
  const locale = useLocale();
  const session = useSession();
  const commands = useAllCommands();
  const [, navigate] = useLocation();
  const screens = routes.flatMap((route): Entry[] =>
    route.nav && (!route.permission || session.may(route.permission))
      ? [
          {
            id: `go ${route.path}`,
            icon: route.nav.icon,
            text: t(route.nav.label),
            detail: t("palette.screen"),
            run: () => navigate(route.path),
          },
        ]
      : [],
  );
  const themes = (["light", "dark", "system"] as const).map(
    (theme): Entry => ({
      id: `theme ${theme}`,
      icon: "theme",
      text: t(`settings.theme.${theme}`),
      detail: t("settings.theme"),
      run: () => preferences.change({ theme }),
    }),
  );
  const languages = locales
    .filter((other) => other !== locale)
    .map(
      (other): Entry => ({
        id: `language ${other}`,
        icon: "language",
        text: localeNames[other],
        detail: t("settings.language"),
        run: () => preferences.change({ locale: other }),
      }),
    );
  return [
    ...commands.map((command) => ({ ...command, detail: t("palette.command") })),
    ...screens,
    ...themes,
    ...languages,
  ];
}

/** Rests `milliseconds` before it follows `value`. */
function useRested(value: string, milliseconds: number): string {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return rested;
}

function PaletteDialog() {
  const t = useT();
  const errorText = useErrorText();
  const [, navigate] = useLocation();
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useId();
  const rested = useRested(typed.trim(), 120);
  const hits = useSearchHits(rested);
  const wanted = folded(typed.trim());
  const close = () => open.set(false);
  const found: Entry[] = (typed.trim() ? (hits.data ?? []) : []).map((hit) => ({
    id: `hit ${hit.kind} ${hit.clientId} ${hit.dealId} ${hit.text}`,
    icon: hitIcons[hit.kind],
    text: hit.role ? `${hit.text}, ${hit.role}` : hit.text,
    detail: hit.kind === "client" ? hit.clientId : hit.clientName,
    run: () =>
      navigate(
        hit.kind === "deal"
          ? `/pipeline?deal=${encodeURIComponent(hit.dealId)}`
          : `/clients/${encodeURIComponent(hit.clientId)}`,
      ),
  }));
  const own = usePageEntries().filter(
    (entry) => wanted === "" || folded(`${entry.text} ${entry.detail}`).includes(wanted),
  );
  const entries = [...found, ...own].slice(0, 40);
  const current = Math.min(chosen, entries.length - 1);
  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    entry.run();
  };
  // Whoever types faster than the server answers has the first that it finds.
  const searching = wanted !== "" && (rested !== typed.trim() || hits.isFetching);
  const [awaited, setAwaited] = useState(false);
  const latestRun = useRef<() => void>(undefined);
  latestRun.current = () => {
    setAwaited(false);
    run(entries[current]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const by = event.key === "ArrowDown" ? 1 : -1;
      setChosen((current + by + entries.length) % Math.max(1, entries.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (searching) setAwaited(true);
      else run(entries[current]);
    }
  };
  useEffect(() => {
    if (awaited && !searching) latestRun.current?.();
  }, [awaited, searching]);
  useEffect(() => {
    document.getElementById(`${list}-${current}`)?.scrollIntoView({ block: "nearest" });
  }, [list, current]);
  return (
    <Dialog label={t("palette.title")} className="palette" onClose={close}>
      <div className="palette-field">
        <Icon name="search" />
        <input
          type="text"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setChosen(0);
            setAwaited(false);
          }}
          onKeyDown={onKeyDown}
          placeholder={t("palette.placeholder")}
          aria-label={t("palette.placeholder")}
          role="combobox"
          aria-expanded={entries.length > 0}
          aria-controls={list}
          aria-activedescendant={entries.length > 0 ? `${list}-${current}` : undefined}
          autoComplete="off"
          spellCheck={false}
        />
        <KeyCap>Esc</KeyCap>
      </div>
      {hits.error && typed.trim() !== "" && (
        <p className="hint bad" role="alert">
          {errorText(hits.error)}
        </p>
      )}
      <div id={list} role="listbox" aria-label={t("palette.title")} className="palette-list">
        {entries.map((entry, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys
          // biome-ignore lint/a11y/useFocusableInteractive: aria-activedescendant, the field has the focus
          <div
            key={entry.id}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === current}
            className={index === current ? "is-hover" : ""}
            onClick={() => run(entry)}
            onMouseMove={() => setChosen(index)}
          >
            <Icon name={entry.icon} />
            <span className="cut">{entry.text}</span>
            <span className="cut mut">{entry.detail}</span>
            {entry.keyCap && <KeyCap>{entry.keyCap}</KeyCap>}
          </div>
        ))}
      </div>
      {entries.length === 0 && !hits.isFetching && rested === typed.trim() && (
        <p className="none sec">{t("palette.nothing", { typed })}</p>
      )}
    </Dialog>
  );
}

/** Search and commands, by "/" and Ctrl+K. */
export function Palette() {
  const t = useT();
  const isOpen = useStore(open);
  useKeys({
    title: t("keys.everywhere"),
    bindings: [
      { key: "/", label: t("keys.search"), run: openPalette },
      { key: "Control+k", label: t("keys.search"), run: openPalette, inFields: true },
    ],
  });
  return isOpen ? <PaletteDialog /> : null;
}
