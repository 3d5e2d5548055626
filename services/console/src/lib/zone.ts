import { preferences } from "./preferences";

// The zone that times are shown and typed in: the one that was chosen, or the browser's.

/** IANA name, such as "Europe/Athens". */
export function browserZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function zone(): string {
  return preferences.get().zone || browserZone();
}

/** What a clock and a calendar on the wall show; months from 1. */
export interface Wall {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(name: string): Intl.DateTimeFormat {
  let clock = clocks.get(name);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-GB", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    clocks.set(name, clock);
  }
  return clock;
}

export function wallOf(time: number, name = zone()): Wall {
  const parts = new Map(
    clockOf(name)
      .formatToParts(time)
      .map((part) => [part.type, Number(part.value)]),
  );
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  return {
    year: of("year"),
    month: of("month"),
    day: of("day"),
    hour: of("hour"),
    minute: of("minute"),
    second: of("second"),
  };
}

function asUtc(wall: Wall): number {
  return Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second);
}

/**
 * The moment at which the wall shows that. Days and hours may run over, as with Date. A time that a
 * clock put forward leaves out is the one after it.
 */
export function momentOf(
  wall: { year: number; month: number; day: number } & Partial<Wall>,
  name = zone(),
): number {
  const wanted = asUtc({ hour: 0, minute: 0, second: 0, ...wall });
  const ahead = (time: number) => asUtc(wallOf(time, name)) - Math.floor(time / 1000) * 1000;
  const guess = wanted - ahead(wanted);
  return wanted - ahead(guess);
}

/** Number of the day that the calendar on the wall shows, to count days with. */
export function dayNumber(time: number, name = zone()): number {
  const { year, month, day } = wallOf(time, name);
  return Date.UTC(year, month - 1, day) / 86_400_000;
}
