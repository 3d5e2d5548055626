import type { Schemas } from "../api/client";
import { hasText, type Translate } from "../i18n";
import { formatDay } from "./dates";

export type Remedy = Pick<Schemas["Remedy"], "code" | "text" | "facts">;

/**
 * What would lower a risk, in the language of the page. A code that is newer than this page has the
 * server's sentence.
 */
export function remedyText(t: Translate, locale: string, remedy: Remedy, now: number): string {
  const id = `remedy.${remedy.code}`;
  if (!hasText(id)) return remedy.text ?? "";
  const { since, until, name } = remedy.facts ?? {};
  const moment = since ?? until;
  return t(id, { name: name ?? "", day: moment ? formatDay(moment, locale, { now }) : "" });
}
