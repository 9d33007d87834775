import { join, relative } from "node:path";
import { applySettings, type Config, readConfig, resolveFrom, settingsFromHere } from "../../jobs/config.ts";
import { loadPipeline } from "../../jobs/pipelines.ts";
import { planPipeline, type RunOptions, runPipeline } from "../../jobs/run.ts";
import type { JsonValue } from "../../model/features.ts";
import type { Command, CommandResult } from "../command.ts";
import { usage } from "../main.ts";
import { count } from "../progress.ts";

export const run: Command = {
  name: "run",
  summary: "Run a pipeline into a folder: layers, run.json, index.html, preview.png",
  usage: "PIPELINE",
  arguments: [1, 1],
  options: {
    config: {
      type: "string",
      value: "FILE",
      help: "parameters and inputs, JSON or YAML; relative paths in it count from its folder",
    },
    set: {
      type: "string",
      multiple: true,
      value: "KEY=VALUE",
      help: "one parameter or input; may be repeated",
    },
    out: { type: "string", value: "DIR", help: "folder of the run" },
    resume: { type: "boolean", help: "finish a run that was cut off" },
    "dry-run": { type: "boolean", help: "print the plan and stop" },
  },
  examples: [
    "tilth run drainage-lines --config drainage.json --out out/drainage",
    "tilth run land-cover --config lulc.yaml --set idColumn=uid --out out/landcover",
  ],
  async run(context) {
    const pipeline = await loadPipeline(context.positionals[0]!);
    const path = context.text("config");
    const config = path === undefined ? { values: {} as Config, folder: "." } : await readConfig(path);
    const names = [...Object.keys(pipeline.inputs), "out"];
    const values = applySettings(config.values, settingsFromHere(context.texts("set"), names, config.folder));
    const named = values["out"];
    const out =
      context.text("out") ?? (typeof named === "string" ? resolveFrom(config.folder, named) : undefined);
    if (out === undefined && !context.flag("dry-run")) {
      throw usage("tilth run needs a folder to run into", "Pass --out DIR.");
    }
    const { common, progress, signal } = context;
    const options: RunOptions = {
      out: out ?? ".",
      folder: config.folder,
      resume: context.flag("resume"),
      overwrite: common.overwrite,
      memory: common.memory,
      workers: common.workers,
      onCrsMismatch: common.onCrsMismatch,
      signal,
      onProgress: (step, done, total, unit) => progress.update(step, done, total, unit),
    };
    if (context.flag("dry-run")) {
      const plan = await planPipeline(pipeline, values, options);
      return planResult(plan as unknown as { readonly [key: string]: JsonValue }, plan);
    }
    const { folder, record, ran } = await runPipeline(pipeline, values, options);
    const shown = relative(process.cwd(), folder) || ".";
    const figures = record.figures.map(
      ({ label, value, unit }) => `  ${label}: ${value}${unit === undefined ? "" : ` ${unit}`}`,
    );
    return {
      outputs: record.outputs.map((output) => ({ ...output, path: join(shown, output.path) })),
      summary: {
        pipeline: record.pipeline.name,
        folder: shown,
        ran,
        status: record.status,
        counts: record.counts,
        figures: record.figures as unknown as JsonValue,
      },
      warnings: record.warnings,
      lines: [
        ran
          ? `${record.pipeline.title}: done`
          : `${record.pipeline.title}: nothing to do, ${shown} already holds this run`,
        ...figures,
        ...record.outputs.map(({ path: file, bytes }) => `  ${shown}/${file} (${count(bytes)} bytes)`),
        `  ${shown}/index.html`,
      ],
    };
  },
};

function planResult(
  summary: { readonly [key: string]: JsonValue },
  plan: Awaited<ReturnType<typeof planPipeline>>,
): CommandResult {
  const lines = [`${plan.pipeline.name} ${plan.pipeline.version} would read`];
  for (const { input, label, path, bytes, pixels, features } of plan.inputs) {
    const size =
      pixels !== undefined ? `${count(pixels)} pixels` : `${features ?? "an unknown number of"} features`;
    lines.push(
      `  ${input}${label === undefined ? "" : ` ${label}`}: ${path} (${bytes === null ? "remote" : `${count(bytes)} bytes`}, ${size})`,
    );
  }
  lines.push("then do", ...plan.steps.map((step) => `  ${step}`));
  lines.push("and leave", ...plan.outputs.map((name) => `  ${name}`));
  if (plan.pixels > 0) lines.push(`reading ${count(plan.pixels)} pixels in all`);
  lines.push(`holding at most ${count(plan.memory)} bytes of pixels at once`);
  return { outputs: [], summary, warnings: [], lines };
}
