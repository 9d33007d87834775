import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { basename, join, resolve } from "node:path";
import { outputError } from "../io/atomic.ts";
import { describeOutput, hashFile, type OutputFile, writeFeatures, writeRaster } from "../io/open.ts";
import { GeoError } from "../model/errors.ts";
import type { JsonValue } from "../model/features.ts";
import type { Chart, Figure, LayerOutput, Pipeline, PipelineResult } from "../pipelines/define.ts";
import { type Area, layerName } from "../pipelines/naming.ts";
import { type Config, readConfig } from "./config.ts";
import { findInputs, type InputFile, type OpenInputs, openInputs } from "./inputs.ts";
import { lockFolder } from "./lock.ts";
import { loadPipeline } from "./pipelines.ts";
import { packageVersion } from "./version.ts";

export interface RunOptions {
  /** Folder of the run. */
  readonly out: string;
  /** Folder that relative paths of the configuration count from; default the current one. */
  readonly folder?: string | undefined;
  /** Finish a run that was cut off. Without it such a folder is an error. */
  readonly resume?: boolean | undefined;
  /** Replace a run with other inputs or parameters. */
  readonly overwrite?: boolean | undefined;
  /** Budget for pixels in flight, bytes; default 512 MiB. */
  readonly memory?: number | undefined;
  /** Tiles compressed at a time; the layers are the same for every number. */
  readonly workers?: number | "auto" | undefined;
  readonly onCrsMismatch?: "error" | "transform" | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?:
    | ((step: string, done: number, total: number | null, unit: string) => void)
    | undefined;
}

export interface RunStep {
  readonly name: string;
  readonly elapsedMs: number;
}

export interface RunOutput extends OutputFile {
  readonly name: string;
  readonly title: string;
  /** The other files of a format of several (`.dbf`, `.shx` ...). */
  readonly parts?: readonly OutputFile[];
  /** Attributes that the format could not hold under their names: old name to new. */
  readonly renamed?: Readonly<Record<string, string>>;
}

/** What `run.json` holds. */
export interface RunRecord {
  readonly tilth: string;
  readonly pipeline: { readonly name: string; readonly version: string; readonly title: string };
  readonly status: "running" | "done" | "failed";
  /** Hash of pipeline, version, parameters and inputs: the same key means the same layers. */
  readonly key: string;
  readonly parameters: { readonly [key: string]: JsonValue };
  readonly inputs: readonly InputFile[];
  readonly steps: readonly RunStep[];
  /** Paths relative to the folder of the run. */
  readonly outputs: readonly RunOutput[];
  readonly warnings: readonly string[];
  readonly counts: { readonly [key: string]: JsonValue };
  readonly figures: readonly Figure[];
  readonly charts: readonly Chart[];
  readonly sources: readonly string[];
  readonly machine: { readonly node: string; readonly platform: string; readonly cpus: number };
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface RunResult {
  readonly folder: string;
  readonly record: RunRecord;
  /** False when the folder already held this very run, whole. */
  readonly ran: boolean;
}

/** What a run would do, without doing it. */
export interface RunPlan {
  readonly pipeline: { readonly name: string; readonly version: string };
  readonly parameters: { readonly [key: string]: JsonValue };
  readonly inputs: readonly (InputFile & { readonly pixels?: number; readonly features?: number | null })[];
  /** What happens, in order, by the names that `run.json` gives the steps. */
  readonly steps: readonly string[];
  /** Names of the layers, without ending, and of the other files. */
  readonly outputs: readonly string[];
  /** Pixels of all raster inputs. */
  readonly pixels: number;
  /** Features of all vector inputs; `null` when a header does not say. */
  readonly features: number | null;
  /** Bytes that the run may hold at once, at the most. */
  readonly memory: number;
}

const RECORD = "run.json";
const PAGE = "index.html";
const PICTURE = "preview.png";
const DEFAULT_MEMORY = 512 * 2 ** 20;

/**
 * Run a pipeline into a folder: layers, `run.json`, `index.html` and `preview.png`. Layers appear under their
 * names only when complete. A folder that already holds the same run (same inputs, parameters and versions, files
 * unchanged) is left alone.
 *
 * @param pipeline  A pipeline, the name of a built-in one, or the path of a file that exports one.
 * @param config    Parameters and inputs, or the path of a JSON or YAML file with them; its relative paths count
 *                  from its folder.
 * @throws GeoError `INVALID_INPUT` (parameters), `NOT_FOUND` and other input errors, `LOCKED`, `OUTPUT_EXISTS`
 */
export async function runPipeline(
  pipeline: Pipeline | string,
  config: Config | string,
  options: RunOptions,
): Promise<RunResult> {
  if (typeof pipeline === "string") return await runPipeline(await loadPipeline(pipeline), config, options);
  if (typeof config === "string") {
    const { values, folder } = await readConfig(config);
    return await runPipeline(pipeline, values, { folder, ...options });
  }
  const prepared = await prepare(pipeline, config, options);
  const folder = resolve(options.out);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw outputError(folder, error);
  }
  const unlock = await lockFolder(folder);
  try {
    const previous = await readRecord(folder);
    if (previous === null && options.overwrite !== true) await refuseForeignFiles(folder);
    if (previous !== null && options.overwrite !== true) {
      if (
        previous.key === prepared.key &&
        previous.status === "done" &&
        (await outputsIntact(folder, previous))
      ) {
        return { folder, record: previous, ran: false };
      }
      refuseToReplace(folder, previous, prepared.key, options.resume === true);
    }
    await removeTemporaries(folder);
    // Layers of a run that was cut off may lie there before its record says so.
    const replace = previous !== null || options.overwrite === true;
    const record = await execute(pipeline, prepared, folder, { ...options, overwrite: replace });
    if (previous !== null) await removeLeftovers(folder, previous, record);
    return { folder, record, ran: true };
  } finally {
    await unlock();
  }
}

/** The plan of a run: reads headers and hashes inputs, writes nothing. */
export async function planPipeline(
  pipeline: Pipeline,
  config: Config,
  options: RunOptions,
): Promise<RunPlan> {
  const { parameters, files } = await prepare(pipeline, config, options);
  const inputs = await openInputs(pipeline.inputs, files);
  try {
    const layers = pipeline.outputs.map(({ name }) => nameIn(name, parameters["area"]));
    let pixels = 0;
    let features: number | null = 0;
    const described = files.map((file) => {
      if (pipeline.inputs[file.input]!.kind === "features") {
        const { count } = inputs.features(file.input).schema;
        features = features === null || count === null ? null : features + count;
        return { ...file, features: count };
      }
      const { grid } = inputs
        .rasters(file.input)
        .find(({ label }) => label === (file.label ?? file.input))!.source;
      pixels += grid.width * grid.height;
      return { ...file, pixels: grid.width * grid.height };
    });
    return {
      pipeline: { name: pipeline.name, version: pipeline.version },
      parameters,
      inputs: described,
      steps: [pipeline.name, ...layers.map((name) => `write ${name}`), "report"],
      outputs: [...layers, RECORD, PAGE, PICTURE],
      pixels,
      features,
      memory: options.memory ?? DEFAULT_MEMORY,
    };
  } finally {
    await inputs.close();
  }
}

/** `drainage_lines_<district>_<block>` for an area. */
function nameIn(name: string, area: JsonValue | undefined): string {
  const [prefix, suffix] = name.split("_<district>_<block>");
  if (suffix === undefined || typeof area !== "object" || area === null || Array.isArray(area)) return name;
  return layerName(prefix!, area as unknown as Area, suffix.replace(/^_/, ""));
}

interface Prepared {
  readonly parameters: { readonly [key: string]: JsonValue };
  readonly files: readonly InputFile[];
  readonly key: string;
}

async function prepare(pipeline: Pipeline, config: Config, options: RunOptions): Promise<Prepared> {
  const own: Config = {};
  for (const [name, value] of Object.entries(config)) {
    // "out" is for whoever chooses the folder
    if (pipeline.inputs[name] === undefined && name !== "out") own[name] = value;
  }
  const parsed = pipeline.parameters.strict().safeParse(own);
  if (!parsed.success) throw badParameter(pipeline, own, parsed.error.issues[0]!);
  const files = await findInputs(pipeline.inputs, config, options.folder ?? ".");
  const parameters = JSON.parse(JSON.stringify(parsed.data)) as Config;
  const hashed = files.map(({ input, label, layer, sha256, path }) => ({
    input,
    label,
    layer,
    sha256: sha256 ?? path,
  }));
  const identity = [pipeline.name, pipeline.version, packageVersion(), sortKeys(parameters), hashed];
  const onCrsMismatch = options.onCrsMismatch ?? "transform";
  const key = createHash("sha256")
    .update(JSON.stringify([...identity, onCrsMismatch]))
    .digest("hex");
  return { parameters, files, key };
}

async function execute(
  pipeline: Pipeline,
  prepared: Prepared,
  folder: string,
  options: RunOptions,
): Promise<RunRecord> {
  const { parameters, files, key } = prepared;
  const signal = options.signal ?? new AbortController().signal;
  const warnings: string[] = [];
  const warn = (message: string): void => {
    if (!warnings.includes(message)) warnings.push(message);
  };
  const steps: RunStep[] = [];
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    const from = performance.now();
    const result = await work();
    steps.push({ name, elapsedMs: Math.round(performance.now() - from) });
    return result;
  };
  const outputs: RunOutput[] = [];
  const record: RunRecord = {
    tilth: packageVersion(),
    pipeline: { name: pipeline.name, version: pipeline.version, title: pipeline.title },
    status: "running",
    key,
    parameters,
    inputs: files,
    steps,
    outputs,
    warnings,
    counts: {},
    figures: [],
    charts: [],
    sources: pipeline.sources,
    machine: { node: process.version, platform: `${process.platform}-${process.arch}`, cpus: cpus().length },
    startedAt: new Date().toISOString(),
  };
  await saveRecord(folder, record);
  let inputs: OpenInputs | null = null;
  try {
    inputs = await openInputs(pipeline.inputs, files);
    for (const warning of inputs.warnings) warn(warning);
    const progress = options.onProgress ?? (() => {});
    const opened = inputs;
    const result = await timed(pipeline.name, () =>
      pipeline.run(pipeline.parameters.strict().parse(parameters), {
        inputs: opened,
        memory: options.memory ?? DEFAULT_MEMORY,
        onCrsMismatch: options.onCrsMismatch ?? "transform",
        signal,
        progress,
        warn,
      }),
    );
    const format = typeof parameters["format"] === "string" ? parameters["format"] : "geojson";
    for (const layer of result.layers) {
      const { output, notes } = await timed(`write ${layer.name}`, () =>
        writeLayer(layer, folder, format, options, signal),
      );
      outputs.push(output);
      for (const note of notes) warn(note.includes(output.name) ? note : `${output.path}: ${note}`);
      await saveRecord(folder, record);
    }
    const { figures, charts, counts } = result.summarize();
    const finished: RunRecord = { ...record, counts, figures, charts };
    await timed("report", () => writePage(pipeline, finished, result, folder, format));
    const done: RunRecord = { ...finished, status: "done", finishedAt: new Date().toISOString() };
    await saveRecord(folder, done);
    return done;
  } catch (error) {
    const code = error instanceof GeoError ? error.code : signal.aborted ? "ABORTED" : "INTERNAL";
    const message = error instanceof Error ? error.message : String(error);
    await saveRecord(folder, { ...record, status: "failed", error: { code, message } }).catch(() => {});
    throw error;
  } finally {
    await inputs?.close();
  }
}

async function writeLayer(
  layer: LayerOutput,
  folder: string,
  format: string,
  options: RunOptions,
  signal: AbortSignal,
): Promise<{ output: RunOutput; notes: readonly string[] }> {
  const { name, title } = layer;
  const report = options.onProgress ?? (() => {});
  if (layer.kind === "raster") {
    const file = `${name}.tif`;
    const { result, ...written } = await writeRaster(join(folder, file), layer.source, {
      overwrite: options.overwrite,
      memory: Math.floor((options.memory ?? DEFAULT_MEMORY) / 2),
      ...(typeof options.workers === "number" ? { concurrency: 2 * options.workers } : {}),
      signal,
      ...(layer.classes === true ? { classes: true } : {}),
      onProgress: (done: number, total: number) => report(`write ${name}`, done, total, "pixels"),
    });
    return { output: { ...written, path: file, name, title }, notes: [] };
  }
  const file = layer.kind === "table" ? `${name}.csv` : `${name}.${format}`;
  const { files, summary } = await writeFeatures(join(folder, file), layer.source, {
    overwrite: options.overwrite,
    signal,
    layer: name,
    onProgress: (done) => report(`write ${name}`, done, null, "features"),
  });
  const parts: OutputFile[] = [];
  for (const path of files) {
    const part = basename(path);
    if (part !== file) parts.push({ ...(await describeOutput(path, "file")), path: part });
  }
  const { bytes, sha256 } = await describeOutput(join(folder, file), layer.kind);
  const { renamed = {}, warnings } = summary;
  return {
    output: {
      path: file,
      kind: layer.kind,
      bytes,
      sha256,
      name,
      title,
      ...(parts.length === 0 ? {} : { parts }),
      ...(Object.keys(renamed).length === 0 ? {} : { renamed }),
    },
    notes: warnings,
  };
}

async function writePage(
  pipeline: Pipeline,
  record: RunRecord,
  result: PipelineResult,
  folder: string,
  format: string,
): Promise<void> {
  const { renderRun } = await import("./report/run-page.ts");
  const { html, png } = await renderRun(pipeline, record, result, folder, format);
  await replaceFile(join(folder, PAGE), html);
  await replaceFile(join(folder, PICTURE), png);
}

async function readRecord(folder: string): Promise<RunRecord | null> {
  try {
    const record = JSON.parse(await readFile(join(folder, RECORD), "utf8")) as Partial<RunRecord> | null;
    return typeof record?.key === "string" && Array.isArray(record.outputs) ? (record as RunRecord) : null;
  } catch {
    return null;
  }
}

async function saveRecord(folder: string, record: RunRecord): Promise<void> {
  await replaceFile(join(folder, RECORD), `${JSON.stringify(record, null, 2)}\n`);
}

async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFile(`${path}.part`, content);
    await rename(`${path}.part`, path);
  } catch (error) {
    throw outputError(path, error);
  }
}

async function outputsIntact(folder: string, record: RunRecord): Promise<boolean> {
  if (!existsSync(join(folder, PAGE)) || !existsSync(join(folder, PICTURE))) return false;
  for (const { path, sha256 } of filesOf(record)) if (!(await holds(folder, path, sha256))) return false;
  return true;
}

/** Every layer file of a run. */
function filesOf({ outputs }: RunRecord): OutputFile[] {
  return outputs.flatMap(({ parts = [], ...output }) => [output, ...parts]);
}

async function holds(folder: string, path: string, sha256: string): Promise<boolean> {
  const file = join(folder, path);
  return existsSync(file) && (await hashFile(file)) === sha256;
}

/** A folder without a run must hold none of the files that a run makes: they are someone else's. */
async function refuseForeignFiles(folder: string): Promise<void> {
  const found = [RECORD, PAGE, PICTURE].find((name) => existsSync(join(folder, name)));
  if (found === undefined) return;
  throw new GeoError(
    "OUTPUT_EXISTS",
    `${folder} holds a ${found} that no run made, expected an empty folder or one of this run`,
    { path: join(folder, found) },
    { hint: "Choose another --out, or pass --overwrite to replace it." },
  );
}

/** Half files of a run that was killed. The folder is locked: nobody is writing them. */
async function removeTemporaries(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (
      !/^\.[0-9a-f]{12}\.part\./.test(name) &&
      ![RECORD, PAGE, PICTURE].some((file) => name === `${file}.part`)
    )
      continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Layers of the run before that this one does not have, unless they were changed since. */
async function removeLeftovers(folder: string, previous: RunRecord, record: RunRecord): Promise<void> {
  const kept = new Set(filesOf(record).map(({ path }) => path));
  for (const { path, sha256 } of filesOf(previous)) {
    if (kept.has(path) || basename(path) !== path || !(await holds(folder, path, sha256))) continue;
    await rm(join(folder, path), { force: true });
  }
}

/** What is wrong with a parameter, by its name, and what it should be. */
function badParameter(
  pipeline: Pipeline,
  config: Config,
  issue: {
    readonly code?: string;
    readonly path: readonly PropertyKey[];
    readonly message: string;
    readonly keys?: readonly string[];
  },
): GeoError {
  const hint = `tilth pipelines ${pipeline.name} lists the parameters; give them in --config or with --set.`;
  const { shape } = pipeline.parameters;
  if (issue.path.length === 0 && issue.keys !== undefined) {
    const expected = [...Object.keys(shape), ...Object.keys(pipeline.inputs)].join(", ");
    const path = issue.keys[0]!;
    const message = `${pipeline.name} has no parameter "${path}", expected ${expected}`;
    return new GeoError("INVALID_INPUT", message, { path, expected }, { hint });
  }
  const path = issue.path.map(String).join(".");
  const top = String(issue.path[0]);
  const about = (shape[top] as { description?: string } | undefined)?.description;
  const value = config[top];
  const found = value === undefined ? "is missing" : `is ${JSON.stringify(value).slice(0, 80)}`;
  const expected = `${issue.message}${about === undefined ? "" : ` (${about})`}`;
  return new GeoError(
    "INVALID_INPUT",
    `parameter "${path}" of ${pipeline.name} ${found}: ${expected}`,
    { path, expected },
    { hint },
  );
}

function refuseToReplace(folder: string, previous: RunRecord, key: string, resume: boolean): void {
  if (previous.key === key) {
    if (previous.status === "done" || resume) return;
    throw new GeoError(
      "OUTPUT_EXISTS",
      `${folder} holds this run, unfinished (${previous.status === "failed" ? "it failed" : "it was cut off"})`,
      { path: folder },
      { hint: "Pass --resume to finish it." },
    );
  }
  throw new GeoError(
    "OUTPUT_EXISTS",
    `${folder} holds a run of ${previous.pipeline.name} with other inputs or parameters`,
    { path: folder },
    { hint: "Pass --overwrite to replace it, or choose another --out." },
  );
}

function sortKeys(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sortKeys(inner)]));
}
