import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { readFeatures, writeFeatures, writeRaster } from "../../src/io/open.ts";
import type { RunRecord } from "../../src/jobs/run.ts";
import { columnNamed, valueAt } from "../../src/model/features.ts";
import { makeLandscape, random, sampleFiles } from "../../src/testing/index.ts";
import { BIN, BUILT, callJson, scratchFolder } from "../cli/call.ts";
import { describeShared, shared } from "../helpers/shared.ts";
import { checkPage, checkPng } from "../jobs/page.ts";

const folder = scratchFolder("runs");
const OWN = join(import.meta.dirname, "../fixtures/pipelines/longest.mjs");

const recordOf = (from: string): RunRecord =>
  JSON.parse(readFileSync(join(from, "run.json"), "utf8")) as RunRecord;

/** Hash of every layer file, which must be the one that run.json names. */
function layersOf(from: string): Record<string, string> {
  const hashes: Record<string, string> = {};
  for (const { path, sha256 } of recordOf(from).outputs.flatMap(({ parts = [], ...output }) => [
    output,
    ...parts,
  ])) {
    hashes[path] = createHash("sha256")
      .update(readFileSync(join(from, path)))
      .digest("hex");
    expect(hashes[path], path).toBe(sha256);
  }
  return hashes;
}

describeShared("runs on real data", () => {
  const area = { state: "North Carolina", district: "Wake", block: "South West" };

  it("drainage-lines: the streams that meet the watersheds, whole", async () => {
    const config = join(folder, "drainage.json");
    const lines = shared("data", "drainage", "wake_streams.shp");
    const units = shared("data", "watersheds", "wake_watersheds.gpkg");
    writeFileSync(config, JSON.stringify({ area, lines, units, idColumn: "basin_id", format: "gpkg" }));
    const out = join(folder, "drainage");
    const { status, json } = await callJson(["run", "drainage-lines", "--config", config, "--out", out]);
    expect(json.error).toBeUndefined();
    expect(status).toBe(0);
    expect(json.summary.counts).toMatchObject({ featuresIn: 8294, featuresOut: 6831 });
    const record = recordOf(out);
    // bytes and hash are those of all parts of the Shapefile
    expect(record.inputs.find(({ input }) => input === "lines")?.bytes).toBeGreaterThan(3_000_000);
    const layer = await readFeatures(join(out, "drainage_lines_wake_south_west.gpkg"));
    expect(layer.count).toBe(6831);
    const before = await readFeatures(lines);
    expect(layer.columns.map(({ name }) => name)).toEqual(before.columns.map(({ name }) => name));
    layersOf(out);
    checkPage(join(out, "index.html"));
    checkPng(join(out, "preview.png"));
  });

  it("land-cover: hectares per class and year that add up to the observed area, and a change matrix", async () => {
    const config = join(folder, "landcover.yaml");
    const rasters = [2015, 2016, 2017, 2018, 2019].map((year) =>
      shared("data", "landcover", `neiba_lc100_${year}.tif`),
    );
    writeFileSync(
      config,
      [
        "area: {state: Independencia, district: Neiba, block: Sierra}",
        "idColumn: basin_id",
        `units: ${shared("data", "watersheds", "neiba_derived_basins.gpkg")}`,
        "rasters:",
        ...rasters.map((path) => `  - ${path}`),
      ].join("\n"),
    );
    const out = join(folder, "landcover");
    const { status, json } = await callJson(["run", "land-cover", "--config", config, "--out", out]);
    expect(json.error).toBeUndefined();
    expect(status).toBe(0);
    expect(json.summary.counts).toMatchObject({ units: 167, rasters: 5, emptyUnits: 0 });
    expect(recordOf(out).inputs.map(({ label }) => label)).toEqual([
      "2015",
      "2016",
      "2017",
      "2018",
      "2019",
      undefined,
    ]);
    const table = await readFeatures(join(out, "lulc_vector_neiba_sierra.geojson"));
    expect(table.count).toBe(167);
    const number = (name: string, row: number): number => Number(valueAt(columnNamed(table, name)!, row));
    const classes = table.columns.map(({ name }) => name).filter((name) => /_area_2019$/.test(name));
    let observed = 0;
    for (let row = 0; row < table.count; row++) {
      const areas = classes.map((name) => number(name, row));
      const total = areas.reduce((a, b) => a + b, 0);
      observed += total;
      expect(number("dominant_share_2019", row)).toBeCloseTo(Math.max(...areas) / total, 12);
    }
    const [changes] = await Promise.all([readFeatures(join(out, "lulc_change_neiba_sierra.csv"))]);
    // what 2018 became in 2019 is everything that both years observed
    let changed = 0;
    for (let row = 0; row < changes.count; row++) {
      const value = (name: string): unknown => valueAt(columnNamed(changes, name)!, row);
      if (String(value("from_year")) === "2018" && String(value("to_year")) === "2019")
        changed += Number(value("area_ha"));
    }
    expect(changed).toBeGreaterThan(0);
    expect(Math.abs(changed - observed) / observed).toBeLessThan(1e-9);
    checkPage(join(out, "index.html"));
    checkPng(join(out, "preview.png"));
  });
});

const describeBuilt = BUILT ? describe : describe.skip;
describeBuilt(BUILT ? "runs as processes" : "runs as processes [skipped: not built; npm run build]", () => {
  const sample = join(folder, "sample");
  const config = join(sample, "land-cover.json");

  beforeAll(async () => {
    for (const file of sampleFiles(makeLandscape({ side: 180 }))) {
      if (!/drainage|mws|landcover|land-cover/.test(file.path)) continue;
      const path = join(sample, file.path);
      mkdirSync(dirname(path), { recursive: true });
      if (file.kind === "raster") await writeRaster(path, file.source, { classes: file.classes });
      else if (file.kind === "features") await writeFeatures(path, file.table);
      else writeFileSync(path, file.text);
    }
  });

  const run = (...argv: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [BIN, "run", ...argv], { encoding: "utf8" });
  const start = (...argv: string[]): ChildProcess =>
    spawn(process.execPath, [BIN, "run", ...argv], { stdio: "ignore" });

  it("killed at ten moments and resumed each time, a run ends with the bytes of one that was left alone", {
    timeout: 120_000,
  }, async () => {
    const whole = join(folder, "whole");
    const from = performance.now();
    expect(run("land-cover", "--config", config, "--set", "format=gpkg", "--out", whole).status).toBe(0);
    const time = performance.now() - from;
    const out = join(folder, "killed");
    const seeded = random(20_260);
    const seen = new Set<string>();
    for (let k = 0; k < 10; k++) {
      const child = start("land-cover", "--config", config, "--set", "format=gpkg", "--out", out, "--resume");
      const ended = once(child, "exit");
      await wait(time * (0.15 + 0.85 * seeded.next()));
      child.kill("SIGKILL");
      await ended;
      if (existsSync(join(out, "run.json"))) {
        // whenever it was killed, what run.json says is whole
        const { status, outputs } = recordOf(out);
        seen.add(`${status} ${outputs.length}`);
        layersOf(out);
        if (status === "done" && k < 9) rmSync(out, { recursive: true });
      } else seen.add("nothing");
    }
    // the moments fell into different steps
    expect([...seen].length).toBeGreaterThan(1);
    const { status, stderr } = run(
      "land-cover",
      "--config",
      config,
      "--set",
      "format=gpkg",
      "--out",
      out,
      "--resume",
    );
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(recordOf(out).status).toBe("done");
    expect(layersOf(out)).toEqual(layersOf(whole));
    expect(readdirSync(out).sort()).toEqual(readdirSync(whole).sort());
  });

  it("an unfinished run is not touched without --resume", async () => {
    const out = join(folder, "unfinished");
    const child = start(OWN, "--config", own(out), "--out", out, "--set", "wait=20000");
    while (!existsSync(join(out, "run.json"))) await wait(10);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(recordOf(out).status).toBe("running");
    const { status, stderr } = run(OWN, "--config", own(out), "--out", out, "--set", "wait=20000");
    expect(status).toBe(1);
    expect(stderr).toMatch(/holds this run, unfinished \(it was cut off\)\nPass --resume to finish it\./);
  });

  it("of two started together into one folder, one is refused", async () => {
    const out = join(folder, "together");
    const first = start(OWN, "--config", own(out), "--out", out, "--set", "wait=3000");
    while (!existsSync(join(out, "run.json"))) await wait(10);
    const { status, stdout } = run(OWN, "--config", own(out), "--out", out, "--set", "wait=3000", "--json");
    expect(status).toBe(1);
    expect(JSON.parse(stdout).error).toMatchObject({ code: "LOCKED", path: out });
    expect((await once(first, "exit"))[0]).toBe(0);
    expect(recordOf(out).status).toBe("done");
  });

  it("runs a pipeline of a user's own from a file, like any other", () => {
    const out = join(folder, "own");
    const { status, stdout, stderr } = run(OWN, "--config", own(out), "--out", out, "--set", "atLeast=10");
    expect(stderr).toMatch(/^warning: longest_d_b\.geojson: coordinates are in EPSG:32645/);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Lines with many vertices: done\n {2}Lines: \d+\n/);
    const { counts, outputs, pipeline } = recordOf(out);
    expect(pipeline).toEqual({ name: "longest", version: "1.0.0", title: "Lines with many vertices" });
    expect(Number(counts["featuresOut"])).toBeLessThan(Number(counts["featuresIn"]));
    expect(outputs.map(({ path }) => path)).toEqual(["longest_d_b.geojson"]);
    checkPage(join(out, "index.html"));
    const wrong = run(OWN, "--config", own(out), "--out", out, "--set", "atLeast=-1");
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toMatch(/parameter "atLeast" of longest is -1: .*vertices, at least/);
    const { stdout: page } = spawnSync(process.execPath, [BIN, "pipelines", OWN], { encoding: "utf8" });
    expect(page).toMatch(/longest 1\.0\.0: Lines with many vertices \(filter\)/);
  });

  /** A configuration for {@link OWN}. */
  function own(out: string): string {
    const path = `${out}.json`;
    writeFileSync(
      path,
      JSON.stringify({
        area: { state: "s", district: "d", block: "b" },
        lines: join(sample, "drainage_lines.fgb"),
      }),
    );
    return path;
  }
});
