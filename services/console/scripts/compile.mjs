import { compileMessageOrThrow } from "@lingui/message-utils/compileMessage";
import { parse } from "./po.mjs";

/** The texts of a PO file as lingui runs them, by id; throws when one is no ICU message. */
export function compile(content) {
  return Object.fromEntries(
    [...parse(content)].map(([id, text]) => [id, compileMessageOrThrow(text)]),
  );
}
