import { useEffect } from "react";
import { useT } from "../i18n";
import { useKeys } from "../lib/keys";
import { createStore, useStore } from "../lib/store";
import { Button } from "./basics";
import { Icon } from "./icon";

// What was done, and how to undo it. It stays until the next action: nobody has to be quick.

interface Told {
  text: string;
  /** Takes it back; left out: it cannot be taken back. */
  undo?: () => void;
  bad?: boolean;
}

const told = createStore<Told | null>(null);

export const toast = {
  show(text: string, undo?: () => void): void {
    told.set(undo ? { text, undo } : { text });
  },
  fail(text: string): void {
    told.set({ text, bad: true });
  },
  close(): void {
    told.set(null);
  },
};

export function Toasts() {
  const t = useT();
  const current = useStore(told);
  const undo = () => {
    const taken = told.get();
    told.set(null);
    taken?.undo?.();
  };
  useKeys({
    title: t("keys.everywhere"),
    bindings: [{ key: "z", label: t("act.undo"), run: undo, enabled: current?.undo !== undefined }],
  });
  // A new page is a new matter; what was done there stays undoable until then.
  useEffect(() => () => told.set(null), []);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {current && (
        <span className="toast">
          {current.bad && <Icon name="complaint" className="c-critical" />}
          <span>{current.text}</span>
          {current.undo && (
            <Button kind="plain" keyCap="z" onClick={undo}>
              {t("act.undo")}
            </Button>
          )}
          <button
            type="button"
            className="b ib plain"
            aria-label={t("act.close")}
            onClick={toast.close}
          >
            <Icon name="close" />
          </button>
        </span>
      )}
    </div>
  );
}
