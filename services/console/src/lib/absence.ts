import type { Schemas } from "../api/client";
import { formatDay } from "./dates";

/** The last day of an absence, whose `to_at` is the moment after it; "" when nobody knows. */
export function lastDayOf(
  absence: Schemas["StaffAbsence"],
  locale: string,
  now: number = Date.now(),
): string {
  return absence.to_at ? formatDay(Date.parse(absence.to_at) - 1, locale, { now }) : "";
}
