import { access, constants } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { delimiter, join } from "node:path";
import * as zlib from "node:zlib";
import type { Command } from "../command.ts";
import { count } from "../progress.ts";

interface Finding {
  readonly part: string;
  readonly state: "ok" | "missing" | "optional";
  readonly detail: string;
}

export const doctor: Command = {
  name: "doctor",
  summary: "Say what is installed, which optional parts can be used, and what to do about the rest",
  usage: "",
  arguments: [0, 0],
  options: {},
  examples: ["tilth doctor", "tilth doctor --json"],
  async run() {
    const findings = [nodeVersion(), zstd(), await sqlite(), await epsg(), encodings(), machine()];
    for (const [program, use] of WITNESSES) findings.push(await witness(program, use));
    const width = Math.max(...findings.map(({ part }) => part.length));
    const missing = findings.filter(({ state }) => state === "missing");
    return {
      outputs: [],
      summary: { parts: findings.map((finding) => ({ ...finding })) },
      warnings: [],
      lines: findings.map(({ part, state, detail }) => `${MARKS[state]} ${part.padEnd(width)}  ${detail}`),
      ...(missing.length === 0
        ? {}
        : {
            failed: `${missing.length} needed part(s) missing`,
            hint: "What to do stands beside each of them.",
          }),
    };
  },
};

const MARKS = { ok: "ok     ", missing: "MISSING", optional: "absent " } as const;

const WITNESSES: readonly (readonly [program: string, use: string])[] = [
  ["gdalinfo", "not needed; the test suite compares rasters with it when it is there"],
  ["ogrinfo", "not needed; the test suite compares vector files with it when it is there"],
  ["chromium", "not needed; the test suite opens the pages in it when it is there"],
];

function nodeVersion(): Finding {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const enough = major! > 20 || (major === 20 && minor! >= 19);
  return {
    part: "node",
    state: enough ? "ok" : "missing",
    detail: `${process.version}${enough ? "" : "; install Node 20.19 or newer"}`,
  };
}

function zstd(): Finding {
  return "zstdCompressSync" in zlib
    ? { part: "zstd", state: "ok", detail: "reads and writes" }
    : { part: "zstd", state: "optional", detail: "reads; writing ZSTD needs Node 22.15 or newer" };
}

async function sqlite(): Promise<Finding> {
  try {
    const { sqliteDriver } = await import("../../io/sqlite.ts");
    return { part: "sqlite", state: "ok", detail: `GeoPackage through ${await sqliteDriver()}` };
  } catch (error) {
    return {
      part: "sqlite",
      state: "missing",
      detail: `GeoPackage cannot be read: ${(error as Error).message}; run npm install`,
    };
  }
}

async function epsg(): Promise<Finding> {
  try {
    const { parseCrs } = await import("../../crs/parse.ts");
    return { part: "crs table", state: "ok", detail: `EPSG:32645 is ${parseCrs("EPSG:32645").name}` };
  } catch (error) {
    return {
      part: "crs table",
      state: "missing",
      detail: `${(error as Error).message}; reinstall the package`,
    };
  }
}

function encodings(): Finding {
  try {
    new TextDecoder("windows-1252");
    return { part: "encodings", state: "ok", detail: "Shapefile and CSV code pages" };
  } catch {
    return {
      part: "encodings",
      state: "optional",
      detail: "this Node has no code pages (small-icu): only UTF-8 text is read right",
    };
  }
}

function machine(): Finding {
  return {
    part: "machine",
    state: "ok",
    detail: `${availableParallelism()} cores, ${count(totalmem())} bytes of memory`,
  };
}

async function witness(program: string, use: string): Promise<Finding> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    try {
      await access(join(folder, program), constants.X_OK);
      return { part: program, state: "ok", detail: join(folder, program) };
    } catch {
      // not in this folder
    }
  }
  return { part: program, state: "optional", detail: use };
}
