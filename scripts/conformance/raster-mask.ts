import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { clipRaster, isGeoError, memoryRaster, type SampleType, tableFromGeoJson } from "tilth";
import { type Family, type FileResult, Tally } from "./family.ts";

interface Expected {
  shape: [bands: number, rows: number, columns: number];
  transform: number[];
  window: [column: number, row: number, width: number, height: number] | null;
  data: number[][][];
}

interface MaskVector {
  id: string;
  grid: { width: number; height: number; x0: number; ytop: number; dx: number; dy: number };
  dtype: SampleType;
  nodata: number;
  bands: number[][][];
  geometry: object;
  expected: Record<"crop" | "full" | "crop_touched" | "invert", Expected | { error: string }>;
  centre_ties: number[][];
  touched_edge_only: number[][];
}

const OPTIONS = {
  crop: {},
  full: { crop: false },
  crop_touched: { pixels: "all-touched" },
  invert: { invert: true },
} as const;

/** Relative tolerance of transforms. Windows, shapes and samples are exact. */
const TOLERANCE = 1e-9;

/** Vectors of the family: a small raster cut by a polygon in four ways. A vector passes when all four agree. */
export const family: Family = {
  name: "raster-mask",
  async run(dir: string): Promise<FileResult[]> {
    const path = join(dir, "mask.jsonl");
    if (!existsSync(path)) return [];
    const tally = new Tally("raster-mask", "mask.jsonl");
    for (const line of readFileSync(path, "utf8").split("\n")) {
      if (line.trim() === "") continue;
      const vector = JSON.parse(line) as MaskVector;
      await tally.check(vector.id, async () => {
        for (const way of ["crop", "full", "crop_touched", "invert"] as const) {
          const why = await compare(vector, way, tally);
          if (why !== null) return `${way}: ${why}`;
        }
        return null;
      });
    }
    return [tally.result];
  },
};

async function compare(vector: MaskVector, way: keyof typeof OPTIONS, tally: Tally): Promise<string | null> {
  const expected = vector.expected[way];
  const { width, height, x0, ytop, dx, dy } = vector.grid;
  const { dtype: type, nodata } = vector;
  const source = memoryRaster(
    { width, height, transform: [dx, 0, x0, 0, -dy, ytop], crs: null },
    vector.bands.map(() => ({ type, nodata })),
    vector.bands.map((rows) => ARRAYS[type as keyof typeof ARRAYS].from(rows.flat())),
  );
  const region = tableFromGeoJson([{ type: "Feature", geometry: vector.geometry as never, properties: {} }], {
    crs: null,
  });
  let clipped: Awaited<ReturnType<typeof clipRaster>>;
  try {
    clipped = await clipRaster(source, region, OPTIONS[way]);
  } catch (error) {
    if (!isGeoError(error, "NO_OVERLAP")) throw error;
    return "error" in expected ? null : "NO_OVERLAP, expected pixels";
  }
  if ("error" in expected) return `pixels, expected an error: ${expected.error}`;

  const { grid } = clipped;
  const shape = [clipped.bands.length, grid.height, grid.width];
  if (shape.join() !== expected.shape.join()) return `shape ${shape}, expected ${expected.shape}`;
  for (const [k, value] of expected.transform.entries()) {
    const error = Math.abs(grid.transform[k]! - value) / Math.max(1, Math.abs(value));
    tally.error(error);
    if (!(error <= TOLERANCE)) return `transform ${grid.transform}, expected ${expected.transform}`;
  }
  const { col, row, width: w, height: h } = clipped.report.window;
  if (expected.window !== null && [col, row, w, h].join() !== expected.window.join())
    return `window ${[col, row, w, h]}, expected ${expected.window}`;
  const free = new Set(
    (way === "crop_touched" ? vector.touched_edge_only : vector.centre_ties).map(
      ([r, c]) => `${r! - row},${c! - col}`,
    ),
  );
  const block = await clipped.read({ col: 0, row: 0, width: grid.width, height: grid.height });
  for (const [b, rows] of expected.data.entries()) {
    for (const [r, values] of rows.entries()) {
      for (const [c, value] of values.entries()) {
        const found = Number(block.bands[b]![r * grid.width + c]!);
        if (!Object.is(found, value) && found !== value && !free.has(`${r},${c}`))
          return `band ${b + 1}, row ${r}, column ${c} is ${found}, expected ${value}`;
      }
    }
  }
  return null;
}

const ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;
