import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { writeRaster } from "../../src/io/open.ts";
import type { Affine } from "../../src/model/grid.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { callJson, scratchFolder } from "../cli/call.ts";

// The same pixels in files of different tiles, cut by 1, 2 and 4 workers within little and much memory, give one file.

const folder = scratchFolder("threads-raster");
const at = (name: string): string => join(folder, name);
const WIDTH = 700;
const HEIGHT = 610;

/** Files that hold the same pixels in tiles of three sizes. */
async function inputs(type: "uint8" | "float32"): Promise<string[]> {
  const grid = { width: WIDTH, height: HEIGHT, transform: [1, 0, 0, 0, -1, HEIGHT] as Affine, crs: null };
  const values = Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
    const x = i % WIDTH;
    const y = Math.floor(i / WIDTH);
    return (x * x + 3 * y * y + ((x * 7919 + y * 104_729) % 13)) % 97;
  });
  const data = type === "uint8" ? Uint8Array.from(values) : Float32Array.from(values, (v) => v / 7);
  const source = memoryRaster(grid, [{ type, nodata: 0 }], [data]);
  const paths = [64, 256, 512].map((side) => at(`${type}-${side}.tif`));
  for (const [k, side] of [64, 256, 512].entries())
    await writeRaster(paths[k]!, source, { blocksize: side, overwrite: true });
  return paths;
}

const REGION = at("region.geojson");
const ring = [
  [30.3, 20.1],
  [650.7, 90.9],
  [610.2, 580.4],
  [300.5, 333.3],
  [90.6, 571.8],
  [30.3, 20.1],
];
writeFileSync(
  REGION,
  JSON.stringify({
    type: "FeatureCollection",
    features: [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } }],
  }),
);

it.each<[string, "uint8" | "float32", string[]]>([
  ["classes", "uint8", []],
  ["fractions, averaged overviews", "float32", []],
  ["every pixel that is touched, LZW", "uint8", ["--pixels", "all-touched", "--compress", "lzw"]],
  ["by coverage, inverted", "uint8", ["--pixels", "coverage:0.4", "--invert"]],
])("one file for any workers, memory and tiles: %s", async (_, type, options) => {
  const hashes = new Map<string, string>();
  for (const input of await inputs(type)) {
    for (const [workers, memory] of [
      ["1", "16MB"],
      ["2", "512MB"],
      ["4", "64MB"],
    ] as const) {
      const limits = ["--workers", workers, "--memory", memory, "--overwrite"];
      const { json } = await callJson(["clip", input, at("out.tif"), "--by", REGION, ...options, ...limits]);
      expect(json.error).toBeUndefined();
      hashes.set(`${input} ${workers}`, json.outputs![0]!.sha256);
    }
  }
  expect(new Set(hashes.values()).size, [...hashes].join("\n")).toBe(1);
});

it("one file for any workers and memory when tiles are copied", async () => {
  const [input] = await inputs("uint8");
  const hashes = new Set<string>();
  for (const [workers, memory] of [
    ["1", "16MB"],
    ["2", "512MB"],
    ["4", "64MB"],
  ] as const) {
    const limits = ["--workers", workers, "--memory", memory, "--overwrite"];
    const { json } = await callJson([
      "clip",
      input!,
      at("out.tif"),
      "--by",
      REGION,
      "--crop",
      "tiles",
      ...limits,
    ]);
    expect(json.summary.tilesCopied).toBeGreaterThan(20);
    hashes.add(json.outputs![0]!.sha256);
  }
  expect(hashes.size).toBe(1);
});
