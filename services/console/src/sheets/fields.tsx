import { Chip } from "../components/basics";
import { Field } from "../components/sheet";
import { useFormattingLocale, useT } from "../i18n";
import { calendarDays, formatDay, formatTime, formatWeekday } from "../lib/dates";
import { atHour, daysToMonday, toLocal } from "../lib/local-time";

/** A moment: usual ones to press, and any other to type. */
export function WhenField(props: {
  label: string;
  value: string;
  /** Moments that are usual here, in milliseconds. */
  usual?: readonly number[];
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
  return (
    <Field label={props.label} {...(props.error ? { error: props.error } : {})}>
      {(field) => (
        <div className="when">
          {(props.usual ?? []).map((at) => (
            <Chip
              key={at}
              pressed={toLocal(at) === props.value}
              onPress={() => props.onChange(toLocal(at))}
            >
              {name(at)}
            </Chip>
          ))}
          <input
            {...field}
            type="datetime-local"
            value={props.value}
            onChange={(event) => props.onChange(event.target.value)}
          />
        </div>
      )}
    </Field>
  );
}

/** When things are usually promised, planned or put off to: later today, tomorrow, Monday, in a week. */
export function usualMoments(now: number): number[] {
  const moments = [
    atHour(now, 0, 17),
    atHour(now, 1, 12),
    atHour(now, daysToMonday(now), 9),
    atHour(now, 7, 12),
  ];
  return [...new Set(moments)].filter((at) => at > now).sort((a, b) => a - b);
}

/** One line, or several; the first field of a sheet has the focus. */
export function TextField(props: {
  label: string;
  value: string;
  hint?: string;
  lines?: number;
  first?: boolean;
  error?: string | undefined;
  onChange(value: string): void;
}) {
  return (
    <Field
      label={props.label}
      {...(props.hint ? { hint: props.hint } : {})}
      {...(props.error ? { error: props.error } : {})}
    >
      {(field) =>
        props.lines && props.lines > 1 ? (
          <textarea
            {...field}
            rows={props.lines}
            value={props.value}
            // biome-ignore lint/a11y/noAutofocus: a dialog gives the focus to its first field
            autoFocus={props.first === true}
            onChange={(event) => props.onChange(event.target.value)}
          />
        ) : (
          <input
            {...field}
            type="text"
            autoComplete="off"
            value={props.value}
            // biome-ignore lint/a11y/noAutofocus: a dialog gives the focus to its first field
            autoFocus={props.first === true}
            onChange={(event) => props.onChange(event.target.value)}
          />
        )
      }
    </Field>
  );
}
