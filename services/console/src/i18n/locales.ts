export const locales = ["en", "pl", "el", "sk", "ru"] as const;
export type Locale = (typeof locales)[number];

/** In their own words: whoever looks for a language reads it and not ours. */
export const localeNames: Record<Locale, string> = {
  en: "English",
  pl: "Polski",
  el: "Ελληνικά",
  sk: "Slovenčina",
  ru: "Русский",
};

/** What Intl formats with: days before months, and 24 hours, in English too. */
export const formattingLocale: Record<Locale, string> = {
  en: "en-GB",
  pl: "pl-PL",
  el: "el-GR",
  sk: "sk-SK",
  ru: "ru-RU",
};

/** The language of a BCP 47 tag when we have it. */
export function localeOf(tag: string): Locale | null {
  const language = tag.toLowerCase().split("-")[0];
  return locales.find((locale) => locale === language) ?? null;
}

export function browserLocale(): Locale {
  for (const tag of navigator.languages) {
    const locale = localeOf(tag);
    if (locale) return locale;
  }
  return "en";
}
