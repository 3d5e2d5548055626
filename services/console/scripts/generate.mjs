// Writes what the sources are checked against and what is not committed: the types of the API from
// openapi.json, and the ids of all texts from locales/en.po.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import openapi, { astToString } from "openapi-typescript";
import { read } from "./po.mjs";

function place(relative) {
  const path = fileURLToPath(new URL(relative, import.meta.url));
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

const root = process.env.RAPPORT_ROOT ?? fileURLToPath(new URL("../../../", import.meta.url));
const types = await openapi(pathToFileURL(join(root, "libs/serving/openapi.json")), {
  alphabetize: true,
});
writeFileSync(place("../src/api/schema.d.ts"), astToString(types));

const ids = [...read("en").keys()].map((id) => `  | ${JSON.stringify(id)}`);
writeFileSync(place("../src/i18n/ids.d.ts"), `export type MessageId =\n${ids.join("\n")};\n`);
