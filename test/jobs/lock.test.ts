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

it("takes over a lock of its own process id from before a restart", async () => {
  writeFileSync(lock(), JSON.stringify({ pid: process.pid, host: hostname(), started: 0 }));
  await (await lockFolder(folder))();
  expect(existsSync(lock())).toBe(false);
});

it.each(["", "{", "null", '{"pid":"x"}'])(
  "takes over a lock that says nothing, as a crash may leave it: %j",
  async (text) => {
    writeFileSync(lock(), text);
    await (await lockFolder(folder))();
    expect(existsSync(lock())).toBe(false);
  },
);

it("lets one of many in at a time, also when all find a lock that was left behind", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  writeFileSync(lock(), JSON.stringify({ pid, host: hostname() }));
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
  const held = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  expect(held.length).toBeLessThanOrEqual(1);
  for (const release of held) await release();
  await (await lockFolder(folder))();
});

it("does not remove a lock that someone else has taken meanwhile", async () => {
  const unlock = await lockFolder(folder);
  writeFileSync(lock(), JSON.stringify({ pid: 1, host: "elsewhere" }));
  await unlock();
  expect(existsSync(lock())).toBe(true);
});

it("says why a folder cannot be locked", async () => {
  await expect(lockFolder(join(folder, "none"))).rejects.toMatchObject({ code: "OUTPUT_FAILED" });
});

function lock(): string {
  return join(folder, ".tilth.lock");
}
