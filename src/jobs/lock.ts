import { randomBytes } from "node:crypto";
import { open, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { outputError } from "../io/atomic.ts";
import { GeoError } from "../model/errors.ts";

const NAME = ".tilth.lock";
/** Long enough for a process that has made its lock file to write into it, and for one that saw it to be done. */
const SETTLE_MS = 100;

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process started, milliseconds: a process id comes back after a restart. */
  readonly started: number | null;
}

/**
 * Hold a folder for one run. The lock is a file with the owner's process id; a lock whose process is gone was
 * left by a crash and is taken over.
 *
 * @returns a function that lets the folder go
 * @throws GeoError `LOCKED`, `OUTPUT_FAILED`
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, NAME);
  const { pid } = process;
  const mine = JSON.stringify({
    pid,
    host: hostname(),
    started: STARTED,
    token: randomBytes(8).toString("hex"),
  });
  const release = async (): Promise<void> => {
    if ((await textOf(path)) === mine) await rm(path, { force: true });
  };
  let tookOver = false;
  let owner: Owner | null = null;
  for (let attempt = 0; attempt < 4; attempt++) {
    if (await create(path, mine)) {
      if (!tookOver) return release;
      // Two processes may find the same lock abandoned: the later one removes the lock of the earlier one.
      await wait(SETTLE_MS);
      if ((await textOf(path)) === mine) return release;
    }
    owner = await ownerOf(path);
    if (owner === null) {
      await wait(SETTLE_MS);
      owner = await ownerOf(path);
    }
    if (owner !== null && !isGone(owner)) break;
    tookOver = true;
    await rm(path, { force: true });
  }
  const who = owner === null ? "another run" : `process ${owner.pid} on ${owner.host}`;
  throw new GeoError(
    "LOCKED",
    `${folder} is in use by ${who}`,
    { path: folder, owner: who },
    { hint: `Wait for that run to end, or choose another --out. If it is gone, delete ${path}.` },
  );
}

/** Clocks are set while a process runs, and each thread computes this for itself. */
const START_TOLERANCE_MS = 5000;
const STARTED = Math.round(Date.now() - process.uptime() * 1000);

/** Make the lock; false when there is one. */
async function create(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw outputError(path, error);
  }
}

async function textOf(path: string): Promise<string | null> {
  return await readFile(path, "utf8").catch(() => null);
}

/** Who holds the lock; `null` when the file is gone or says nothing yet. */
async function ownerOf(path: string): Promise<Owner | null> {
  try {
    const { pid, host, started } = JSON.parse((await textOf(path)) ?? "") as { [key: string]: unknown };
    if (typeof pid !== "number" || typeof host !== "string") return null;
    return { pid, host, started: typeof started === "number" ? started : null };
  } catch {
    return null;
  }
}

function isGone({ pid, host, started }: Owner): boolean {
  if (host !== hostname()) return false;
  if (pid === process.pid) return started !== null && Math.abs(started - STARTED) > START_TOLERANCE_MS;
  return !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
