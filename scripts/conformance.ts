import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Family, FileResult } from "./conformance/family.ts";

/**
 * npm run conformance -- [FAMILY...] [--dir DIR] [--json]
 *
 * Runs every vector under DIR (env `TILTH_CONFORMANCE`, default `$TILTH_SHARED/conformance`) through the public
 * entry points of the built package and prints a row per file. Exits 1 when a covered case fails, 2 when DIR or a
 * family is not there.
 */
const FAMILIES: Record<string, () => Promise<{ family: Family }>> = {
  geotiff: () => import("./conformance/geotiff.ts"),
  formats: () => import("./conformance/formats.ts"),
  reprojection: () => import("./conformance/reprojection.ts"),
  geodesic: () => import("./conformance/geodesic.ts"),
  rasterize: () => import("./conformance/rasterize.ts"),
  "raster-mask": () => import("./conformance/raster-mask.ts"),
  zonal: () => import("./conformance/zonal.ts"),
  "overlay-jts": () => import("./conformance/overlay-jts.ts"),
  "overlay-generated": () => import("./conformance/overlay-generated.ts"),
  "clipping-fixtures": () => import("./conformance/clipping-fixtures.ts"),
  join: () => import("./conformance/join.ts"),
  temporal: () => import("./conformance/temporal.ts"),
};

const { values, positionals } = parseArgs({
  options: { dir: { type: "string" }, json: { type: "boolean", default: false } },
  allowPositionals: true,
});
const dir = resolve(
  values.dir ??
    process.env["TILTH_CONFORMANCE"] ??
    join(process.env["TILTH_SHARED"] ?? "../shared", "conformance"),
);
process.exitCode = await main();

async function main(): Promise<number> {
  if (!existsSync(dir)) {
    console.error(`no vectors at ${dir}: pass --dir or set TILTH_CONFORMANCE or TILTH_SHARED`);
    return 2;
  }
  const unknown = positionals.filter((name) => FAMILIES[name] === undefined);
  if (unknown.length > 0) {
    console.error(`unknown family ${unknown.join(", ")}; there are ${Object.keys(FAMILIES).join(", ")}`);
    return 2;
  }
  const present = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const wanted = positionals.length > 0 ? positionals : Object.keys(FAMILIES);
  const results: FileResult[] = [];
  for (const name of wanted) {
    const folder = join(dir, name);
    if (!existsSync(folder)) {
      if (positionals.length > 0) {
        console.error(`${folder} is not there`);
        return 2;
      }
      continue;
    }
    const { family } = await FAMILIES[name]!();
    results.push(...(await family.run(folder)));
  }
  const others = present.map(({ name }) => name).filter((name) => FAMILIES[name] === undefined);
  if (values.json)
    console.log(
      JSON.stringify(results.map(({ notCoveredWhy, worst, ...row }) => ({ ...row, notCoveredWhy, worst }))),
    );
  else print(results, positionals.length > 0 ? [] : others);
  return results.some((row) => row.failed > 0) ? 1 : 0;
}

function print(results: readonly FileResult[], others: readonly string[]): void {
  const rows = [["file", "cases", "passed", "failed", "not covered", "worst error"]];
  for (const row of results) {
    const worst = row.worst === null ? "" : row.worst.toPrecision(2);
    rows.push([
      `${row.family}/${row.file}`,
      ...[row.cases, row.passed, row.failed, row.notCovered].map(String),
      worst,
    ]);
  }
  const widths = rows[0]!.map((_, k) => Math.max(...rows.map((row) => row[k]!.length)));
  for (const row of rows) {
    console.log(
      row.map((cell, k) => (k === 0 ? cell.padEnd(widths[k]!) : cell.padStart(widths[k]!))).join("  "),
    );
  }
  for (const row of results) {
    for (const { id, why } of row.failures.slice(0, 20))
      console.log(`FAILED ${row.family}/${row.file} ${id}: ${why}`);
    if (row.failures.length > 20) console.log(`... and ${row.failures.length - 20} more in ${row.file}`);
    for (const [why, count] of Object.entries(row.notCoveredWhy))
      console.log(`not covered ${row.family}/${row.file}: ${count} x ${why}`);
  }
  if (others.length > 0) console.log(`families without a runner: ${others.join(", ")}`);
  const passed = results.reduce((sum, row) => sum + row.passed, 0);
  const failed = results.reduce((sum, row) => sum + row.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
}
