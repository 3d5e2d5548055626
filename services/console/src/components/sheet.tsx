import { type ReactNode, useEffect, useId, useRef } from "react";
import { useT } from "../i18n";
import { Button } from "./basics";

/**
 * A dialog over the page. The browser keeps the focus in it and gives it back to where it was; Esc
 * closes it.
 */
export function Dialog(props: {
  label?: string;
  labelledBy?: string;
  className?: string;
  onClose(): void;
  children: ReactNode;
}) {
  const { onClose } = props;
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    dialog?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc closes it, by the browser
    <dialog
      ref={element}
      className={`dialog ${props.className ?? ""}`}
      aria-label={props.label}
      aria-labelledby={props.labelledBy}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      {props.children}
    </dialog>
  );
}

/**
 * A form over the page: Enter sends it, in a text of several lines Ctrl+Enter. Whoever closes it
 * keeps what was typed, when the form keeps it (lib/draft.ts).
 */
export function Sheet(props: {
  title: string;
  /** A sentence on what it does. */
  hint?: ReactNode;
  submit: string;
  busy?: boolean | undefined;
  /** Why it cannot be sent yet. */
  off?: string;
  /** What the server said, when it refused. */
  error?: ReactNode;
  onSubmit(): void;
  onClose(): void;
  children: ReactNode;
}) {
  const t = useT();
  const title = useId();
  return (
    <Dialog labelledBy={title} className="sheet" onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!props.busy && props.off === undefined) props.onSubmit();
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            event.currentTarget.requestSubmit();
          }
        }}
      >
        <header>
          <h2 id={title}>{props.title}</h2>
          {props.hint && <p className="sec">{props.hint}</p>}
        </header>
        <div className="fields">{props.children}</div>
        {props.error && (
          <p className="hint bad" role="alert">
            {props.error}
          </p>
        )}
        <footer>
          <Button kind="plain" keyCap="Esc" onClick={props.onClose}>
            {t("act.cancel")}
          </Button>
          <Button
            type="submit"
            kind="main"
            // Without a field Enter is for this one, as its cap says.
            data-first={props.children ? undefined : true}
            keyCap="Enter"
            {...(props.busy ? { busy: true } : {})}
            {...(props.off === undefined ? {} : { off: props.off })}
          >
            {props.submit}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

/** A field with its label above, and a hint or what is wrong below. */
export function Field(props: {
  label: string;
  hint?: string;
  error?: string | undefined;
  children(attributes: {
    id: string;
    className: string;
    "aria-invalid": boolean | undefined;
    "aria-describedby": string | undefined;
  }): ReactNode;
}) {
  const id = useId();
  const told = props.error ?? props.hint;
  return (
    <div>
      <label className="lab" htmlFor={id}>
        {props.label}
      </label>
      {props.children({
        id,
        className: `f ${props.error ? "bad" : ""}`,
        "aria-invalid": props.error ? true : undefined,
        "aria-describedby": told ? `${id}-told` : undefined,
      })}
      {told && (
        <p id={`${id}-told`} className={`hint ${props.error ? "bad" : ""}`}>
          {told}
        </p>
      )}
    </div>
  );
}

/** One of a few, as chips: arrow keys move among them, as among radio buttons. */
export function Choice<Word extends string>(props: {
  label: string;
  value: Word;
  options: readonly { value: Word; text: string; key?: string }[];
  onChange(value: Word): void;
}) {
  const name = useId();
  return (
    <fieldset className="choice">
      <legend className="lab">{props.label}</legend>
      {props.options.map((option) => (
        <label className="chip" key={option.value}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === props.value}
            onChange={() => props.onChange(option.value)}
          />
          {option.text}
        </label>
      ))}
    </fieldset>
  );
}
