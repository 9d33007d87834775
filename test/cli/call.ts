import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { CliIo } from "../../src/cli/command.ts";
import { runCli } from "../../src/cli/main.ts";

/** What one command line did. */
export interface Call {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  readonly elapsedMs: number;
}

/** Run a command line in this process. */
export async function call(argv: readonly string[], io: Partial<CliIo> = {}): Promise<Call> {
  let out = "";
  let err = "";
  const started = performance.now();
  const status = await runCli(argv, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    terminal: false,
    columns: 80,
    signal: new AbortController().signal,
    ...io,
  });
  return { status, out, err, elapsedMs: performance.now() - started };
}

/** What `--json` printed. */
export interface JsonDocument {
  readonly ok: boolean;
  readonly command?: string;
  readonly outputs?: readonly { path: string; kind: string; bytes: number; sha256: string }[];
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects to be there
  readonly summary?: any;
  readonly warnings?: readonly string[];
  readonly elapsedMs?: number;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly path?: string;
    readonly hint?: string;
  };
}

/** Run a command line with `--json`; the document must be all of standard output. */
export async function callJson(
  argv: readonly string[],
  io: Partial<CliIo> = {},
): Promise<Call & { json: JsonDocument }> {
  const result = await call([...argv, "--json"], io);
  return { ...result, json: JSON.parse(result.out) as JsonDocument };
}

/** A folder for the files of a test file, removed afterwards. */
export function scratchFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `tilth-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const ROOT = join(import.meta.dirname, "../..");

/** The installed command, for tests that need a process of its own. */
export const BIN: string = join(ROOT, "bin/tilth.js");

/** Whether the package is built; `npm test` builds it first. CI must have it. */
export const BUILT: boolean = existsSync(join(ROOT, "dist/cli/main.js"));
if (!BUILT && process.env["CI"] !== undefined)
  throw new Error("dist/ is missing: run npm run build before the tests");
