import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";

/** The installed command; `npm run build` makes what it runs. */
const CLI = join(import.meta.dirname, "../bin/tilth.js");

/** What one process cost. */
export interface Cost {
  /** Seconds from start to end. */
  readonly wall: number;
  /** User and system seconds of all its threads. */
  readonly cpu: number;
  /** Peak of resident memory, MiB. */
  readonly peak: number;
}

export function hasProgram(program: string): boolean {
  return spawnSync(program, ["--version"]).error === undefined;
}

/** Run a command line of tilth in a process of its own. */
export function tilth(runs: number, ...args: string[]): Cost {
  return best(runs, process.execPath, [CLI, ...args, "--quiet", "--overwrite"]);
}

/** Run a program `runs` times; of each number the least. */
export function best(runs: number, program: string, args: readonly string[]): Cost {
  const costs = Array.from({ length: runs }, () => once(program, args));
  const least = (of: (cost: Cost) => number): number => Math.min(...costs.map(of));
  return { wall: least((c) => c.wall), cpu: least((c) => c.cpu), peak: least((c) => c.peak) };
}

/** Python's wait4 tells CPU and memory of a child whatever it is; Node does not. */
function once(program: string, args: readonly string[]): Cost {
  const script = `
import json, os, sys, time
start = time.monotonic()
pid = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(json.dumps({"status": status, "wall": time.monotonic() - start, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024}))
`;
  const out = execFileSync("python3", ["-c", script, program, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const cost = JSON.parse(out.trim().split("\n").at(-1)!) as Cost & { status: number };
  if (cost.status !== 0) throw new Error(`${program} ${args.join(" ")} failed`);
  return cost;
}

export function compare(title: string, ours: Cost, name: string, theirs: Cost): void {
  const line = ({ wall, cpu, peak }: Cost): string =>
    `${wall.toFixed(2)} s wall, ${cpu.toFixed(2)} s CPU, ${peak.toFixed(0)} MiB`;
  console.log(`${title}: tilth ${line(ours)}; ${name} ${line(theirs)}`);
  console.log(
    `  ratio: wall ${(ours.wall / theirs.wall).toFixed(2)}, CPU ${(ours.cpu / theirs.cpu).toFixed(2)}`,
  );
}
