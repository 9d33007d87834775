import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { writeFeatures, writeRaster } from "../../src/io/open.ts";
import { planPipeline, type RunRecord, runPipeline } from "../../src/jobs/run.ts";
import { GeoError } from "../../src/model/errors.ts";
import { definePipeline, type Pipeline } from "../../src/pipelines/define.ts";
import { makeLandscape, sampleFiles } from "../../src/testing/index.ts";
import { call, callJson, scratchFolder } from "../cli/call.ts";
import { checkPage, checkPng } from "./page.ts";

const folder = scratchFolder("run");
const sample = join(folder, "sample");
let count = 0;
let out: string;

beforeAll(async () => {
  const landscape = makeLandscape({ side: 180 });
  for (const file of sampleFiles(landscape)) {
    if (!/drainage|mws|landcover|land-cover/.test(file.path)) continue;
    const path = join(sample, file.path);
    mkdirSync(dirname(path), { recursive: true });
    if (file.kind === "raster") await writeRaster(path, file.source, { classes: file.classes });
    else if (file.kind === "features") await writeFeatures(path, file.table);
    else writeFileSync(path, file.text);
  }
});

beforeEach(() => {
  out = join(folder, `out${count++}`);
});

const DRAINAGE = join(sample, "drainage-lines.json");
const LAND_COVER = join(sample, "land-cover.json");

const recordOf = (from: string): RunRecord =>
  JSON.parse(readFileSync(join(from, "run.json"), "utf8")) as RunRecord;
const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

/** Hash of every layer file of a run. */
function layersOf(from: string): Record<string, string> {
  const files = recordOf(from).outputs.flatMap(({ path, parts = [] }) => [
    path,
    ...parts.map((part) => part.path),
  ]);
  return Object.fromEntries(files.map((file) => [file, sha256(join(from, file))]));
}

describe("the run folder", () => {
  it.each([
    ["drainage-lines", DRAINAGE, ["drainage_lines_tilthpur_uplands.geojson"]],
    ["land-cover", LAND_COVER, ["lulc_vector_tilthpur_uplands.geojson", "lulc_change_tilthpur_uplands.csv"]],
  ])(
    "of %s holds the layers, a complete run.json, a self-contained page and a picture",
    async (name, config, layers) => {
      const { status, json } = await callJson(["run", name, "--config", config, "--out", out]);
      expect(status).toBe(0);
      expect(json.summary).toMatchObject({ pipeline: name, ran: true, status: "done" });
      expect(readdirSync(out).sort()).toEqual([...layers, "index.html", "preview.png", "run.json"].sort());

      const record = recordOf(out);
      expect(record).toMatchObject({
        tilth: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        pipeline: { name, version: expect.any(String), title: expect.any(String) },
        status: "done",
        parameters: { area: { district: "Tilthpur" }, idColumn: "uid", format: "geojson" },
        machine: { node: process.version, platform: expect.any(String), cpus: expect.any(Number) },
      });
      expect(record.sources.length).toBeGreaterThan(0);
      expect(Date.parse(record.finishedAt!)).toBeGreaterThanOrEqual(Date.parse(record.startedAt));
      expect(record.inputs.length).toBeGreaterThan(1);
      for (const input of record.inputs) {
        expect(input.sha256, input.path).toBe(sha256(input.path));
        expect(input.bytes).toBe(statSync(input.path).size);
      }
      expect(record.outputs.map(({ path }) => path)).toEqual(layers);
      for (const { path, bytes, sha256: hash } of record.outputs) {
        expect(hash, path).toBe(sha256(join(out, path)));
        expect(bytes).toBe(statSync(join(out, path)).size);
      }
      expect(record.steps.map((step) => step.name)).toEqual([
        name,
        ...layers.map((layer) => `write ${layer.replace(/\.\w+$/, "")}`),
        "report",
      ]);
      for (const { elapsedMs } of record.steps) expect(elapsedMs).toBeGreaterThanOrEqual(0);
      expect(json.outputs?.map(({ path }) => path.replace(/^.*\//, ""))).toEqual(layers);
      for (const { path } of json.outputs!) expect(existsSync(path)).toBe(true);
      checkPage(join(out, "index.html"));
      checkPng(join(out, "preview.png"));
    },
  );

  it("takes its configuration in YAML, its parameters from --set, and its own name for the place", async () => {
    const config = join(sample, "config.yaml");
    writeFileSync(
      config,
      "area: {project: river watch, id: p7}\nlines: drainage_lines.fgb\nunits: mws.geojson\nformat: fgb\n",
    );
    const { status, json } = await callJson([
      "run",
      "drainage-lines",
      "--config",
      config,
      "--set",
      "keep=cut",
      "--out",
      out,
    ]);
    expect(status).toBe(0);
    expect(recordOf(out).parameters).toMatchObject({ keep: "cut", format: "fgb" });
    expect(readdirSync(out)).toContain("drainage_lines_river_watch_p7.fgb");
    expect(json.summary.counts.featuresOut).toBeGreaterThan(0);
  });

  it("counts paths of the configuration from its folder and paths of --set from here", async () => {
    const config = join(folder, "elsewhere", "lines.json");
    mkdirSync(dirname(config), { recursive: true });
    writeFileSync(
      config,
      JSON.stringify({
        area: { state: "s", district: "d", block: "b" },
        lines: "../sample/drainage_lines.fgb",
        units: "nowhere.gpkg",
        out: "made",
      }),
    );
    vi.spyOn(process, "cwd").mockReturnValue(sample);
    const units = join(sample, "mws.geojson");
    const { status, json } = await callJson([
      "run",
      "drainage-lines",
      "--config",
      config,
      "--set",
      `units=${units}`,
    ]);
    vi.restoreAllMocks();
    expect(json.error).toBeUndefined();
    expect(status).toBe(0);
    expect(existsSync(join(folder, "elsewhere", "made", "run.json"))).toBe(true);
  });

  it("says in run.json and on the terminal what a writer had to change", async () => {
    const result = await callJson([
      "run",
      "land-cover",
      "--config",
      LAND_COVER,
      "--set",
      "format=shp",
      "--out",
      out,
    ]);
    expect(result.status).toBe(0);
    const [output] = recordOf(out).outputs;
    expect(Object.keys(output!.renamed ?? {}).length).toBeGreaterThan(0);
    expect(output!.parts?.map(({ path }) => path.replace(/.*\./, "")).sort()).toEqual([
      "cpg",
      "dbf",
      "prj",
      "shx",
    ]);
  });
});

describe("running again", () => {
  const done = join(folder, "done");
  beforeAll(async () => {
    const { status } = await call(["run", "drainage-lines", "--config", DRAINAGE, "--out", done]);
    expect(status).toBe(0);
  });
  beforeEach(() => cpSync(done, out, { recursive: true }));
  const again = (...argv: string[]): ReturnType<typeof callJson> =>
    callJson(["run", "drainage-lines", "--config", DRAINAGE, "--out", out, ...argv]);
  const layer = (): string => join(out, "drainage_lines_tilthpur_uplands.geojson");

  it("does nothing and says so", async () => {
    const before = readFileSync(join(out, "run.json"), "utf8");
    const time = statSync(layer()).mtimeMs;
    const { status, out: text } = await call(["run", "drainage-lines", "--config", DRAINAGE, "--out", out]);
    expect(status).toBe(0);
    expect(text).toMatch(/nothing to do, .* already holds this run/);
    expect((await again()).json.summary).toMatchObject({ ran: false, status: "done" });
    expect(readFileSync(join(out, "run.json"), "utf8")).toBe(before);
    expect(statSync(layer()).mtimeMs).toBe(time);
  });

  it("does nothing when an input was touched or lies elsewhere but holds the same", async () => {
    utimesSync(join(sample, "mws.geojson"), new Date(), new Date());
    expect((await again()).json.summary.ran).toBe(false);
    copyFileSync(join(sample, "mws.geojson"), join(folder, "other.geojson"));
    expect((await again("--set", `units=${join(folder, "other.geojson")}`)).json.summary.ran).toBe(false);
  });

  it("refuses other parameters without --overwrite and leaves everything as it was", async () => {
    const before = layersOf(out);
    const { status, json } = await again("--set", "keep=cut");
    expect(status).toBe(1);
    expect(json.error).toMatchObject({ code: "OUTPUT_EXISTS", hint: expect.stringContaining("--overwrite") });
    expect(json.error?.message).toMatch(/holds a run of drainage-lines with other inputs or parameters/);
    expect(layersOf(out)).toEqual(before);
    expect((await again("--set", "keep=cut", "--overwrite")).json.summary.ran).toBe(true);
    expect(recordOf(out).parameters["keep"]).toBe("cut");
  });

  it("refuses a changed input in the same way", async () => {
    copyFileSync(join(sample, "mws.geojson"), join(folder, "changed.geojson"));
    appendFileSync(join(folder, "changed.geojson"), " ");
    expect((await again("--set", `units=${join(folder, "changed.geojson")}`)).json.error?.code).toBe(
      "OUTPUT_EXISTS",
    );
  });

  it("restores a layer, page or picture that was edited or removed", async () => {
    const before = layersOf(out);
    appendFileSync(layer(), " ");
    expect((await again()).json.summary.ran).toBe(true);
    expect(layersOf(out)).toEqual(before);
    for (const name of ["index.html", "preview.png", layer()]) {
      rmSync(join(out, name.replace(`${out}/`, "")));
      expect((await again()).json.summary.ran, name).toBe(true);
    }
    expect(layersOf(out)).toEqual(before);
  });

  it("takes away the layers of the run before, but not a file of one's own", async () => {
    writeFileSync(join(out, "notes.txt"), "mine");
    expect((await again("--set", "format=shp", "--overwrite")).status).toBe(0);
    expect(readdirSync(out).filter((name) => /geojson/.test(name))).toEqual([]);
    expect((await again("--set", "format=fgb", "--overwrite")).status).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      "drainage_lines_tilthpur_uplands.fgb",
      "index.html",
      "notes.txt",
      "preview.png",
      "run.json",
    ]);
  });

  it("keeps an old layer that was changed by hand", async () => {
    appendFileSync(layer(), "\n");
    expect((await again("--set", "format=fgb", "--overwrite")).status).toBe(0);
    expect(existsSync(layer())).toBe(true);
  });
});

describe("a folder that is not a run's", () => {
  it.each(["index.html", "preview.png", "run.json"])(
    "with a foreign %s is left alone without --overwrite",
    async (name) => {
      mkdirSync(out);
      writeFileSync(join(out, name), "mine");
      const argv = ["run", "drainage-lines", "--config", DRAINAGE, "--out", out];
      const { status, json } = await callJson(argv);
      expect(status).toBe(1);
      expect(json.error?.code).toBe("OUTPUT_EXISTS");
      expect(json.error?.message).toContain(`a ${name} that no run made`);
      expect(readdirSync(out)).toEqual([name]);
      expect(readFileSync(join(out, name), "utf8")).toBe("mine");
      expect((await call([...argv, "--overwrite"])).status).toBe(0);
    },
  );

  it("keeps a file of one's own that is called like a layer", async () => {
    mkdirSync(out);
    const mine = join(out, "drainage_lines_tilthpur_uplands.geojson");
    writeFileSync(mine, "mine");
    const { status, json } = await callJson(["run", "drainage-lines", "--config", DRAINAGE, "--out", out]);
    expect(status).toBe(1);
    expect(json.error).toMatchObject({ code: "OUTPUT_EXISTS", path: mine });
    expect(readFileSync(mine, "utf8")).toBe("mine");
  });

  it("behind a file cannot be made", async () => {
    const { status, json } = await callJson([
      "run",
      "drainage-lines",
      "--config",
      DRAINAGE,
      "--out",
      join(DRAINAGE, "x"),
    ]);
    expect(status).toBe(1);
    expect(json.error?.code).toBe("OUTPUT_FAILED");
  });
});

describe("what goes wrong before a run", () => {
  const argv = (...more: string[]): string[] => [
    "run",
    "land-cover",
    "--config",
    LAND_COVER,
    "--out",
    out,
    ...more,
  ];

  it.each([
    [["--set", "tie=most"], 2, "tie", /parameter "tie" of land-cover is "most".*smallest code/],
    [["--set", "ties=min"], 2, "ties", /has no parameter "ties", expected area, idColumn/],
    [["--set", "area=Uplands"], 2, "area", /parameter "area".*\{state, district, block\}/],
    [["--set", "area.block=5"], 2, "area", /parameter "area/],
    [["--set", "units=5"], 2, "units", /the input "units" is 5, expected the path of a vector layer/],
    [["--set", "units=null"], 2, "units", /the input "units" is missing/],
    [["--set", 'rasters=["a_2019.tif","b_2019.tif"]'], 2, "rasters", /two rasters labelled "2019"/],
    [["--set", "units=/nowhere/x.gpkg"], 3, "/nowhere/x.gpkg", /\/nowhere\/x\.gpkg does not exist/],
    [["--config", "/nowhere/c.json"], 3, "/nowhere/c.json", /does not exist/],
  ])("%j exits with %d and names it", async (more, expected, path, message) => {
    const { status, json } = await callJson(argv(...more));
    expect(json.error?.message).toMatch(message);
    expect(json.error?.path).toBe(path);
    expect(json.error?.hint).toBeTruthy();
    expect(status).toBe(expected);
    expect(existsSync(join(out, "run.json"))).toBe(false);
  });

  it("a vector where a raster belongs, and the other way round, is said at once", async () => {
    const units = join(sample, "mws.geojson");
    const wrong = await callJson(argv("--set", `rasters=["${units}"]`));
    expect(wrong.status).toBe(3);
    expect(wrong.json.error?.message).toMatch(
      /mws\.geojson is a vector or table file \(geojson\), expected a raster/,
    );
    rmSync(out, { recursive: true });
    const raster = join(sample, "landcover", readdirSync(join(sample, "landcover"))[0]!);
    const other = await callJson(argv("--set", `units=${raster}`));
    expect(other.status).toBe(3);
    expect(other.json.error?.message).toMatch(/is a GeoTIFF raster, expected a vector layer/);
  });

  it("--dry-run prints the plan and writes nothing", async () => {
    const { status, out: text } = await call([...argv(), "--dry-run"]);
    expect(status).toBe(0);
    for (const words of [
      "land-cover 1.0.0 would read",
      "rasters 2021",
      "units",
      "write lulc_vector_tilthpur_uplands",
      "run.json",
      "index.html",
      "preview.png",
      "bytes of pixels",
    ])
      expect(text).toContain(words);
    expect(existsSync(out)).toBe(false);
    const { json } = await callJson([...argv(), "--dry-run"]);
    expect(json.summary).toMatchObject({ pixels: expect.any(Number), memory: 512 * 2 ** 20 });
    expect(json.summary.inputs).toHaveLength(4);
    expect(existsSync(out)).toBe(false);
  });

  it("a plan needs no folder", async () => {
    const { status } = await call(["run", "land-cover", "--config", LAND_COVER, "--dry-run"]);
    expect(status).toBe(0);
  });
});

describe("the same inputs and parameters", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each(["geojson", "fgb", "gpkg", "parquet", "shp"])(
    "give byte-identical layers in another folder, with other threads and memory, on another day: %s",
    async (format) => {
      vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-02-03T04:05:06Z") });
      const argv = ["run", "land-cover", "--config", LAND_COVER, "--set", `format=${format}`];
      expect((await call([...argv, "--out", join(out, "a"), "--workers", "1"])).status).toBe(0);
      vi.setSystemTime(new Date("2031-12-24T22:23:24Z"));
      expect(
        (await call([...argv, "--out", join(out, "b"), "--workers", "4", "--memory", "2MB"])).status,
      ).toBe(0);
      expect(layersOf(join(out, "b"))).toEqual(layersOf(join(out, "a")));
      const [left, right] = ["a", "b"].map((name) => recordOf(join(out, name)));
      expect(left!.key).toBe(right!.key);
      expect(Object.keys(layersOf(join(out, "a"))).length).toBe(format === "shp" ? 6 : 2);
    },
  );
});

describe("a run that fails or is cut off", () => {
  /** Copies its units; fails, waits or counts as the test says. */
  function copying(behave: () => Promise<void>): Pipeline {
    return definePipeline({
      name: "copy",
      version: "1.0.0",
      title: "Copy",
      question: "What are the units?",
      shape: "copy",
      parameters: z.object({ n: z.number().default(1) }),
      inputs: { units: { kind: "features", title: "Units", expects: "anything" } },
      outputs: [{ name: "copy", kind: "vector", title: "Copy" }],
      sources: ["a test"],
      async run(_, context) {
        await behave();
        context.signal.throwIfAborted();
        return {
          layers: [{ kind: "vector", name: "copy", title: "Copy", source: context.inputs.features("units") }],
          summarize: () => ({ figures: [], charts: [], counts: {} }),
        };
      },
    });
  }
  const config = { units: join(sample, "mws.geojson") };

  it("leaves the status failed with the reason, and --resume finishes it with the same bytes", async () => {
    let fails = true;
    const pipeline = copying(async () => {
      if (fails) throw new GeoError("UNSUPPORTED", "not on a Monday", { feature: "Mondays" });
    });
    await expect(runPipeline(pipeline, config, { out })).rejects.toThrow("not on a Monday");
    expect(recordOf(out)).toMatchObject({
      status: "failed",
      error: { code: "UNSUPPORTED", message: "not on a Monday" },
    });
    expect(readdirSync(out)).toEqual(["run.json"]);
    fails = false;
    await expect(runPipeline(pipeline, config, { out })).rejects.toMatchObject({
      code: "OUTPUT_EXISTS",
      message: expect.stringContaining("unfinished (it failed)"),
      hint: "Pass --resume to finish it.",
    });
    const { ran, record } = await runPipeline(pipeline, config, { out, resume: true });
    expect(ran).toBe(true);
    expect(record).toMatchObject({ status: "done" });
    expect(record.error).toBeUndefined();
    await runPipeline(pipeline, config, { out: `${out}b` });
    expect(layersOf(out)).toEqual(layersOf(`${out}b`));
    expect((await runPipeline(pipeline, config, { out, resume: true })).ran).toBe(false);
  });

  it("counts an input that turns out damaged as failed, too", async () => {
    const broken = join(folder, "broken.geojson");
    writeFileSync(broken, readFileSync(config.units, "utf8").slice(0, -200));
    const pipeline = copying(async () => {});
    await expect(runPipeline(pipeline, { units: broken }, { out })).rejects.toMatchObject({
      code: "INVALID_FORMAT",
    });
    expect(recordOf(out).status).toBe("failed");
    expect(readdirSync(out)).toEqual(["run.json"]);
  });

  it("stops when interrupted, says so in run.json, and leaves neither layer nor lock", async () => {
    const abort = new AbortController();
    const pipeline = copying(async () => abort.abort());
    await expect(runPipeline(pipeline, config, { out, signal: abort.signal })).rejects.toThrow();
    expect(recordOf(out)).toMatchObject({ status: "failed", error: { code: "ABORTED" } });
    expect(readdirSync(out)).toEqual(["run.json"]);
  });

  it("cleans up the half files that a killed run left", async () => {
    mkdirSync(join(out, ".0123456789ab.part.copy.shp"), { recursive: true });
    for (const name of [".0123456789ab.part.copy.geojson", "run.json.part", "index.html.part"])
      writeFileSync(join(out, name), "half");
    await runPipeline(
      copying(async () => {}),
      config,
      { out },
    );
    expect(readdirSync(out).sort()).toEqual(["copy.geojson", "index.html", "preview.png", "run.json"]);
  });

  it("refuses a second run into the folder of one that is under way", async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = runPipeline(
      copying(() => gate),
      config,
      { out },
    );
    await vi.waitFor(() => expect(existsSync(join(out, "run.json"))).toBe(true));
    for (const overwrite of [false, true]) {
      await expect(
        runPipeline(
          copying(async () => {}),
          config,
          { out, overwrite },
        ),
      ).rejects.toMatchObject({
        code: "LOCKED",
        message: `${out} is in use by process ${process.pid} on ${JSON.parse(readFileSync(join(out, ".tilth.lock"), "utf8")).host}`,
      });
    }
    // a plan reads only
    await planPipeline(
      copying(async () => {}),
      config,
      { out },
    );
    release();
    expect((await first).ran).toBe(true);
    expect(readdirSync(out)).not.toContain(".tilth.lock");
  });

  it("is described by its own words in the library as on the command line", async () => {
    const { record } = await runPipeline("drainage-lines", DRAINAGE, { out });
    expect(record.status).toBe("done");
    expect(recordOf(out)).toEqual(record);
  });
});

describe("a pipeline file", () => {
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  it.each([
    ["none.mjs", null, /none\.mjs does not exist/],
    ["syntax.mjs", "export default {", /syntax\.mjs cannot be loaded/],
    ["throws.mjs", "throw new Error('no luck');", /throws\.mjs cannot be loaded: no luck/],
    [
      "imports.mjs",
      "import 'no-such-package-at-all';",
      /imports\.mjs cannot be loaded: .*no-such-package-at-all/,
    ],
    ["empty.mjs", "export const answer = 42;", /empty\.mjs exports no pipeline/],
    ["half.mjs", "export default { name: 'half', run() {} };", /half\.mjs exports no pipeline/],
  ])("that cannot be used exits with 3: %s", async (name, text, message) => {
    const path = text === null ? join(folder, name) : write(name, text);
    const { status, json } = await callJson(["run", path, "--out", out]);
    expect(json.error?.message).toMatch(message);
    expect(status).toBe(3);
  });
});
