import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeAtomically } from "../../src/io/atomic.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tilth-atomic-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("shows the file under its name only when it is complete", async () => {
  const path = join(folder, "deep", "out.txt");
  await writeAtomically(path, {}, async (temporary) => {
    await writeFile(temporary, "half");
    expect(existsSync(path)).toBe(false);
    await writeFile(temporary, "whole");
  });
  expect(readFileSync(path, "utf8")).toBe("whole");
  expect(readdirSync(join(folder, "deep"))).toEqual(["out.txt"]);
});

it("leaves the old file and nothing else when writing fails", async () => {
  const path = join(folder, "out.txt");
  writeFileSync(path, "old");
  const failing = writeAtomically(path, { overwrite: true }, async (temporary) => {
    await writeFile(temporary, "new");
    throw Object.assign(new Error("write"), { code: "ENOSPC" });
  });
  await expect(failing).rejects.toMatchObject({
    code: "OUTPUT_FAILED",
    message: expect.stringContaining("disk is full"),
  });
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["out.txt"]);
});

it("does not replace an output unless asked to", async () => {
  const path = join(folder, "out.txt");
  writeFileSync(path, "old");
  await expect(writeAtomically(path, {}, (temporary) => writeFile(temporary, "new"))).rejects.toMatchObject({
    code: "OUTPUT_EXISTS",
  });
  await writeAtomically(path, { overwrite: true }, (temporary) => writeFile(temporary, "new"));
  expect(readFileSync(path, "utf8")).toBe("new");
});
