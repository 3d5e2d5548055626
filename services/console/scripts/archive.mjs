// Packs the built files into one, with their gzip and brotli variants, to be built into the servers
// (libs/console reads it):
//   node scripts/archive.mjs FOLDER ARCHIVE
// First line "rapport-console <bytes of the table>"; then the table, a line for each file with tabs
// between path, digest and offset and size of the content, its gzip and its brotli; then all of them.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [folder, archive] = process.argv.slice(2);
const names = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(folder.length).replace(/^\/?/, "/"))
  .sort();

const pieces = [];
let offset = 0;
function place(piece) {
  pieces.push(piece);
  const placed = [offset, piece.length];
  offset += piece.length;
  return placed;
}

const lines = names.map((name) => {
  const content = readFileSync(join(folder, name));
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 32);
  const packed = [
    gzipSync(content, { level: 9 }),
    brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }),
  ].map((one) => (one.length < content.length ? one : Buffer.alloc(0)));
  return [name, digest, ...[content, ...packed].flatMap(place)].join("\t");
});
const table = Buffer.from(`${lines.join("\n")}\n`);
writeFileSync(
  archive,
  Buffer.concat([Buffer.from(`rapport-console ${table.length}\n`), table, ...pieces]),
);
