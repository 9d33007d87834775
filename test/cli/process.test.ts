import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { BIN, BUILT, scratchFolder } from "./call.ts";

const folder = scratchFolder("process");
const ROOT = join(import.meta.dirname, "../..");

const describeBuilt = BUILT ? describe : describe.skip;
const title = (name: string): string => (BUILT ? name : `${name} [skipped: not built; npm run build]`);

/** Enough rows that writing them takes a second or more. */
function bigGeoJson(rows: number): string {
  const path = join(folder, `big${rows}.geojson`);
  if (existsSync(path)) return path;
  const lines: string[] = [];
  for (let i = 0; i < rows; i++) {
    const x = (i % 1000) / 100;
    const y = Math.floor(i / 1000) / 100;
    lines.push(
      `{"type":"Feature","geometry":{"type":"Point","coordinates":[${x},${y}]},"properties":{"i":${i},"name":"row ${i} with some words"}}`,
    );
  }
  writeFileSync(path, `{"type":"FeatureCollection","features":[\n${lines.join(",\n")}\n]}`);
  return path;
}

/** Wait until the command has begun to write beside its output. */
async function untilWriting(child: ChildProcess, into: string): Promise<void> {
  while (!readdirSync(into).some((name) => name.includes(".part."))) {
    const ended = child.exitCode ?? child.signalCode;
    expect(ended, "the command ended before it could be interrupted").toBeNull();
    await wait(5);
  }
}

describeBuilt(title("the installed command"), () => {
  it("stops at SIGINT with 130 and leaves neither the output nor a half file", async () => {
    const input = bigGeoJson(200_000);
    const into = join(folder, "interrupted");
    mkdirSync(into);
    const child = spawn(process.execPath, [BIN, "convert", input, join(into, "out.geojson")]);
    let err = "";
    child.stderr.on("data", (text: Buffer) => {
      err += text.toString();
    });
    await untilWriting(child, into);
    child.kill("SIGINT");
    const [status] = await once(child, "exit");
    expect(status).toBe(130);
    expect(err).toBe("error: interrupted\n");
    expect(readdirSync(into)).toEqual([]);
  });

  it("stops at once at a second SIGINT", async () => {
    const into = join(folder, "twice");
    mkdirSync(into);
    const child = spawn(process.execPath, [BIN, "convert", bigGeoJson(200_000), join(into, "out.gpkg")]);
    await untilWriting(child, into);
    child.kill("SIGINT");
    child.kill("SIGINT");
    const [status] = await once(child, "exit");
    expect(status).toBe(130);
    expect(readdirSync(into)).toEqual([]);
  });

  it("never leaves anything under the real name when it is killed", async () => {
    const into = join(folder, "killed");
    mkdirSync(into);
    const out = join(into, "out.fgb");
    const child = spawn(process.execPath, [BIN, "convert", bigGeoJson(200_000), out]);
    await untilWriting(child, into);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(existsSync(out)).toBe(false);
    expect(spawnSync(process.execPath, [BIN, "convert", bigGeoJson(200_000), out]).status).toBe(0);
  });

  it("bears a reader that leaves early, of its results and of its messages", () => {
    const script = `"${process.execPath}" "${BIN}" pipelines land-cover`;
    for (const pipe of [
      `${script} | head -n 1`,
      `${script} | true`,
      `"${process.execPath}" "${BIN}" info none.tif 2>&1 >/dev/null | true`,
    ]) {
      const { stderr } = spawnSync("bash", ["-c", pipe], { encoding: "utf8" });
      expect(stderr).toBe("");
    }
    const out = join(folder, "deaf.geojson");
    const deaf = `"${process.execPath}" "${BIN}" convert "${bigGeoJson(1000)}" "${out}" --verbose 2> >(true) > >(true)`;
    spawnSync("bash", ["-c", deaf]);
    expect(existsSync(out)).toBe(true);
  });

  it("prints results byte for byte to a pipe however long they are", () => {
    const fields = Array.from({ length: 4000 }, (_, k) => `column_with_a_long_name_${k}`);
    const csv = join(folder, "wide.csv");
    writeFileSync(csv, `${fields.join(",")}\n${fields.map((_, k) => k).join(",")}\n`);
    const { stdout, status } = spawnSync(process.execPath, [BIN, "info", csv, "--json"], {
      encoding: "utf8",
    });
    expect(status).toBe(0);
    expect(stdout.length).toBeGreaterThan(200_000);
    expect(JSON.parse(stdout).summary.layers[0].fields).toHaveLength(4000);
  });

  it("refuses a pipe at once instead of waiting for its other end", () => {
    const fifo = join(folder, "fifo");
    if (spawnSync("mkfifo", [fifo]).status !== 0) return;
    const { status, stderr } = spawnSync(process.execPath, [BIN, "info", fifo], {
      encoding: "utf8",
      timeout: 10_000,
    });
    expect(status).toBe(3);
    expect(stderr).toMatch(/fifo cannot be read: it is a pipe or a device, expected a file/);
  });

  it("draws no bar and no colours where there is no terminal", () => {
    const out = join(folder, "plain.fgb");
    const { stdout, stderr } = spawnSync(process.execPath, [BIN, "convert", bigGeoJson(1000), out], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(stdout).not.toMatch(/\u001b|\r/);
  });
});

describeBuilt(title("start-up"), () => {
  it("answers --version quickly", () => {
    const times = Array.from({ length: 7 }, () => {
      const from = performance.now();
      expect(spawnSync(process.execPath, [BIN, "--version"]).status).toBe(0);
      return performance.now() - from;
    });
    const median = medianOf(times);
    console.log(
      `tilth --version: median of ${times.length} is ${median.toFixed(0)} ms (goal on an idle machine: 150 ms)`,
    );
    expect(median).toBeLessThan(1500);
  });

  it("loads no optional part with the library, and nothing but that", () => {
    const times: number[] = [];
    let loaded: string[] = [];
    for (let k = 0; k < 5; k++) {
      const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", MEASURE], {
        cwd: ROOT,
        encoding: "utf8",
      });
      expect(stderr).toBe("");
      times.push((JSON.parse(stdout) as { ms: number }).ms);
    }
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", LISTING], {
      cwd: ROOT,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    loaded = JSON.parse(stdout) as string[];
    const median = medianOf(times);
    console.log(
      `import("tilth"): median of ${times.length} is ${median.toFixed(0)} ms, ${loaded.length} modules (goal on an idle machine: 100 ms)`,
    );
    expect(loaded.length).toBeGreaterThan(20);
    const packages = new Set(
      loaded.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []),
    );
    // Small and of use to every geometric test; whatever else comes in here must be loaded when it is first used.
    const small = ["robust-predicates", "flatbush", "geographiclib-geodesic"];
    expect([...packages].filter((name) => !small.includes(name))).toEqual([]);
    expect(loaded.filter((url) => /^node:(sqlite|http|https|worker_threads)$/.test(url))).toEqual([]);
    expect(median).toBeLessThan(1500);
  });
});

const MEASURE = `const from = performance.now();
await import("tilth");
console.log(JSON.stringify({ ms: performance.now() - from }));`;

/** Addresses of every module that importing the library resolves, and of every CommonJS file that it requires. */
const LISTING = `import { createRequire, register } from "node:module";
import { MessageChannel } from "node:worker_threads";
const { port1, port2 } = new MessageChannel();
const urls = new Set();
port1.on("message", (url) => urls.add(url));
port1.unref();
const hook = \`let port;
export function initialize(data) { port = data.port; }
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  port.postMessage(found.url);
  return found;
}\`;
register("data:text/javascript," + encodeURIComponent(hook), { parentURL: import.meta.url, data: { port: port2 }, transferList: [port2] });
await import("tilth");
await new Promise((resolve) => setTimeout(resolve, 200));
for (const path of Object.keys(createRequire(import.meta.url).cache)) urls.add(path);
console.log(JSON.stringify([...urls]));`;

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
