import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { openBytes } from "../../../src/io/bytes/open.ts";
import { type CogReport, validateCog } from "../../../src/io/geotiff/validate-cog.ts";
import { type CogOptions, writeGeoTiff } from "../../../src/io/geotiff/write.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import { describeShared, shared } from "../../helpers/shared.ts";
import { pixels, randoms, scratch, terrain } from "./write-helpers.ts";

const at = scratch();

/** A file of 700 x 600 pixels in tiles of 128 with 3 overviews and a mask, and where its parts lie. */
async function sample(options: CogOptions = {}): Promise<Buffer> {
  const [width, height] = [700, 600];
  const mask = new Uint8Array(width * height).map((_, i) => (i % 7 === 0 ? 0 : 255));
  const source = pixels([terrain("uint8", width, height, 1)], { type: "uint8", width, height, mask });
  await writeGeoTiff(at("sample.tif"), source, { blocksize: 128, overwrite: true, ...options });
  return readFileSync(at("sample.tif"));
}

interface RawIfd {
  readonly at: number;
  readonly nextAt: number;
  /** Position of each entry's 12 bytes, by tag. */
  readonly entries: ReadonlyMap<number, number>;
}

/** Directories of a classic little-endian TIFF, so that a test can break them. */
function ifdsOf(file: Buffer): RawIfd[] {
  const ifds: RawIfd[] = [];
  for (let ifdAt = file.readUInt32LE(4); ifdAt !== 0; ) {
    const count = file.readUInt16LE(ifdAt);
    const entries = new Map<number, number>();
    for (let i = 0; i < count; i++) entries.set(file.readUInt16LE(ifdAt + 2 + 12 * i), ifdAt + 2 + 12 * i);
    const nextAt = ifdAt + 2 + 12 * count;
    ifds.push({ at: ifdAt, nextAt, entries });
    ifdAt = file.readUInt32LE(nextAt);
  }
  return ifds;
}

/** Position of value `i` of a LONG tag. */
function valueAt(file: Buffer, ifd: RawIfd, tag: number, i: number): number {
  const entry = ifd.entries.get(tag)!;
  return file.readUInt32LE(entry + 4) === 1 ? entry + 8 : file.readUInt32LE(entry + 8) + 4 * i;
}

function offsetOf(file: Buffer, ifd: RawIfd, tile: number): number {
  return file.readUInt32LE(valueAt(file, ifd, 324, tile));
}

const check = (file: Buffer): Promise<CogReport> => validateCog(memoryBytes(file, "broken.tif"));
const codes = (report: CogReport): string[] => [...new Set(report.problems.map(({ code }) => code))];

describe("validateCog", () => {
  it("finds nothing in a sound file, and says what it looked at", async () => {
    const report = await check(await sample());
    const tiles = 6 * 5 + 3 * 3 + 2 * 2 + 1;
    expect(report).toEqual({
      valid: true,
      strict: true,
      problems: [],
      width: 700,
      height: 600,
      bigTiff: false,
      blockSize: [128, 128],
      overviews: [
        [350, 300],
        [175, 150],
        [88, 75],
      ],
      hasMask: true,
      ghost: {
        LAYOUT: "IFDS_BEFORE_DATA",
        BLOCK_ORDER: "ROW_MAJOR",
        BLOCK_LEADER: "SIZE_AS_UINT4",
        BLOCK_TRAILER: "LAST_4_BYTES_REPEATED",
        KNOWN_INCOMPATIBLE_EDITION: "NO",
        MASK_INTERLEAVED_WITH_IMAGERY: "YES",
      },
      tiles: 2 * tiles,
      sparseTiles: 0,
      checkedTiles: 2 * tiles,
    });
  });

  it("looks at a few tiles per resolution when asked to", async () => {
    const report = await validateCog(memoryBytes(await sample()), { tiles: 4 });
    expect(report.checkedTiles).toBeLessThan(40);
    expect(report.strict).toBe(true);
  });

  it("warns of a large image without overviews", async () => {
    const report = await check(await sample({ overviews: "none" }));
    expect(report).toMatchObject({
      valid: true,
      strict: false,
      problems: [{ level: "warning", code: "no-overviews" }],
    });
  });

  it("a wrong leader", async () => {
    const file = await sample();
    const offset = offsetOf(file, ifdsOf(file)[0]!, 7);
    file.writeUInt32LE(1, offset - 4);
    const report = await check(file);
    expect(report.valid).toBe(false);
    expect(report.problems).toEqual([
      {
        level: "error",
        code: "leader",
        offset: offset - 4,
        message: expect.stringContaining("tile 7 of the full resolution"),
      },
    ]);
  });

  it("a wrong trailer", async () => {
    const file = await sample();
    const main = ifdsOf(file)[0]!;
    const end = offsetOf(file, main, 3) + file.readUInt32LE(valueAt(file, main, 325, 3));
    file[end + 2]! ^= 1;
    expect((await check(file)).problems).toEqual([
      {
        level: "error",
        code: "trailer",
        offset: end,
        message: expect.stringContaining("tile 3 of the full resolution"),
      },
    ]);
  });

  it("tiles out of order, and a mask tile away from its image tile", async () => {
    const file = await sample();
    const main = ifdsOf(file)[0]!;
    const [first, second] = [0, 1].map((tile) => valueAt(file, main, 324, tile));
    const [firstSize, secondSize] = [0, 1].map((tile) => valueAt(file, main, 325, tile));
    for (const [left, right] of [
      [first!, second!],
      [firstSize!, secondSize!],
    ] as const) {
      const kept = file.readUInt32LE(left);
      file.writeUInt32LE(file.readUInt32LE(right), left);
      file.writeUInt32LE(kept, right);
    }
    expect(codes(await check(file)).sort()).toEqual(["block-order", "mask-interleave"]);
  });

  it("full resolution before its overviews", async () => {
    const file = await sample();
    // The directory of overview 1 gets the tiles of the full resolution, the largest offsets of the file.
    const [main, , overview] = ifdsOf(file);
    for (let tile = 0; tile < 9; tile++) {
      file.writeUInt32LE(offsetOf(file, main!, 20 + tile), valueAt(file, overview!, 324, tile));
    }
    expect(codes(await check(file))).toContain("data-order");
  });

  it("structural metadata of another size than they have", async () => {
    const file = await sample();
    const digits = 8 + "GDAL_STRUCTURAL_METADATA_SIZE=".length;
    file.write("000140", digits, "latin1");
    expect(codes(await check(file))).toContain("ghost-size");
    file.write("999999", digits, "latin1");
    expect(codes(await check(file))).toContain("ghost-size");
  });

  it("a file that says it was edited", async () => {
    const file = await sample();
    const no = file.indexOf("KNOWN_INCOMPATIBLE_EDITION=NO");
    file.write("YES\n", no + "KNOWN_INCOMPATIBLE_EDITION=".length, "latin1");
    expect(codes(await check(file))).toContain("known-incompatible-edition");
  });

  it("directories in the wrong order or at the end of the file", async () => {
    const file = await sample();
    const main = ifdsOf(file)[0]!;
    const directory = file.subarray(main.at, main.nextAt + 4);
    const moved = Buffer.concat([file, directory]);
    moved.writeUInt32LE(file.length, 4);
    expect(codes(await check(moved))).toEqual(["ifd-offset", "ghost-size", "ifd-order"]);
  });

  it("an overview that is not smaller", async () => {
    const file = await sample();
    const overview = ifdsOf(file)[2]!;
    file.writeUInt16LE(700, overview.entries.get(256)! + 8);
    file.writeUInt16LE(600, overview.entries.get(257)! + 8);
    expect(codes(await check(file))).toContain("overview-size");
  });

  it("tiles and tables outside the file", async () => {
    const tile = await sample();
    tile.writeUInt32LE(tile.length - 3, valueAt(tile, ifdsOf(tile)[0]!, 324, 29));
    expect(codes(await check(tile))).toContain("tile-outside-file");
    const table = await sample();
    table.writeUInt32LE(table.length - 8, ifdsOf(table)[0]!.entries.get(324)! + 8);
    expect(codes(await check(table))).toContain("tile-table");
    const short = await sample();
    short.writeUInt32LE(3, ifdsOf(short)[0]!.entries.get(325)! + 4);
    expect(codes(await check(short))).toContain("tile-table");
  });

  it("overviews in a file of their own", async () => {
    await sample();
    await writeFile(at("sample.tif.ovr"), "");
    const bytes = await openBytes(at("sample.tif"));
    expect(codes(await validateCog(bytes))).toEqual(["external-overviews"]);
    await bytes.close();
  });

  it("refuses what is no TIFF", async () => {
    await expect(check(Buffer.from("%PDF-1.4 and so on"))).rejects.toMatchObject({ code: "INVALID_FORMAT" });
    await expect(check(Buffer.alloc(0))).rejects.toMatchObject({ code: "INVALID_FORMAT" });
  });

  it("keeps the report short however much is wrong", async () => {
    const source = pixels([new Uint8Array(2048 * 2048)], { type: "uint8", width: 2048, height: 2048 });
    await writeGeoTiff(at("many.tif"), source, { blocksize: 64 });
    const file = readFileSync(at("many.tif"));
    const main = ifdsOf(file)[0]!;
    for (let tile = 0; tile < 1024; tile++) file.writeUInt32LE(0, offsetOf(file, main, tile) - 4);
    const { problems } = await check(file);
    expect(problems).toHaveLength(101);
    expect(problems[100]!.message).toBe("... and 924 more like these");
  });

  it("answers or refuses, whatever bytes are changed", async () => {
    const file = await sample();
    const next = randoms(11);
    for (let run = 0; run < 400; run++) {
      const broken = Buffer.from(file);
      for (let change = 0; change <= run % 4; change++)
        broken[next() % (run % 2 === 0 ? 2500 : file.length)] = next();
      const cut = run % 5 === 0 ? broken.subarray(0, next() % broken.length) : broken;
      try {
        const report = await check(cut);
        expect(report.valid).toBe(!report.problems.some(({ level }) => level === "error"));
      } catch (error) {
        if (!isGeoError(error)) throw error;
      }
    }
  });
});

describeShared("validateCog on files of GDAL", () => {
  const read = (name: string): Promise<CogReport> =>
    check(readFileSync(shared("conformance", "geotiff", "files", name)));

  it.each([
    "cog_none.tif",
    "cog_lzw.tif",
    "cog_deflate.tif",
    "cog_zstd.tif",
    "cog_lerc.tif",
    "cog_bigtiff.tif",
    "cog_webmercator.tif",
  ])("accepts %s", async (name) => {
    expect((await read(name)).problems).toEqual([]);
  });
});
