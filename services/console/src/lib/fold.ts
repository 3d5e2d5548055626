/** A text as it is compared in a search: no case, no accents, and the final sigma as any other. */
export function folded(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Diacritic}/gu, "")
    .toLowerCase()
    .replaceAll("ς", "σ")
    .replaceAll("ł", "l");
}
