import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openGeoPackage } from "../../../src/io/geopackage/read.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import { type BatchOptions, concatTables, type FeatureTable, rowAt } from "../../../src/model/features.ts";
import type { GeometryColumn } from "../../../src/model/geometry.ts";
import { rowBounds } from "../../../src/model/geometry.ts";
import { describeShared, shared } from "../../helpers/shared.ts";

const folder = mkdtempSync(join(tmpdir(), "tilth-test-gpkg-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function read(path: string, options: BatchOptions & { layer?: string } = {}): Promise<FeatureTable> {
  const source = await openGeoPackage(path, { layer: options.layer });
  try {
    const batches: FeatureTable[] = [];
    for await (const batch of source.batches(options)) batches.push(batch);
    return concatTables(batches, source.schema);
  } finally {
    await source.close();
  }
}

const nasty = (name: string): string => shared("data", "nasty", "vector", "gpkg", name);

describeShared("openGeoPackage", () => {
  it("reads schema, ids, attributes and geometry of a file by GDAL", async () => {
    const source = await openGeoPackage(nasty("poly_golden.gpkg"));
    expect(source.schema).toMatchObject({
      name: "poly",
      count: 10,
      geometryTypes: [3],
      crs: { code: "EPSG:27700" },
      bounds: [478315.53125, 4762880.5, 481645.3125, 4765610.5],
      fields: [
        { name: "AREA", type: "float64" },
        { name: "EAS_ID", type: "int64" },
        { name: "PRFEDEA", type: "string", width: 16 },
      ],
    });
    await source.close();
    const table = await read(nasty("poly_golden.gpkg"));
    expect(table.ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(rowAt(table, 0)).toEqual({ AREA: 215229.266, EAS_ID: 168, PRFEDEA: "35043411" });
  });

  it("gives the features that ogrinfo lists within bounds, with and without the index", async () => {
    const bounds = [479700, 4764600, 480000, 4765000] as const;
    // ogrinfo -spat 479700 4764600 480000 4765000 lists these; all of their boxes meet the bounds.
    const table = await read(nasty("poly_golden.gpkg"), { bounds });
    const whole = await read(nasty("poly_golden.gpkg"));
    const boxes = rowBounds(whole.geometry as GeometryColumn);
    const expected = whole.ids!.filter(
      (_, i) =>
        boxes[4 * i]! <= 480000 &&
        boxes[4 * i + 2]! >= 479700 &&
        boxes[4 * i + 1]! <= 4765000 &&
        boxes[4 * i + 3]! >= 4764600,
    );
    expect(table.ids).toEqual(expected);
    expect(expected).toEqual(expect.arrayContaining([2, 3, 6, 7, 9, 10]));
    expect(
      (await read(nasty("poly_non_conformant.gpkg"), { bounds: [478316, 4762880, 481645, 4765610] })).count,
    ).toBe(1);
    expect((await read(nasty("poly_non_conformant.gpkg"), { bounds: [0, 0, 1, 1] })).count).toBe(0);
  });

  it("reads a table that declares nothing, and both kinds of envelope", async () => {
    expect(rowAt(await read(nasty("poly_non_conformant.gpkg")), 0)).toEqual({ fid: "1" });
    for (const name of ["2d_envelope.gpkg", "3d_envelope.gpkg"]) {
      const { geometry } = await read(nasty(name));
      expect([...geometry!.xy], name).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
      expect([...geometry!.z!], name).toEqual([0, 1, 2, 3]);
    }
  });

  it("does not believe a count that the file cannot hold", async () => {
    const source = await openGeoPackage(nasty("huge_feature_count.gpkg"));
    expect(source.layers).toEqual(["test", "test2"]);
    expect(source.schema.count).toBeNull();
    await source.close();
    expect((await read(nasty("huge_feature_count.gpkg"))).count).toBe(1);
    expect((await read(nasty("huge_feature_count.gpkg"), { layer: "test2" })).count).toBe(0);
  });

  it("reads in batches, chosen columns and a named layer, and refuses a layer that is not there", async () => {
    const source = await openGeoPackage(nasty("poly_golden.gpkg"));
    const sizes: number[] = [];
    const starts: number[] = [];
    for await (const batch of source.batches({ batchSize: 4, fields: ["EAS_ID"] })) {
      sizes.push(batch.count);
      starts.push(batch.firstRow);
      expect(batch.columns.map(({ name }) => name)).toEqual(["EAS_ID"]);
    }
    await source.close();
    expect([sizes, starts]).toEqual([
      [4, 4, 2],
      [0, 4, 8],
    ]);
    await expect(openGeoPackage(nasty("poly_golden.gpkg"), { layer: "none" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      hint: "It has: poly.",
    });
  });

  it("counts the features of every real file as GDAL does, and leaves no trace beside them", async () => {
    const hasGdal = has("ogrinfo");
    for (const path of geoPackages(shared("data"))) {
      if (path.endsWith("huge_feature_count.gpkg")) continue;
      const source = await openGeoPackage(path);
      let count = 0;
      for await (const batch of source.batches()) count += batch.count;
      expect(count, path).toBe(source.schema.count);
      if (hasGdal) {
        const text = execFileSync("ogrinfo", ["-ro", "-so", "-al", path], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "ignore"],
        });
        expect(count, path).toBe(Number(/Feature Count: (\d+)/.exec(text)![1]));
      }
      await source.close();
      const beside = readdirSync(join(path, "..")).filter((name) => name.startsWith(`${basename(path)}`));
      expect(beside).toEqual([basename(path)]);
    }
  });

  it("stops when told to, and can be left in the middle", async () => {
    const controller = new AbortController();
    const source = await openGeoPackage(nasty("poly_golden.gpkg"));
    const reading = async (): Promise<void> => {
      for await (const _ of source.batches({ batchSize: 1, signal: controller.signal })) controller.abort();
    };
    await expect(reading()).rejects.toMatchObject({ name: "AbortError" });
    for await (const batch of source.batches({ batchSize: 1 })) {
      expect(batch.count).toBe(1);
      break;
    }
    await source.close();
    await source.close();
  });

  it.each([
    ["an empty file", (): Uint8Array => new Uint8Array(0)],
    ["another format", (): Uint8Array => new TextEncoder().encode("a,b\n1,2\n".repeat(50))],
    ["half a file", (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.length / 2)],
    ["a header alone", (bytes: Uint8Array): Uint8Array => bytes.subarray(0, 100)],
    [
      "a database of another kind",
      (): Uint8Array => readFileSync(nasty("poly_golden.gpkg")).fill(0, 100, 4096),
    ],
  ])("refuses %s", async (_, make) => {
    const path = join(folder, "damaged.gpkg");
    writeFileSync(path, make(readFileSync(nasty("poly_golden.gpkg"))));
    const error = await read(path).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "INVALID_FORMAT", hint: expect.any(String) });
    expect((error as Error).message).toContain(path);
  });

  it("says that a file is not there", async () => {
    await expect(openGeoPackage(join(folder, "none.gpkg"))).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(openGeoPackage(folder)).rejects.toMatchObject({ code: "UNREADABLE" });
  });

  it("survives 2,000 damaged files", { timeout: 30_000 }, async () => {
    const original = readFileSync(nasty("huge_feature_count.gpkg"));
    const rich = readFileSync(nasty("2d_envelope.gpkg"));
    const next = random(99);
    const path = join(folder, "fuzz.gpkg");
    let refused = 0;
    for (let k = 0; k < 2000; k++) {
      const from = k % 8 === 0 ? rich : original;
      let bytes: Uint8Array = new Uint8Array(from);
      for (let c = next(6); c >= 0; c--) {
        // Damage to headers of pages does more than damage to empty space.
        const at = next(3) === 0 ? next(bytes.length) : next(bytes.length / 512) * 512 + next(40);
        bytes[at] = next(4) === 0 ? 255 : next(256);
      }
      if (next(12) === 0) bytes = bytes.subarray(0, next(bytes.length));
      writeFileSync(path, bytes);
      const started = performance.now();
      try {
        await read(path);
        await read(path, { bounds: [0, 0, 2, 2] });
      } catch (error) {
        refused++;
        if (!isGeoError(error)) throw error;
      }
      expect(performance.now() - started).toBeLessThan(5000);
    }
    expect(refused).toBeGreaterThan(200);
  });
});

describe("a database with changes that were not finished", () => {
  it.skipIf(!has("python3"))("is read with them, from a copy, without touching the files", async () => {
    const path = join(folder, "wal.gpkg");
    const source = nastyOrNull();
    if (source === null) return;
    copyFileSync(source, path);
    execFileSync("python3", [
      "-c",
      [
        "import sqlite3, shutil, os, sys",
        "p = sys.argv[1]",
        "os.chmod(p, 0o644)",
        "d = sqlite3.connect(p)",
        "d.execute('pragma journal_mode=wal')",
        "d.execute('drop trigger if exists rtree_poly_geom_delete')",
        "d.execute('delete from poly where fid > 8')",
        "d.commit()",
        "shutil.copy(p, p + '.2'); shutil.copy(p + '-wal', p + '.2-wal')",
      ].join("\n"),
      path,
    ]);
    const before = readFileSync(`${path}.2`);
    for (const driver of ["node-sqlite3-wasm", undefined] as const) {
      const opened = await openGeoPackage(`${path}.2`, { driver });
      let count = 0;
      for await (const batch of opened.batches()) count += batch.count;
      await opened.close();
      expect(count).toBe(8);
    }
    expect(readFileSync(`${path}.2`).equals(before)).toBe(true);
    expect(
      readdirSync(folder)
        .filter((name) => name.startsWith("wal.gpkg.2"))
        .sort(),
    ).toEqual(["wal.gpkg.2", "wal.gpkg.2-wal"]);
  });
});

function nastyOrNull(): string | null {
  const path = nasty("poly_golden.gpkg");
  try {
    readFileSync(path);
    return path;
  } catch {
    return null;
  }
}

function geoPackages(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".gpkg"))
    .map((name) => join(root, name));
}

function has(tool: string): boolean {
  try {
    execFileSync(tool, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Whole numbers below `n`, the same in every run. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}
