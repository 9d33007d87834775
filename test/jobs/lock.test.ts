import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lockFolder } from "../../src/jobs/lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tilth-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("refuses a second run while the first holds the folder, and lets it in afterwards", async () => {
  const unlock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toMatchObject({ code: "LOCKED" });
  await unlock();
  await (await lockFolder(folder))();
  expect(existsSync(join(folder, ".tilth.lock"))).toBe(false);
});

it("takes over the lock of a process that is gone", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  writeFileSync(join(folder, ".tilth.lock"), JSON.stringify({ pid, host: hostname() }));
  await (await lockFolder(folder))();
});

it("leaves the lock of another machine alone", async () => {
  writeFileSync(join(folder, ".tilth.lock"), JSON.stringify({ pid: 1, host: "elsewhere" }));
  await expect(lockFolder(folder)).rejects.toThrow(/in use by process 1 on elsewhere/);
});
