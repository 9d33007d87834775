// A 4.3 GB raster (65,536 x 65,536 uint8) is written and clipped by the command line; the peak memory of each process
// must stay under its bound. Prints what was measured; exits 1 when a bound is broken.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SIDE = 65_536;
const BOUND = 512 * 2 ** 20;
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tilth-memory-"));
const big = join(folder, "big.tif");
const roi = join(folder, "roi.geojson");
const out = join(folder, "clipped.tif");

try {
  measure("write", ["--input-type=module", "-e", writer()], BOUND);
  const [w, e, s, n] = [
    500_000 + 10 * 5_000,
    500_000 + 10 * 60_000,
    2_000_000 - 10 * 60_000,
    2_000_000 - 10 * 5_000,
  ];
  const ring = [
    [w, s],
    [e, s + 100_000],
    [e - 50_000, n],
    [w + 100_000, n - 70_000],
    [w, s],
  ];
  writeFileSync(
    roi,
    JSON.stringify({
      type: "FeatureCollection",
      crs: { type: "name", properties: { name: "urn:ogc:def:crs:EPSG::32645" } },
      features: [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } }],
    }),
  );
  const cli = join(root, "bin", "tilth.js");
  measure("clip", [cli, "clip", big, out, "--by", roi, "--memory", "256MB", "--json"], BOUND);
  console.log(`clipped file: ${(statSync(out).size / 2 ** 20).toFixed(1)} MiB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function measure(name, args, bound) {
  const report = join(folder, `${name}.rss`);
  const hook = join(folder, "rss.mjs");
  writeFileSync(
    hook,
    `import { writeFileSync } from "node:fs";
process.on("exit", () => writeFileSync(${JSON.stringify(report)}, String(process.resourceUsage().maxRSS * 1024)));`,
  );
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["--import", hook, ...args], {
    encoding: "utf8",
    cwd: root,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (status !== 0) {
    console.error(stderr);
    throw new Error(`${name} failed with status ${status}`);
  }
  const rss = Number(readFileSync(report, "utf8"));
  const text = `${name}: 4.3 GB of pixels, ${seconds} s, peak ${(rss / 2 ** 20).toFixed(0)} MiB (bound ${bound / 2 ** 20})`;
  console.log(text);
  if (!(rss < bound)) {
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
await writeRaster(${JSON.stringify(join(folder, "big.tif"))}, source, { classes: true });
`;
}
