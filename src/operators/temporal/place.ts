import { type Grid, gridsAlign, intersectWindows, invertAffine, type Window } from "../../model/grid.ts";
import { isComplex, type RasterBlock, type RasterSource, sampleArray } from "../../model/raster.ts";

/** Whether two grids are the same cells. */
export function sameCells(left: Grid, right: Grid): boolean {
  const shift = left.width === right.width && left.height === right.height ? shiftOf(left, right) : null;
  return shift !== null && shift.col === 0 && shift.row === 0;
}

/** Where pixel (0, 0) of `right` lies in `left`, when they share cell edges; else `null`. */
export function shiftOf(left: Grid, right: Grid): { col: number; row: number } | null {
  if (!gridsAlign(left, right)) return null;
  const [ia, ib, ic, id, ie, jf] = invertAffine(left.transform);
  const [, , x, , , y] = right.transform;
  return { col: Math.round(ia * x + ib * y + ic), row: Math.round(id * x + ie * y + jf) };
}

/** A raster on a grid that shares cell edges with its own; what it does not cover is masked. */
export function placedRaster(
  source: RasterSource,
  grid: Grid,
  shift: { col: number; row: number },
): RasterSource {
  const { width, height } = source.grid;
  return {
    ...source,
    url: source.url,
    grid,
    tile: source.tile,
    bands: source.bands,
    metadata: source.metadata,
    hasMask: true,
    origin: undefined,
    async read(window, options = {}): Promise<RasterBlock> {
      const wanted: Window = { ...window, col: window.col - shift.col, row: window.row - shift.row };
      const part = intersectWindows(wanted, { col: 0, row: 0, width, height });
      const numbers = options.bands ?? source.bands.map((_, k) => k);
      const pixels = window.width * window.height;
      const bands = numbers.map((k) => sampleArray(source.bands[k]!.type, pixels));
      const mask = new Uint8Array(pixels);
      if (part === null) return { window, bands, mask };
      const block = await source.read(part, options);
      for (let row = 0; row < part.height; row++) {
        const from = row * part.width;
        const to = (row + part.row - wanted.row) * window.width + part.col - wanted.col;
        for (const [i, samples] of block.bands.entries()) {
          const step = isComplex(source.bands[numbers[i]!]!.type) ? 2 : 1;
          bands[i]!.set(samples.subarray(step * from, step * (from + part.width)) as never, step * to);
        }
        if (block.mask === null) mask.fill(255, to, to + part.width);
        else mask.set(block.mask.subarray(from, from + part.width), to);
      }
      return { window, bands, mask };
    },
    close: () => source.close(),
  };
}
