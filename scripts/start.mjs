// npm start: makes the sample landscape if it is not there, runs the main job on it into out/, says where to look.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { runPipeline } from "../dist/index.js";
import { makeSample } from "./make-sample.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const sample = join(root, "data", "sample");

const runs = [
  ["drainage-lines", "drainage-lines.json"],
  ["land-cover", "land-cover.json"],
  ["aquifer", "aquifer.json"],
  ["facilities-proximity", "facilities-proximity.json"],
  ["catchment-area", "catchment-area.json"],
  ["stream-order", "stream-order.json"],
];

// A sample that an older version made lacks what later pipelines need.
if (!["manifest.json", ...runs.map(([, config]) => config)].every((name) => existsSync(join(sample, name)))) {
  process.stdout.write("making the sample landscape ... ");
  const started = performance.now();
  await makeSample(sample);
  console.log(`${((performance.now() - started) / 1000).toFixed(1)} s`);
}

for (const [pipeline, config] of runs) {
  const out = join(root, "out", pipeline);
  const { record, ran } = await runPipeline(pipeline, join(sample, config), { out, overwrite: true });
  const time = record.steps.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0);
  console.log(`\n${record.pipeline.title} (${ran ? `${(time / 1000).toFixed(1)} s` : "already done"})`);
  for (const { label, value, unit } of record.figures)
    console.log(`  ${label}: ${value}${unit ? ` ${unit}` : ""}`);
  for (const warning of record.warnings) console.log(`  warning: ${warning}`);
  for (const { path } of record.outputs) console.log(`  ${relative(root, join(out, path))}`);
  console.log(`  report: ${relative(root, join(out, "index.html"))}`);
}
