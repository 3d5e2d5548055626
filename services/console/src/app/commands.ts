import { useEffect, useRef } from "react";
import type { IconName } from "../components/icon";
import { createStore, useStore } from "../lib/store";

// What the palette offers beside clients and screens: each screen brings its own.
export interface Command {
  id: string;
  text: string;
  icon: IconName;
  keyCap?: string;
  run(): void;
}

const store = createStore<readonly { id: symbol; commands: { current: readonly Command[] } }[]>([]);

export function useAllCommands(): Command[] {
  return useStore(store).flatMap((registered) => [...registered.commands.current]);
}

/** Offers commands in the palette while the component is there. */
export function useCommands(commands: readonly Command[]): void {
  const current = useRef(commands);
  current.current = commands;
  useEffect(() => {
    const registered = { id: Symbol(), commands: current };
    store.set((all) => [...all, registered]);
    return () => store.set((all) => all.filter((other) => other !== registered));
  }, []);
}
