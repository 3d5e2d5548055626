import { i18n, type Messages } from "@lingui/core";
import { I18nProvider, Trans, useLingui } from "@lingui/react";
import { type ReactElement, type ReactNode, useMemo } from "react";
import { preferences, usePreferences } from "../lib/preferences";
import type { MessageId } from "./ids";
import { browserLocale, formattingLocale, type Locale } from "./locales";

export type { MessageId } from "./ids";
export type Values = Record<string, unknown>;
/** Gives the text of an id in the language of the page. */
export type Translate = (id: MessageId, values?: Values) => string;

const catalogs: Record<Locale, () => Promise<{ messages: Messages }>> = {
  en: () => import("../../locales/en.po"),
  pl: () => import("../../locales/pl.po"),
  el: () => import("../../locales/el.po"),
  sk: () => import("../../locales/sk.po"),
  ru: () => import("../../locales/ru.po"),
};

export function chosenLocale(): Locale {
  return preferences.get().locale ?? browserLocale();
}

/** Loads the texts of the chosen language and shows the page in it. */
export async function activateLocale(): Promise<void> {
  const locale = chosenLocale();
  if (i18n.locale === locale) return;
  const { messages } = await catalogs[locale]();
  // The choice may have changed again while the texts were on their way.
  if (chosenLocale() !== locale) return;
  i18n.loadAndActivate({ locale, messages });
  document.documentElement.lang = locale;
}

preferences.subscribe(() => {
  void activateLocale();
});

export function Texts({ children }: { children: ReactNode }) {
  return <I18nProvider i18n={i18n}>{children}</I18nProvider>;
}

export const translate: Translate = (id, values) => i18n._(id, values);

/** Whether there is a text of this id, for ids that are made of what the server says. */
export function hasText(id: string): id is MessageId {
  return id in i18n.messages;
}

/** The texts; a component that uses it is drawn again in another language. */
export function useT(): Translate {
  const { i18n: current } = useLingui();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new language is a new function
  return useMemo<Translate>(() => (id, values) => current._(id, values), [current, current.locale]);
}

/** What Intl is to format with, such as "en-GB". */
export function useFormattingLocale(): string {
  const { i18n: current } = useLingui();
  return formattingLocale[current.locale as Locale];
}

/** The language that the page is shown in. */
export function useLocale(): Locale {
  usePreferences();
  return useLingui().i18n.locale as Locale;
}

/** A text with parts that are elements: "<0>1,200</0> clients" with components={[<b />]}. */
export function T(props: {
  id: MessageId;
  values?: Values;
  components?: ReactElement[];
}): ReactElement {
  return (
    <Trans
      id={props.id}
      {...(props.values ? { values: props.values } : {})}
      {...(props.components ? { components: { ...props.components } } : {})}
    />
  );
}
