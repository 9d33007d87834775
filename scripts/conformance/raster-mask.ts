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

/**
 * Relative tolerance of transforms. Windows, shapes and samples are exact, except that a window may be one cell larger
 * where the polygon's bounds fall on a cell edge up to rounding.
 */
const TOLERANCE = 1e-9;
/** Cells. */
const ROUNDING = 1e-6;

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
  const { col, row, width: w, height: h } = clipped.report.window;
  const [wantedCol, wantedRow, wantedWidth, wantedHeight] = expected.window ?? [0, 0, width, height];
  const right = wantedCol + wantedWidth - (col + w);
  const lower = wantedRow + wantedHeight - (row + h);
  const [minCol, minRow, maxCol, maxRow] = boundsInCells(vector);
  const windowsAgree =
    sideAgrees(col - wantedCol, minCol, col) &&
    sideAgrees(row - wantedRow, minRow, row) &&
    sideAgrees(right, maxCol, col + w) &&
    sideAgrees(lower, maxRow, row + h);
  if (!windowsAgree) return `window ${[col, row, w, h]}, expected ${expected.window}`;
  const shape = [
    clipped.bands.length,
    grid.height + row - wantedRow + lower,
    grid.width + col - wantedCol + right,
  ];
  if (shape.join() !== expected.shape.join()) return `shape ${shape}, expected ${expected.shape}`;
  const moved = [0, 0, (col - wantedCol) * dx, 0, 0, (wantedRow - row) * dy];
  for (const [k, value] of expected.transform.entries()) {
    const error = Math.abs(grid.transform[k]! - value - moved[k]!) / Math.max(1, Math.abs(value));
    tally.error(error);
    if (!(error <= TOLERANCE)) return `transform ${grid.transform}, expected ${expected.transform}`;
  }
  const free = new Set(
    (way === "crop_touched" ? vector.touched_edge_only : vector.centre_ties).map(
      ([r, c]) => `${r! - wantedRow},${c! - wantedCol}`,
    ),
  );
  const block = await clipped.read({ col: 0, row: 0, width: grid.width, height: grid.height });
  for (const [b, rows] of expected.data.entries()) {
    for (const [r, values] of rows.entries()) {
      for (const [c, value] of values.entries()) {
        const [atCol, atRow] = [c + wantedCol - col, r + wantedRow - row];
        const inside = atCol >= 0 && atCol < grid.width && atRow >= 0 && atRow < grid.height;
        const found = inside ? Number(block.bands[b]![atRow * grid.width + atCol]!) : nodata;
        if (!Object.is(found, value) && found !== value && !free.has(`${r},${c}`))
          return `band ${b + 1}, row ${r}, column ${c} is ${found}, expected ${value}`;
      }
    }
  }
  return null;
}

/** Whether a side of the window is where it should be, `larger` cells further out in the vector. */
function sideAgrees(larger: number, bound: number, side: number): boolean {
  return larger === 0 || (larger === 1 && Math.abs(bound - side) <= ROUNDING);
}

/** Bounds of the polygon in columns and rows. */
function boundsInCells({ geometry, grid }: MaskVector): readonly [number, number, number, number] {
  const numbers = (geometry as { coordinates: unknown[] }).coordinates.flat(Infinity) as number[];
  const cols = numbers.filter((_, k) => k % 2 === 0).map((x) => (x - grid.x0) / grid.dx);
  const rows = numbers.filter((_, k) => k % 2 === 1).map((y) => (grid.ytop - y) / grid.dy);
  return [Math.min(...cols), Math.min(...rows), Math.max(...cols), Math.max(...rows)];
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
