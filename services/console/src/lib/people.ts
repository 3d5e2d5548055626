/**
 * Name of one of ours whose id alone is known: staff lists name them "anna.keller". An id of
 * another form is shown as it is.
 */
export function nameOfId(id: string): string {
  if (!/^\p{L}+([._-]\p{L}+)+$/u.test(id)) return id;
  return id
    .split(/[._-]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(" ");
}
