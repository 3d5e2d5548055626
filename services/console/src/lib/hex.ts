/** Sixteen bytes a line, as hexadecimal digits, with the place of the first. */
export function hexLines(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; start += 16) {
    const hex = [...bytes.slice(start, start + 16)].map((byte) =>
      byte.toString(16).padStart(2, "0"),
    );
    lines.push(
      `${start.toString(16).padStart(4, "0")}  ${hex.slice(0, 8).join(" ")}  ${hex.slice(8).join(" ")}`.trimEnd(),
    );
  }
  return lines.join("\n");
}
