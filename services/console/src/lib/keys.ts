import { useEffect, useRef } from "react";
import { preferences } from "./preferences";
import { createStore, useStore } from "./store";

// One listener for the whole page: keys work wherever the focus is, except in fields, and none of
// them is lost after a click beside a list.

export interface KeyBinding {
  /** "c", "?", "Enter", "ArrowDown", "Escape", "Control+k". Letters in lower case. */
  key: string;
  /** What it does, in the language of the page; shown by "?". Left out: not shown. */
  label?: string;
  run(event: KeyboardEvent): void;
  /** Also while a field has the focus. */
  inFields?: boolean;
  /** False: the key is there and does nothing now. */
  enabled?: boolean;
}

export interface KeyGroup {
  /** Heading under which "?" shows them. */
  title: string;
  bindings: KeyBinding[];
}

interface Registered {
  id: symbol;
  group: { current: KeyGroup };
}

const groups = createStore<readonly Registered[]>([]);

/** Groups that are on the page now, the latest first. */
export function useKeyGroups(): KeyGroup[] {
  return useStore(groups)
    .map((registered) => registered.group.current)
    .reverse();
}

function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return (
    target instanceof HTMLInputElement &&
    !["button", "checkbox", "radio", "range", "submit"].includes(target.type)
  );
}

// Something that can be pressed has Enter and space for itself.
function pressesItself(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest("button, a[href], summary, [role=menuitem], [role=tab]") !== null
  );
}

/**
 * Names of the key that was pressed, the best first. On a Greek or Russian layout the key that has
 * a "C" on it writes another letter: its place on the keyboard is taken then.
 */
export function namesOf(event: {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}): string[] {
  if (event.altKey) return [];
  const prefix = event.ctrlKey || event.metaKey ? "Control+" : "";
  const names = [event.key.length === 1 ? event.key.toLowerCase() : event.key];
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  if (letter && !/^[a-z]$/i.test(event.key)) names.push(letter.toLowerCase());
  // Slovak and Czech layouts have letters where others have digits.
  const digit = /^Digit(\d)$/.exec(event.code)?.[1];
  if (digit && event.key !== digit && !event.shiftKey) names.push(digit);
  if (event.code === "Slash") names.push(event.shiftKey ? "?" : "/");
  return names.map((name) => prefix + name);
}

function handle(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const inField = isField(event.target);
  const names = namesOf(event);
  // What is open above the page has the keys for itself.
  const dialog = document.querySelector("dialog[open]:modal");
  for (const name of names) {
    const single = name.length === 1;
    if (single && !preferences.get().singleKeys) continue;
    if ((name === "Enter" || name === " ") && pressesItself(event.target)) continue;
    for (const { group } of [...groups.get()].reverse()) {
      const binding = group.current.bindings.find(
        (candidate) => candidate.key === name && candidate.enabled !== false,
      );
      if (!binding || (inField && !binding.inFields) || dialog) continue;
      event.preventDefault();
      binding.run(event);
      return;
    }
  }
}

let listening = false;

/** Binds keys while the component is there. Later groups win over earlier ones. */
export function useKeys(group: KeyGroup): void {
  const current = useRef(group);
  current.current = group;
  useEffect(() => {
    if (!listening) {
      listening = true;
      document.addEventListener("keydown", handle);
    }
    const registered: Registered = { id: Symbol(), group: current };
    groups.set((all) => [...all, registered]);
    return () => groups.set((all) => all.filter((other) => other !== registered));
  }, []);
}
