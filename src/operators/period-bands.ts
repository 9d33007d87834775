import { GeoError } from "../model/errors.ts";
import type { RasterBlock, RasterSource, SampleArray } from "../model/raster.ts";
import type { PeriodComposite } from "./composite.ts";

/**
 * Composites of several periods as one raster, a band each (or several, period after period), described by the
 * period's name.
 */
export function periodBands(composites: readonly PeriodComposite[]): RasterSource {
  const [first] = composites;
  if (first === undefined) {
    throw new GeoError("INVALID_INPUT", "no periods", { path: "period", expected: "one period or more" });
  }
  if (composites.length === 1) return first.source;
  const perPeriod = first.source.bands.length;
  const bands = composites.flatMap(({ period, source }) =>
    source.bands.map((band) => ({
      ...band,
      description: perPeriod === 1 ? period.name : `${period.name} ${band.description}`,
    })),
  );
  // A mask is shared by all bands: a pixel without a value in one period would hide the others.
  if (first.source.hasMask) {
    throw new GeoError(
      "INVALID_INPUT",
      "several periods in one raster need a nodata value, and the bands have none",
      { path: "nodata", expected: "a value that no sample has" },
      { hint: "Pass a nodata value, or write one raster per period." },
    );
  }
  return {
    url: first.source.url,
    grid: first.source.grid,
    bands,
    tile: first.source.tile,
    hasMask: false,
    metadata: {},
    async read(window, read = {}): Promise<RasterBlock> {
      const numbers = read.bands ?? bands.map((_, k) => k);
      const out = new Array<SampleArray>(numbers.length);
      for (let p = 0; p < composites.length; p++) {
        const wanted = numbers.flatMap((k, i) =>
          Math.floor(k / perPeriod) === p ? [{ i, k: k % perPeriod }] : [],
        );
        if (wanted.length === 0) continue;
        const block = await composites[p]!.source.read(window, { ...read, bands: wanted.map(({ k }) => k) });
        for (const [at, { i }] of wanted.entries()) out[i] = block.bands[at]!;
      }
      return { window, bands: out, mask: null };
    },
    close: () => Promise.resolve(),
  };
}
