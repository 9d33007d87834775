import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

/**
 * npx tsx scripts/make-epsg.ts [TEXT]
 *
 * Rebuilds assets/epsg.txt.br, the offline table of coordinate reference systems, from PROJ's database. Needs
 * python3 with pyproj (PYTHON names another interpreter); with TEXT the table is taken from a file that
 * make-epsg.py has written. The text is compressed once at the highest level, since it is read at every start.
 */
const text =
  process.argv[2] === undefined
    ? execFileSync(
        process.env["PYTHON"] ?? "/usr/bin/python3",
        [fileURLToPath(new URL("make-epsg.py", import.meta.url))],
        {
          maxBuffer: 1 << 28,
          stdio: ["ignore", "pipe", "inherit"],
        },
      )
    : readFileSync(process.argv[2]);
const packed = brotliCompressSync(text, {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
  },
});
writeFileSync(new URL("../assets/epsg.txt.br", import.meta.url), packed);
console.log(`${text.length} bytes of text, ${packed.length} packed`);
