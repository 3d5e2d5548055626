import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { Link } from "wouter";
import { useFormattingLocale, useT } from "../i18n";
import { formatFull } from "../lib/dates";
import { formatMoney, type Money as MoneyValue } from "../lib/money";
import { usePreferences } from "../lib/preferences";
import { Icon, type IconName } from "./icon";

/** The key that does the same; hidden where single letters are switched off. */
export function KeyCap({ children }: { children: string }) {
  const { singleKeys } = usePreferences();
  if (!singleKeys && children.length === 1) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a kbd is not focusable; aria-keyshortcuts says it
    <kbd className="k" aria-hidden="true">
      {children}
    </kbd>
  );
}

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children"> {
  children?: ReactNode;
  kind?: "main" | "usual" | "plain";
  icon?: IconName;
  /** Shown at its right end; useKeys binds it. */
  keyCap?: string;
  danger?: boolean;
  /** It was pressed and its answer is not there yet: it keeps its width and cannot be pressed. */
  busy?: boolean;
  /** Why it cannot be pressed; it keeps its place and says so in its tooltip. */
  off?: string;
  ref?: Ref<HTMLButtonElement>;
  "data-first"?: boolean | undefined;
}

export function Button(props: ButtonProps) {
  const { kind = "usual", icon, keyCap, danger, busy, off, className, children, ...rest } = props;
  const t = useT();
  const inactive = busy || off !== undefined;
  const classes = [
    "b",
    kind === "main" ? "main-act" : kind === "plain" ? "plain" : "",
    danger ? "danger" : "",
    off !== undefined ? "is-off" : "",
    className ?? "",
  ];
  return (
    <button
      type="button"
      {...rest}
      className={classes.filter(Boolean).join(" ")}
      aria-disabled={inactive || undefined}
      aria-keyshortcuts={keyCap}
      title={off ?? rest.title}
      onClick={inactive ? (event) => event.preventDefault() : rest.onClick}
    >
      {busy ? <span className="busy" aria-hidden="true" /> : icon && <Icon name={icon} />}
      <span>{busy ? t("act.sending") : children}</span>
      {keyCap && <KeyCap>{keyCap.length === 1 ? keyCap.toUpperCase() : keyCap}</KeyCap>}
    </button>
  );
}

/** A button with a sign alone; its name is read out and stands in the tooltip. */
export function IconButton(
  props: Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children"> & {
    icon: IconName;
    label: string;
    plain?: boolean;
    ref?: Ref<HTMLButtonElement>;
  },
) {
  const { icon, label, plain, className, ...rest } = props;
  return (
    <button
      type="button"
      {...rest}
      className={`b ib ${plain ? "plain" : ""} ${className ?? ""}`}
      aria-label={label}
      title={label}
    >
      <Icon name={icon} />
    </button>
  );
}

export function Chip(props: {
  pressed?: boolean;
  dashed?: boolean;
  onPress(): void;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      className={`chip ${props.dashed ? "dash" : ""}`}
      aria-pressed={props.pressed}
      onClick={props.onPress}
    >
      {props.children}
    </button>
  );
}

/** A fact that cannot be pressed. */
export function Tag({ children }: { children: ReactNode }) {
  return <span className="tag">{children}</span>;
}

export function Segmented<Word extends string>(props: {
  label: string;
  value: Word;
  options: readonly { value: Word; text: string }[];
  onChange(value: Word): void;
}) {
  return (
    <span className="seg" role="group" aria-label={props.label}>
      {props.options.map((option) => (
        <button
          type="button"
          key={option.value}
          aria-pressed={option.value === props.value}
          onClick={() => props.onChange(option.value)}
        >
          {option.text}
        </button>
      ))}
    </span>
  );
}

/** Initials of a person or of an id such as "anna.keller". */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._@-]+/).filter(Boolean);
  return `${words[0]?.[0] ?? ""}${words.length > 1 ? (words.at(-1)?.[0] ?? "") : ""}`.toUpperCase();
}

export function Avatar({ name }: { name: string }) {
  return (
    <span className="av" aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}

/** A moment, with its full date and zone in the tooltip. */
export function Moment(props: { at: string | number; children: ReactNode; className?: string }) {
  const locale = useFormattingLocale();
  return (
    <time
      dateTime={new Date(props.at).toISOString()}
      title={formatFull(props.at, locale)}
      className={props.className}
    >
      {props.children}
    </time>
  );
}

export function Money(props: { money: MoneyValue | null | undefined; rounded?: boolean }) {
  const locale = useFormattingLocale();
  return <>{formatMoney(props.money, locale, { rounded: props.rounded === true })}</>;
}

/** Text that is cut at the end of its column, with all of it in the tooltip. */
export function Cut(props: { text: string; className?: string; children?: ReactNode }) {
  return (
    <span className={`cut ${props.className ?? ""}`} title={props.text}>
      {props.children ?? props.text}
    </span>
  );
}

export function TextLink(props: { to: string; children: ReactNode; className?: string }) {
  return (
    <Link href={props.to} className={`link ${props.className ?? ""}`}>
      {props.children}
    </Link>
  );
}
