import { type ChangeEvent, type KeyboardEvent, useEffect, useId, useRef } from "react";
import { type Client, useClient } from "../api/clients";
import { Field } from "../components/sheet";
import { useFormattingLocale, useT } from "../i18n";
import { calendarDays, formatDay, formatTime, formatWeekday } from "../lib/dates";
import { folded } from "../lib/fold";
import { atHour, daysToMonday, toLocal } from "../lib/local-time";

// What is typed within this time belongs to one word.
const typedWithin = 800;

/** Chips of which one is chosen: by arrows, or by the beginning of its text, as in a list. */
function Chips(props: {
  label: string;
  value: string;
  options: readonly { value: string; text: string }[];
  onChange(value: string): void;
}) {
  const name = useId();
  const typed = useRef({ text: "", at: 0 });
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey) return;
    const now = performance.now();
    const { text, at } = typed.current;
    typed.current = { text: (now - at < typedWithin ? text : "") + folded(event.key), at: now };
    const found = props.options.find((one) => folded(one.text).startsWith(typed.current.text));
    event.preventDefault();
    if (!found) return;
    props.onChange(found.value);
    const index = props.options.indexOf(found);
    event.currentTarget.querySelectorAll<HTMLInputElement>("input")[index]?.focus();
  };
  return (
    <div className="choice" role="radiogroup" aria-label={props.label} onKeyDown={onKeyDown}>
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
    </div>
  );
}

/** A moment: usual ones to choose, and any other to type. */
export function WhenField(props: {
  label: string;
  value: string;
  /** Moments that are usual here, in milliseconds. */
  usual?: readonly number[];
  /** What stands for no moment, where there may be none; it is chosen by "". */
  none?: string;
  now: number;
  error?: string | undefined;
  onChange(value: string): void;
}) {
  const locale = useFormattingLocale();
  const t = useT();
  const name = (at: number) => {
    const days = calendarDays(props.now, at);
    const time = formatTime(at, locale);
    if (days === 0) return t("when.today", { time });
    if (days === 1) return t("when.tomorrow", { time });
    return days < 7
      ? `${formatWeekday(at, locale)} ${time}`
      : `${formatDay(at, locale, { now: props.now })} ${time}`;
  };
  const options = [
    ...(props.none === undefined ? [] : [{ value: "", text: props.none }]),
    ...(props.usual ?? []).map((at) => ({ value: toLocal(at), text: name(at) })),
  ];
  return (
    <Field label={props.label} {...(props.error ? { error: props.error } : {})}>
      {(field) => (
        <div className="when">
          {options.length > 0 && (
            <Chips
              label={props.label}
              value={props.value}
              options={options}
              onChange={props.onChange}
            />
          )}
          {(props.none === undefined || props.value !== "") && (
            <input
              {...field}
              type="datetime-local"
              value={props.value}
              onChange={(event) => props.onChange(event.target.value)}
            />
          )}
        </div>
      )}
    </Field>
  );
}

// Saturday and Sunday.
function isWeekend(at: number): boolean {
  return daysToMonday(at) <= 2;
}

/** When things are usually promised or put off to: later today, each working day, in a week. */
export function usualMoments(now: number): number[] {
  const noons = [1, 2, 3, 4, 5, 6].map((days) => atHour(now, days, 12));
  const working = noons
    .filter((at) => !isWeekend(at))
    .map((at) => (daysToMonday(at) === 7 ? atHour(at, 0, 9) : at));
  return [atHour(now, 0, 17), ...working, atHour(now, 7, 12)].filter((at) => at > now);
}

type Person = NonNullable<Client["people"]>[number];

/** The client's people who are there, as they can be chosen. */
export function usePeopleOf(clientId: string): readonly Person[] {
  const client = useClient(clientId);
  return (client.data?.people ?? []).filter((person) => !person.left_at);
}

/** Who of the client's people took part: any of them. */
export function PeopleField(props: {
  label: string;
  people: readonly Person[];
  value: readonly string[];
  onChange(value: string[]): void;
}) {
  if (props.people.length === 0) return null;
  return (
    <fieldset className="choice">
      <legend className="lab">{props.label}</legend>
      {props.people.map((person) => {
        const id = person.stakeholder_id ?? "";
        const chosen = props.value.includes(id);
        return (
          <label className="chip" key={id} title={person.role}>
            <input
              type="checkbox"
              checked={chosen}
              onChange={() =>
                props.onChange(
                  chosen ? props.value.filter((other) => other !== id) : [...props.value, id],
                )
              }
            />
            {person.name || id}
          </label>
        );
      })}
    </fieldset>
  );
}

// As many bytes of UTF-8 as a text of a touchpoint may have.
const mostBytes = 4096;

const encoder = new TextEncoder();

/** One line, or several; the first field of a sheet has the focus. Too much of it is told at once. */
export function TextField(props: {
  label: string;
  value: string;
  hint?: string;
  /** What is sent when nothing is typed. */
  placeholder?: string;
  lines?: number;
  first?: boolean;
  error?: string | undefined;
  /** As many bytes as it may have; left out: what is usual. */
  most?: number;
  onChange(value: string): void;
}) {
  const t = useT();
  const { value, most = mostBytes } = props;
  const over = encoder.encode(value.trim()).length - most;
  const tooLong = over > 0 ? t("sheet.too_long", { count: over }) : "";
  const element = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  // The browser does not send a form whose field says what is wrong with it.
  useEffect(() => element.current?.setCustomValidity(tooLong), [tooLong]);
  const error = tooLong || props.error;
  return (
    <Field
      label={props.label}
      {...(props.hint ? { hint: props.hint } : {})}
      {...(error ? { error } : {})}
    >
      {(field) => {
        const common = {
          ...field,
          ref: element,
          value,
          placeholder: props.placeholder,
          // A dialog gives the focus to its first field.
          autoFocus: props.first === true,
          onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
            // Half of a character, as a cut leaves it, is none that could be sent.
            props.onChange(event.target.value.replace(/\p{Surrogate}/gu, "\ufffd")),
        };
        return props.lines && props.lines > 1 ? (
          <textarea {...common} rows={props.lines} />
        ) : (
          <input {...common} type="text" autoComplete="off" />
        );
      }}
    </Field>
  );
}
