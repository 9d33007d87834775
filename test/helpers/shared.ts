import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe } from "vitest";

/** Folder of the shared material (conformance vectors, real data): env `TILTH_SHARED`, default `../shared`. */
export const SHARED: string = resolve(
  process.env["TILTH_SHARED"] ?? join(import.meta.dirname, "../../../shared"),
);

/** Whether it is there. CI sets `CI` and must have it. */
export const HAS_SHARED: boolean = existsSync(join(SHARED, "conformance"));

/** Path inside the shared folder. */
export function shared(...segments: string[]): string {
  return join(SHARED, ...segments);
}

/** `describe` for tests that read the shared folder; skips with a plain message when it is absent, fails in CI. */
export function describeShared(name: string, body: () => void): void {
  if (HAS_SHARED) describe(name, body);
  else if (process.env["CI"] !== undefined) {
    throw new Error(`shared material not found at ${SHARED}; CI must have it (set TILTH_SHARED)`);
  } else describe.skip(`${name} [skipped: no shared material at ${SHARED}; set TILTH_SHARED]`, body);
}
