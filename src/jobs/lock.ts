import { open, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { GeoError } from "../model/errors.ts";

/**
 * Hold a folder for one run. The lock is a file with the owner's process id; a lock whose process is gone was
 * left by a crash and is taken over.
 *
 * @returns a function that lets the folder go
 * @throws GeoError `LOCKED`
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, ".tilth.lock");
  const mine = JSON.stringify({ pid: process.pid, host: hostname() });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(mine);
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = await ownerOf(path);
    if (owner !== null && owner.host === hostname() && owner.pid !== process.pid && !isAlive(owner.pid)) {
      await rm(path, { force: true });
      continue;
    }
    if (owner === null) continue;
    const who = `process ${owner.pid} on ${owner.host}`;
    throw new GeoError(
      "LOCKED",
      `${folder} is in use by ${who}`,
      { path: folder, owner: who },
      {
        hint: `Wait for that run to end, or choose another --out. If it is gone, delete ${path}.`,
      },
    );
  }
  throw new GeoError(
    "LOCKED",
    `${folder} is in use by another run`,
    { path: folder, owner: "unknown" },
    {
      hint: `Wait for that run to end. If there is none, delete ${path}.`,
    },
  );
}

async function ownerOf(path: string): Promise<{ pid: number; host: string } | null> {
  try {
    const { pid, host } = JSON.parse(await readFile(path, "utf8")) as { pid: unknown; host: unknown };
    return typeof pid === "number" && typeof host === "string" ? { pid, host } : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
