// Peak memory of whole processes must stay under the budget of --memory plus 150 MB, whatever the size of the raster: one of
// 4.3 GB (65,536 x 65,536 uint8) is written, then given to commands on the command line. Prints what was measured; exits 1
// when a bound is broken. `node scripts/memory-check.mjs [NAME...]` runs those named only (and write, which they need).
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SIDE = 65_536;
const MIB = 2 ** 20;
/** What a process may use besides its budget, MB: code, buffers of the thread pool, garbage not collected yet. */
const BESIDES = 150;
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tilth-memory-"));
const at = (name) => join(folder, name);
const [big, roi] = [at("big.tif"), at("roi.geojson")];

/** Commands on the large raster: a name, the arguments without --memory, the budget in MB. Add a line for each new one. */
const CHECKS = [
  ["clip", ["clip", big, at("clipped.tif"), "--by", roi], 256],
  ["clip-small-budget", ["clip", big, at("small.tif"), "--by", roi], 64],
  ["clip-tiles", ["clip", big, at("tiles.tif"), "--by", roi, "--crop", "tiles"], 64],
  ["clip-coverage", ["clip", big, at("share.tif"), "--by", roi, "--pixels", "coverage:0.5"], 64],
];

try {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !CHECKS.some(([known]) => known === name));
  if (unknown.length > 0) throw new Error(`no check is called ${unknown.join(", ")}`);
  measure("write", ["--input-type=module", "-e", writer()], 256);
  writeFileSync(roi, region());
  const cli = join(root, "bin", "tilth.js");
  for (const [name, args, budget] of CHECKS) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    measure(name, [cli, ...args, "--memory", `${budget}MB`, "--json", "--progress", "none"], budget);
    const out = args[2];
    if (statSync(out, { throwIfNoEntry: false }) === undefined) continue;
    console.log(`  ${(statSync(out).size / MIB).toFixed(1)} MiB written`);
    rmSync(out);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A quadrangle over half of the raster. */
function region() {
  const [w, e] = [500_000 + 10 * 5_000, 500_000 + 10 * 60_000];
  const [s, n] = [2_000_000 - 10 * 60_000, 2_000_000 - 10 * 5_000];
  const ring = [
    [w, s],
    [e, s + 100_000],
    [e - 50_000, n],
    [w + 100_000, n - 70_000],
    [w, s],
  ];
  return JSON.stringify({
    type: "FeatureCollection",
    crs: { type: "name", properties: { name: "urn:ogc:def:crs:EPSG::32645" } },
    features: [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } }],
  });
}

function measure(name, args, budget) {
  const report = at(`${name}.rss`);
  const hook = at("rss.mjs");
  writeFileSync(
    hook,
    `import { writeFileSync } from "node:fs";
process.on("exit", () => writeFileSync(${JSON.stringify(report)}, String(process.resourceUsage().maxRSS * 1024)));`,
  );
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", hook, ...args], {
    encoding: "utf8",
    cwd: root,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (status !== 0) {
    console.error(stdout, stderr);
    throw new Error(`${name} failed with status ${status}`);
  }
  const peak = Number(readFileSync(report, "utf8"));
  const bound = budget * MIB + BESIDES * 1e6;
  console.log(
    `${name}: 4.3 GB of pixels, ${seconds} s, peak ${(peak / MIB).toFixed(0)} MiB ` +
      `(budget ${budget} MiB + ${BESIDES} MB = ${(bound / MIB).toFixed(0)} MiB)`,
  );
  if (!(peak < bound)) {
    process.exitCode = 1;
    console.error(`${name} used more memory than its bound`);
  }
}

/** Class fields of 512 x 512 pixels with a few odd tiles, so that the file stays small and is not all one value. */
function writer() {
  return `
import { writeRaster, makeBand, parseCrs } from "tilth";
const side = ${SIDE};
const noisy = Uint8Array.from({ length: 512 * 512 }, (_, i) => 1 + ((i * 7919) >>> 5) % 12);
const source = {
  url: "generated", grid: { width: side, height: side, transform: [10, 0, 500000, 0, -10, 2000000], crs: parseCrs("EPSG:32645") },
  bands: [makeBand({ type: "uint8", nodata: 0 })], tile: { width: 512, height: 512 }, hasMask: false, metadata: {},
  async read(window) {
    const data = new Uint8Array(window.width * window.height);
    const tile = (window.row >> 9) * 128 + (window.col >> 9);
    if (tile % 61 === 0 && window.width === 512 && window.height === 512) data.set(noisy);
    else data.fill(1 + (tile % 12));
    return { window, bands: [data], mask: null };
  },
  async close() {},
};
await writeRaster(${JSON.stringify(big)}, source, { classes: true });
`;
}
