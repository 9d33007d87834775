import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeFeatures, writeRaster } from "../../src/io/open.ts";
import { type FeatureTable, valueAt } from "../../src/model/features.ts";
import {
  drainageLines,
  type Landscape,
  makeLandscape,
  microWatersheds,
  type SampleFile,
  sampleFiles,
  villages,
} from "../../src/testing/landscape/landscape.ts";
import { OUTSIDE } from "../../src/testing/landscape/outlines.ts";

function digest(...arrays: ArrayBufferView[]): string {
  const hash = createHash("sha256");
  for (const array of arrays) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return hash.digest("hex").slice(0, 16);
}

function cells(table: FeatureTable, name: string): unknown[] {
  const column = table.columns.find((one) => one.name === name)!;
  return Array.from({ length: table.count }, (_, i) => valueAt(column, i));
}

describe("the sample landscape", () => {
  let land: Landscape;
  let files: Map<string, SampleFile>;

  beforeAll(() => {
    land = makeLandscape();
    files = new Map([...sampleFiles(land)].map((file) => [file.path, file]));
  });

  async function samples(path: string): Promise<ArrayLike<number>> {
    const file = files.get(path);
    if (file?.kind !== "raster") throw new Error(`no raster ${path}`);
    const { width, height } = file.source.grid;
    return (await file.source.read({ col: 0, row: 0, width, height })).bands[0] as Uint8Array;
  }

  it("drains downhill from every cell", () => {
    const { elevation, flow } = land.terrain;
    let outlets = 0;
    for (let cell = 0; cell < elevation.length; cell++) {
      const to = flow.receiver[cell]!;
      if (to < 0) {
        outlets++;
        const col = cell % land.side;
        const row = Math.floor(cell / land.side);
        expect(Math.min(col, row, land.side - 1 - col, land.side - 1 - row)).toBe(0);
      } else if (!(elevation[to]! < elevation[cell]!)) throw new Error(`cell ${cell} flows uphill`);
    }
    expect(outlets).toBeGreaterThan(4);
  });

  it("orders streams as Strahler did: the highest above, or one more where two of it meet", () => {
    const { streamOrder, flow } = land.terrain;
    const above: number[][] = Array.from({ length: streamOrder.length }, () => []);
    for (const [cell, order] of streamOrder.entries()) {
      const to = flow.receiver[cell]!;
      if (order > 0 && to >= 0) above[to]!.push(order);
    }
    let streams = 0;
    for (const [cell, order] of streamOrder.entries()) {
      if (order === 0) continue;
      streams++;
      const highest = Math.max(0, ...above[cell]!);
      const twice = above[cell]!.filter((one) => one === highest).length > 1;
      if (order !== (highest === 0 ? 1 : highest + Number(twice)))
        throw new Error(`order ${order} at cell ${cell}`);
    }
    expect(streams).toBeGreaterThan(5000);
    expect(streamOrder.reduce((a, b) => Math.max(a, b))).toBeGreaterThanOrEqual(5);
  });

  it("draws each reach over cells of its order, ending where the next begins", () => {
    const { reaches, side, terrain } = land;
    for (const { order, path, to } of reaches) {
      expect(path.length).toBeGreaterThanOrEqual(2);
      for (const [x, y] of path.slice(0, -1)) {
        expect(terrain.streamOrder[Math.floor(y) * side + Math.floor(x)]).toBe(order);
      }
      if (to >= 0) {
        expect(path.at(-1)).toEqual(reaches[to]!.path[0]);
        expect(reaches[to]!.order).toBeGreaterThanOrEqual(order);
      }
    }
    const table = drainageLines(land);
    expect(table.count).toBe(reaches.length);
    expect(cells(table, "ORDER")).toEqual(reaches.map(({ order }) => order));
  });

  it("cuts the basin into units that water leaves at one place only", () => {
    const { labels, downstream, cells: sizes } = land.units;
    const { basin, flow } = land.terrain;
    expect(sizes.length).toBeGreaterThanOrEqual(40);
    expect(sizes.length).toBeLessThanOrEqual(60);
    const exits = new Array<number>(sizes.length).fill(0);
    for (const [cell, unit] of labels.entries()) {
      if ((unit === OUTSIDE) !== (basin[cell] === 0)) throw new Error(`cell ${cell} has unit ${unit}`);
      if (unit === OUTSIDE) continue;
      const to = flow.receiver[cell]!;
      const next = to < 0 ? -1 : labels[to]!;
      if (next === unit) continue;
      exits[unit]!++;
      expect(next).toBe(downstream[unit]);
    }
    expect(exits.every((count) => count === 1)).toBe(true);
    expect(downstream.filter((to) => to < 0)).toHaveLength(1);
  });

  it("names units like micro-watersheds, each once", () => {
    const uids = cells(microWatersheds(land), "uid") as string[];
    expect(new Set(uids).size).toBe(uids.length);
    for (const uid of uids) expect(uid).toMatch(/^12_\d{6}$/);
  });

  it("uses the land as terrain, water and rain suggest", async () => {
    const years = await Promise.all(
      [2021, 2022, 2023].map((year) => samples(`landcover/LULC_${year}-07-01_${year + 1}-06-30.tif`)),
    );
    const counts = years.map((classes) => {
      const count = new Array<number>(14).fill(0);
      for (let i = 0; i < classes.length; i++) count[classes[i]!]!++;
      return count;
    });
    for (const count of counts) {
      expect([count[5], count[13]]).toEqual([0, 0]);
      for (const value of [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]) expect(count[value]).toBeGreaterThan(500);
    }
    const [wet, dry, usual] = counts as [number[], number[], number[]];
    // Second crops and ponds shrink in the dry year and recover; villages only grow, woods only shrink.
    expect(dry[10]! + dry[11]!).toBeLessThan(0.7 * (wet[10]! + wet[11]!));
    expect(usual[10]! + usual[11]!).toBeGreaterThan(1.3 * (dry[10]! + dry[11]!));
    expect(dry[2]! + dry[3]! + dry[4]!).toBeLessThan(wet[2]! + wet[3]! + wet[4]!);
    expect(wet[1]).toBeLessThan(dry[1]!);
    expect(dry[1]).toBeLessThan(usual[1]!);
    expect(usual[6]).toBeLessThan(wet[6]!);
    let changed = 0;
    for (let i = 0; i < years[0]!.length; i++) if (years[0]![i] !== years[1]![i]) changed++;
    expect(changed / years[0]!.length).toBeGreaterThan(0.01);
    expect(changed / years[0]!.length).toBeLessThan(0.25);
  });

  it("sees green through the clouds of two years", async () => {
    const dates = [...files.keys()].filter((path) => path.startsWith("ndvi/NDVI_"));
    expect(dates).toHaveLength(46);
    expect([dates[0], dates[45]]).toEqual(["ndvi/NDVI_2021-07-01.tif", "ndvi/NDVI_2023-06-21.tif"]);
    const cloudy: number[] = [];
    let missing = 0;
    for (const path of dates) {
      const ndvi = await samples(path);
      const quality = await samples(path.replace("NDVI_", "QA_"));
      let clouds = 0;
      for (let i = 0; i < ndvi.length; i++) {
        if ((ndvi[i] === -3000) !== (quality[i] === 255)) throw new Error(`quality ${quality[i]}`);
        if (ndvi[i] === -3000) missing++;
        else if (ndvi[i]! < -2000 || ndvi[i]! > 10_000) throw new Error(`NDVI ${ndvi[i]}`);
        if (quality[i] === 3) clouds++;
      }
      cloudy.push(clouds / ndvi.length);
    }
    const mean = (list: number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
    const of = (months: readonly string[]): number =>
      mean(cloudy.filter((_, k) => months.includes(dates[k]!.slice(15, 17))));
    expect(of(["07", "08"])).toBeGreaterThan(0.4);
    expect(of(["11", "12", "01"])).toBeLessThan(0.2);
    expect(missing).toBeGreaterThan(0);
    // After the rains, woods are greener than water.
    const october = await samples("ndvi/NDVI_2021-10-05.tif");
    const good = await samples("ndvi/QA_2021-10-05.tif");
    const { site } = land;
    const lakes: number[] = [];
    const hills: number[] = [];
    for (let i = 0; i < october.length; i++) {
      if (good[i] !== 0) continue;
      const cell = (3 * Math.floor(i / 180) + 1) * land.side + 3 * (i % 180) + 1;
      if (site.pond[cell]! > 0.8) lakes.push(october[i]!);
      else if (site.slope[cell]! > 0.25 && site.height[cell]! > 60) hills.push(october[i]!);
    }
    expect(lakes.length * hills.length).toBeGreaterThan(0);
    expect(mean(hills)).toBeGreaterThan(mean(lakes) + 3000);
  });

  it("splits some villages into rows with one id", () => {
    const codes = cells(villages(land), "vill_ID");
    const distinct = new Set(codes).size;
    expect(distinct).toBeGreaterThan(30);
    expect(codes.length - distinct).toBeGreaterThanOrEqual(6);
  });

  it("measures distances to facilities for every village", () => {
    const file = files.get("village_facilities.csv");
    const [header, ...rows] = (file?.kind === "text" ? file.text : "").trim().split("\n");
    expect(header!.split(",").filter((name) => name.endsWith("_distance"))).toHaveLength(9);
    expect(rows).toHaveLength(land.settlement.villages.length);
    for (const row of rows) {
      for (const cell of row.split(",").slice(3)) {
        expect(cell).toMatch(/^\d+\.\d{3}$/);
        expect(Number(cell)).toBeLessThan(16.2 * Math.SQRT2);
      }
    }
  });

  describe("written", () => {
    const folder = mkdtempSync(join(tmpdir(), "tilth-sample-"));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("stays under 8 MB", async () => {
      let bytes = 0;
      for (const file of files.values()) {
        const path = join(folder, file.path);
        await mkdir(dirname(path), { recursive: true });
        if (file.kind === "raster")
          bytes += (await writeRaster(path, file.source, { classes: file.classes })).bytes;
        else if (file.kind === "features") {
          for (const part of (await writeFeatures(path, file.table)).files) bytes += statSync(part).size;
        } else {
          writeFileSync(path, file.text);
          bytes += file.text.length;
        }
      }
      expect(bytes).toBeGreaterThan(2e6);
      expect(bytes).toBeLessThan(8e6);
    });
  });
});

describe("makeLandscape", () => {
  it("gives the same bits in every run, on every machine and version of Node", () => {
    const { terrain, units, settlement, aquifers } = makeLandscape({ seed: 2, side: 180 });
    // The numbers that this generator has made since it was written.
    expect(digest(terrain.elevation)).toBe("81af36edab968930");
    expect(digest(terrain.flow.receiver, terrain.streamOrder, units.labels)).toBe("25f5cd719f039150");
    expect(digest(settlement.rows, aquifers)).toBe("138f435ac1d718ea");
  });

  it("makes another place from another seed", () => {
    const one = makeLandscape({ seed: 1, side: 120 });
    const other = makeLandscape({ seed: 3, side: 120 });
    expect(digest(one.terrain.elevation)).not.toBe(digest(other.terrain.elevation));
  });
});
