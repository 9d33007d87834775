import type { Crs } from "../../model/crs.ts";
import type { FeatureTable, JsonValue, Value } from "../../model/features.ts";
import type { Affine } from "../../model/grid.ts";
import type { Rgba } from "../../model/raster.ts";
import { makeLines, makeMultiPolygons, makePoints, type Position } from "../features.ts";
import { toLonLat, toUtm, UTM_45N, WGS84 } from "../places.ts";
import { random } from "../random.ts";
import { addDays, type MemoryRaster, rasterOf } from "../rasters.ts";
import { CELL, LAND_COVER, landCoverAt, makeSite, RAIN, type Site } from "./land-cover.ts";
import { NDVI_NODATA, ndviImage, QUALITY_NODATA } from "./ndvi.ts";
import { type Outline, outlines } from "./outlines.ts";
import {
  AQUIFERS,
  FACILITIES,
  type Facility,
  makeAquifers,
  makeFacilities,
  makeSettlement,
  type Settlement,
} from "./settlement.ts";
import { makeTerrain, type Terrain } from "./terrain.ts";
import { makeReaches, makeUnits, type Reach, type Units } from "./units.ts";

/** The place that the sample is about. It does not exist. */
export const SAMPLE_AREA = { state: "Meadowland", district: "Tilthpur", block: "Uplands" } as const;

/** Upper left corner of the terrain in UTM zone 45N, metres. */
const LEFT = 412_020;
const TOP = 2_612_070;

/** Ten metres at the equator in degrees: the grid of the land-cover maps. */
const TEN_METRES = 10 / 111_319.490793;

export interface LandscapeOptions {
  /** Default 2. */
  readonly seed?: number;
  /** Cells of 30 m each way, a multiple of 12; default 540, which is 16.2 km. */
  readonly side?: number;
}

/** A made-up district whose layers agree with each other. Arrays are row-major, length = side * side. */
export interface Landscape {
  readonly seed: number;
  readonly side: number;
  /** Of the terrain's cells, UTM zone 45N. */
  readonly transform: Affine;
  readonly crs: Crs;
  readonly terrain: Terrain;
  readonly units: Units;
  readonly reaches: readonly Reach[];
  readonly site: Site;
  readonly settlement: Settlement;
  readonly facilities: readonly Facility[];
  /** Index in the list of aquifers of each cell. */
  readonly aquifers: Int32Array;
}

/** One file of the sample, not yet written. `path` is relative, with `/`. */
export type SampleFile =
  | {
      readonly kind: "raster";
      readonly path: string;
      readonly source: MemoryRaster;
      /** Values are classes: overviews take the most frequent. */
      readonly classes: boolean;
      readonly about: string;
    }
  | { readonly kind: "features"; readonly path: string; readonly table: FeatureTable; readonly about: string }
  | { readonly kind: "text"; readonly path: string; readonly text: string; readonly about: string };

/**
 * Make the landscape: about 3 s for the default size. The same options give the same bits everywhere, except
 * that coordinates in degrees come from the sine of the machine and are therefore rounded to a centimetre.
 */
export function makeLandscape(options: LandscapeOptions = {}): Landscape {
  const { seed = 2, side = 540 } = options;
  const terrain = makeTerrain(seed, side, 250);
  const settlement = makeSettlement(terrain, side, seed);
  const site = makeSite(terrain, side, settlement.villages, seed);
  return {
    seed,
    side,
    transform: [CELL, 0, LEFT, 0, -CELL, TOP],
    crs: UTM_45N,
    terrain,
    units: makeUnits(terrain, side, 5200),
    reaches: makeReaches(terrain, side),
    site,
    settlement,
    facilities: makeFacilities(settlement.villages, seed),
    aquifers: makeAquifers(terrain, side, seed, site.toStream[1]),
  };
}

/** Every file of the sample landscape, one after the other, so that only one large array is alive at a time. */
export function* sampleFiles(landscape: Landscape): Generator<SampleFile> {
  yield* terrainFiles(landscape);
  yield {
    kind: "features",
    path: "drainage_lines.fgb",
    table: drainageLines(landscape),
    about: "Streams between confluences, with Strahler order in ORDER (UTM zone 45N)",
  };
  yield {
    kind: "features",
    path: "mws.geojson",
    table: microWatersheds(landscape),
    about: "Micro-watersheds that tile the basin of the largest river, with uid",
  };
  yield* landCoverFiles(landscape);
  yield* ndviFiles(landscape);
  yield {
    kind: "features",
    path: "villages.shp",
    table: villages(landscape),
    about: "Village boundaries; some villages are split into several rows with the same vill_ID",
  };
  yield {
    kind: "features",
    path: "facilities.geojson",
    table: facilityPoints(landscape),
    about: "Schools, health centres, banks, markets",
  };
  yield {
    kind: "text",
    path: "village_facilities.csv",
    text: distanceTable(landscape),
    about: "Distance in km from the middle of each village to the nearest facility of each kind",
  };
  yield {
    kind: "features",
    path: "aquifers.gpkg",
    table: aquiferPolygons(landscape),
    about: "Principal aquifers with yield as text",
  };
  yield* configFiles();
}

function* terrainFiles({ terrain, side, transform, crs }: Landscape): Generator<SampleFile> {
  const common = { transform, crs, tileSize: 512 };
  yield {
    kind: "raster",
    path: "elevation.tif",
    source: rasterOf("float32", side, side, [terrain.elevation], {
      ...common,
      url: "elevation.tif",
      bands: [{ description: "elevation", unit: "m" }],
    }),
    classes: false,
    about: "Elevation in metres, 30 m cells; every cell drains",
  };
  yield {
    kind: "raster",
    path: "flow_accumulation.tif",
    source: rasterOf("uint32", side, side, [Uint32Array.from(terrain.area)], {
      ...common,
      url: "flow_accumulation.tif",
      bands: [{ description: "cells", unit: "cells" }],
    }),
    classes: false,
    about: "Cells of 30 m that drain through each cell, itself included (single flow direction)",
  };
  yield {
    kind: "raster",
    path: "stream_order.tif",
    source: rasterOf("uint8", side, side, [terrain.streamOrder], {
      ...common,
      url: "stream_order.tif",
      nodata: 0,
      bands: [{ description: "b1" }],
    }),
    classes: true,
    about: "Strahler order of stream cells, nodata 0 elsewhere",
  };
}

/** Streams as lines, in UTM. `to` is the `id` of the line downstream. */
export function drainageLines({ reaches, terrain, side }: Landscape): FeatureTable {
  void terrain;
  void side;
  return makeLines(
    reaches.map(({ path }) => path.map(world)),
    {
      crs: UTM_45N,
      columns: {
        id: reaches.map((_, k) => k + 1),
        ORDER: reaches.map(({ order }) => order),
        to: reaches.map(({ to }) => (to < 0 ? null : to + 1)),
        length_m: reaches.map(({ path }) => Math.round(10 * lengthOf(path.map(world))) / 10),
        name: reaches.map(({ order }) => (order >= 5 ? "Sila" : order === 4 ? "Sila branch" : null)),
      },
    },
  );
}

/** Unit polygons in degrees, with `uid`, `id`, `area_in_ha` (of the cells on the UTM plane) and the `uid` downstream. */
export function microWatersheds({ units, side, seed }: Landscape): FeatureTable {
  const shapes = outlines(units.labels, side, side);
  const numbers = random(seed + 900);
  let number = 234_100;
  const uids = Array.from(units.cells, () => {
    number += 1 + numbers.int(9);
    return `12_${number}`;
  });
  return makeMultiPolygons(
    uids.map((_, unit) => degrees(shapes.get(unit)!)),
    {
      crs: WGS84,
      columns: {
        uid: uids,
        id: uids.map((_, unit) => unit + 1),
        area_in_ha: Array.from(units.cells, (cells) => Math.round(cells * CELL * CELL) / 10_000),
        downstream: Array.from(units.downstream, (to) => (to < 0 ? null : uids[to]!)),
      },
    },
  );
}

function* landCoverFiles(landscape: Landscape): Generator<SampleFile> {
  const { transform, width, height } = degreeGrid(landscape.side);
  const colorTable: Rgba[] = Array.from({ length: 256 }, () => [0, 0, 0, 0]);
  for (const { value, color } of LAND_COVER) colorTable[value] = color;
  const cells = cellsOfDegrees(transform, width, height);
  for (const year of Object.keys(RAIN).map(Number)) {
    const classes = new Uint8Array(width * height);
    for (let i = 0; i < classes.length; i++) {
      const x = cells[2 * i]!;
      const y = cells[2 * i + 1]!;
      if (x < 0 || y < 0 || x >= landscape.side || y >= landscape.side) continue;
      classes[i] = landCoverAt(landscape.site, x, y, year);
    }
    const path = `landcover/LULC_${agriYear(year)}.tif`;
    yield {
      kind: "raster",
      path,
      source: rasterOf("uint8", width, height, [classes], {
        url: path,
        transform,
        crs: WGS84,
        nodata: 0,
        tileSize: 512,
        bands: [{ description: "predicted_label", colorTable, colorInterpretation: "palette" }],
      }),
      classes: true,
      about: `Land cover of the agricultural year from 1 July ${year}, 10 m, legend of version 3`,
    };
  }
}

function* ndviFiles({ site, side, seed }: Landscape): Generator<SampleFile> {
  const coarse = side / 3;
  const transform: Affine = [3 * CELL, 0, LEFT, 0, -3 * CELL, TOP];
  const common = { transform, crs: UTM_45N, tileSize: 256 };
  const dates: JsonValue[] = [];
  const shares = new Map<number, Float32Array>();
  for (let k = 0; k < 46; k++) {
    const date = addDays("2021-07-01", 16 * k);
    const year = Number(date.slice(0, 4)) - (date.slice(5) < "07-01" ? 1 : 0);
    let known = shares.get(year);
    if (known === undefined) {
      known = classShares(site, coarse, year);
      shares.set(year, known);
    }
    const day = (Date.parse(date) - Date.parse(`${year}-07-01`)) / 86_400_000;
    const { ndvi, quality } = ndviImage(seed + 700, date, year, day, known, coarse);
    const paths = { ndvi: `ndvi/NDVI_${date}.tif`, quality: `ndvi/QA_${date}.tif` };
    dates.push({ date, ndvi: `NDVI_${date}.tif`, quality: `QA_${date}.tif` });
    yield {
      kind: "raster",
      path: paths.ndvi,
      source: rasterOf("int16", coarse, coarse, [ndvi], {
        ...common,
        url: paths.ndvi,
        nodata: NDVI_NODATA,
        bands: [{ description: "NDVI", scale: 1e-4 }],
        metadata: { TIFFTAG_DATETIME: `${date.replaceAll("-", ":")} 05:15:00` },
      }),
      classes: false,
      about: `NDVI of ${date} in ten-thousandths, 90 m`,
    };
    yield {
      kind: "raster",
      path: paths.quality,
      source: rasterOf("uint8", coarse, coarse, [quality], {
        ...common,
        url: paths.quality,
        nodata: QUALITY_NODATA,
        bands: [{ description: "SummaryQA" }],
      }),
      classes: true,
      about: `Quality of ${date}: 0 good, 1 marginal, 3 cloudy`,
    };
  }
  yield {
    kind: "text",
    path: "ndvi/stack.json",
    text: json({ bands: ["ndvi", "quality"], scale: 1e-4, nodata: NDVI_NODATA, dates }),
    about: "Dates and files of the NDVI stack",
  };
}

/** Village rows in degrees. Column names fit a Shapefile. */
export function villages({ settlement, side }: Landscape): FeatureTable {
  const { villages: list, rows, villageOfRow } = settlement;
  const shapes = outlines(rows, side, side);
  const present = villageOfRow.map((_, row) => row).filter((row) => shapes.has(row));
  const cell = <T extends Value>(of: (village: (typeof list)[number]) => T): T[] =>
    present.map((row) => of(list[villageOfRow[row]!]!));
  return makeMultiPolygons(
    present.map((row) => degrees(shapes.get(row)!)),
    {
      crs: WGS84,
      columns: {
        state: cell(() => SAMPLE_AREA.state),
        district: cell(() => SAMPLE_AREA.district),
        tehsil: cell(() => SAMPLE_AREA.block),
        vill_ID: cell(({ code }) => code),
        vill_name: cell(({ name }) => name),
        TOT_P: cell(({ people }) => people),
        No_HH: cell(({ households }) => households),
      },
    },
  );
}

/** Facilities as points in degrees. */
export function facilityPoints({ facilities }: Landscape): FeatureTable {
  return makePoints(
    facilities.map(({ col, row }) => lonLat([2 * col, 2 * row])),
    {
      crs: WGS84,
      columns: {
        facility: facilities.map(({ kind }) => kind),
        name: facilities.map(({ name }) => name),
      },
    },
  );
}

/** One line a village: distances in km along great circles (radius 6371 km), three decimals. */
function distanceTable(landscape: Landscape): string {
  const { settlement, facilities } = landscape;
  const middles = villageMiddles(landscape);
  const lines = [
    ["censuscode2011", "core_admin_uid", "shrid2", ...FACILITIES.map(({ kind }) => `${kind}_distance`)].join(
      ",",
    ),
  ];
  for (const [k, { code }] of settlement.villages.entries()) {
    const middle = middles[k];
    if (middle === undefined) continue;
    const distances = FACILITIES.map(({ kind }) => {
      let best = Infinity;
      for (const one of facilities) {
        if (one.kind === kind) best = Math.min(best, greatCircle(middle, lonLat([2 * one.col, 2 * one.row])));
      }
      return best.toFixed(3);
    });
    lines.push(
      [code, `TU${String(k + 1).padStart(4, "0")}`, `11-99-099-00099-${code}`, ...distances].join(","),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** Mean position of the cells of each village; absent for a village without land. */
function villageMiddles({ settlement, side }: Landscape): (Position | undefined)[] {
  const { villages: list, rows, villageOfRow } = settlement;
  const sums = list.map(() => [0, 0, 0]);
  for (let cell = 0; cell < rows.length; cell++) {
    if (rows[cell]! < 0) continue;
    const sum = sums[villageOfRow[rows[cell]!]!]!;
    sum[0]! += (cell % side) + 0.5;
    sum[1]! += Math.floor(cell / side) + 0.5;
    sum[2]! += 1;
  }
  return sums.map(([x, y, n]) => (n === 0 ? undefined : lonLat([(2 * x!) / n!, (2 * y!) / n!])));
}

/** Aquifer polygons in degrees, one row a connected piece. */
export function aquiferPolygons({ aquifers, side }: Landscape): FeatureTable {
  const pieces = [...outlines(aquifers, side, side)]
    .sort(([a], [b]) => a - b)
    .flatMap(([kind, outline]) => outline.map((part) => ({ kind: AQUIFERS[kind]!, part })));
  const cell = (of: (kind: (typeof AQUIFERS)[number]) => string): string[] =>
    pieces.map(({ kind }) => of(kind));
  return makeMultiPolygons(
    pieces.map(({ part }) => degrees([part])),
    {
      crs: WGS84,
      columns: {
        Principal_: cell(({ Principal_ }) => Principal_),
        Major_Aqui: cell(({ Major_Aqui }) => Major_Aqui),
        Major_Aq_1: cell(({ Major_Aq_1 }) => Major_Aq_1),
        Age: cell(({ Age }) => Age),
        Lithology_: pieces.map(({ kind }) => AQUIFERS.indexOf(kind) + 1),
        Recommende: pieces.map(({ kind }) => 60 + 20 * AQUIFERS.indexOf(kind)),
        yeild__: cell(({ yeild__ }) => yeild__),
        zone_m: cell(({ zone_m }) => zone_m),
      },
    },
  );
}

function* configFiles(): Generator<SampleFile> {
  const area = { ...SAMPLE_AREA };
  yield {
    kind: "text",
    path: "drainage-lines.json",
    text: json({ area, lines: "drainage_lines.fgb", units: "mws.geojson" }),
    about: "Configuration of the pipeline of that name",
  };
  yield {
    kind: "text",
    path: "aquifer.json",
    text: json({ area, aquifers: "aquifers.gpkg", units: "mws.geojson" }),
    about: "Configuration of the pipeline of that name",
  };
  yield {
    kind: "text",
    path: "facilities-proximity.json",
    text: json({ area, villages: "villages.shp", facilities: "facilities.geojson" }),
    about: "Configuration of the pipeline of that name",
  };
  yield {
    kind: "text",
    path: "catchment-area.json",
    text: json({ area, dem: "elevation.tif", units: "mws.geojson" }),
    about: "Configuration of the pipeline of that name",
  };
  yield {
    kind: "text",
    path: "stream-order.json",
    text: json({ area, raster: "stream_order.tif", units: "mws.geojson" }),
    about: "Configuration of the pipeline of that name",
  };
  yield {
    kind: "text",
    path: "land-cover.json",
    text: json({
      area,
      rasters: Object.fromEntries(
        Object.keys(RAIN).map((year) => [year, `landcover/LULC_${agriYear(Number(year))}.tif`]),
      ),
      units: "mws.geojson",
      legend: "lulc-v3",
    }),
    about: "Configuration of the pipeline of that name",
  };
}

function agriYear(year: number): string {
  return `${year}-07-01_${year + 1}-06-30`;
}

function json(value: JsonValue): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Cells from the top-left corner to UTM metres. */
function world([col, row]: Position): Position {
  return [LEFT + CELL * col, TOP - CELL * row];
}

/** Half cells from the top-left corner to degrees, rounded to 1e-7 (a centimetre). */
function lonLat([x, y]: Position): Position {
  const [lon, lat] = toLonLat(LEFT + (CELL / 2) * x, TOP - (CELL / 2) * y);
  return [Math.round(lon * 1e7) / 1e7, Math.round(lat * 1e7) / 1e7];
}

/** Half cells to degrees; shells counter-clockwise as GeoJSON wants them (y turns over, so outlines fit as they are reversed). */
function degrees(outline: Outline): Position[][][] {
  return outline.map((rings) => rings.map((ring) => ring.map(lonLat).reverse()));
}

function lengthOf(path: readonly Position[]): number {
  let length = 0;
  for (let i = 1; i < path.length; i++) {
    const dx = path[i]![0] - path[i - 1]![0];
    const dy = path[i]![1] - path[i - 1]![1];
    length += Math.sqrt(dx * dx + dy * dy);
  }
  return length;
}

function greatCircle([lon1, lat1]: Position, [lon2, lat2]: Position): number {
  const radians = Math.PI / 180;
  const a = Math.sin(((lat2 - lat1) * radians) / 2);
  const b = Math.sin(((lon2 - lon1) * radians) / 2);
  const h = a * a + Math.cos(lat1 * radians) * Math.cos(lat2 * radians) * b * b;
  return 2 * 6371 * Math.asin(Math.sqrt(h));
}

/** Grid of 10 m in degrees around the terrain. */
function degreeGrid(side: number): { transform: Affine; width: number; height: number } {
  const edge = [
    [0, 0],
    [side, 0],
    [side, side],
    [0, side],
    [side / 2, 0],
    [side / 2, side],
  ].map(([col, row]) => toLonLat(LEFT + CELL * col!, TOP - CELL * row!));
  const west = Math.floor(Math.min(...edge.map(([lon]) => lon)) / TEN_METRES);
  const east = Math.ceil(Math.max(...edge.map(([lon]) => lon)) / TEN_METRES);
  const south = Math.floor(Math.min(...edge.map(([, lat]) => lat)) / TEN_METRES);
  const north = Math.ceil(Math.max(...edge.map(([, lat]) => lat)) / TEN_METRES);
  return {
    transform: [TEN_METRES, 0, west * TEN_METRES, 0, -TEN_METRES, north * TEN_METRES],
    width: east - west,
    height: north - south,
  };
}

/**
 * Column and row in the terrain of every pixel centre of a grid in degrees: exact at every 16th pixel, linear in
 * between, which is good to a millimetre. Length = 2 * width * height.
 */
function cellsOfDegrees(transform: Affine, width: number, height: number): Float32Array {
  const step = 16;
  const across = Math.ceil(width / step) + 1;
  const down = Math.ceil(height / step) + 1;
  const nodes = new Float64Array(2 * across * down);
  for (let j = 0; j < down; j++) {
    for (let i = 0; i < across; i++) {
      const lon = transform[2] + (i * step + 0.5) * transform[0];
      const lat = transform[5] + (j * step + 0.5) * transform[4];
      const [x, y] = toUtm(lon, lat);
      nodes[2 * (j * across + i)] = (x - LEFT) / CELL;
      nodes[2 * (j * across + i) + 1] = (TOP - y) / CELL;
    }
  }
  const cells = new Float32Array(2 * width * height);
  for (let row = 0, at = 0; row < height; row++) {
    const v = (row % step) / step;
    for (let col = 0; col < width; col++) {
      const u = (col % step) / step;
      const i = 2 * (Math.floor(row / step) * across + Math.floor(col / step));
      for (let k = 0; k < 2; k++) {
        const top = nodes[i + k]! * (1 - u) + nodes[i + 2 + k]! * u;
        const bottom = nodes[i + 2 * across + k]! * (1 - u) + nodes[i + 2 * across + 2 + k]! * u;
        cells[at++] = top * (1 - v) + bottom * v;
      }
    }
  }
  return cells;
}

/** Shares of the classes 0 to 12 in each pixel of 90 m, from nine places in it. Length = 13 * coarse * coarse. */
function classShares(site: Site, coarse: number, year: number): Float32Array {
  const shares = new Float32Array(13 * coarse * coarse);
  for (let row = 0, i = 0; row < coarse; row++) {
    for (let col = 0; col < coarse; col++, i++) {
      for (let k = 0; k < 9; k++) {
        const value = landCoverAt(site, 3 * col + 0.5 + (k % 3), 3 * row + 0.5 + Math.floor(k / 3), year);
        shares[13 * i + value]! += 1 / 9;
      }
    }
  }
  return shares;
}
