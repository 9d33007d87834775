import { describe, expect, test } from "vitest";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { type GeoTiffSource, openGeoTiff } from "../../../src/io/geotiff/read.ts";
import { basicTags, buildTiff, type RawImage, type RawTag } from "./tiff-builder.ts";

// What random files written by GDAL 3.6.2 with every option of its driver brought to light. Expected values are GDAL's.

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function open(image: RawImage | RawImage[], options = {}): Promise<GeoTiffSource> {
  return await openGeoTiff(memoryBytes(buildTiff([image].flat(), options), "made.tif"));
}

async function bandOf(source: GeoTiffSource): Promise<number[]> {
  const { width, height } = source.grid;
  return Array.from((await source.read({ col: 0, row: 0, width, height })).bands[0]!, Number);
}

/** One pixel of `bands` bands. */
async function pixel(
  bits: number,
  format: number,
  bands: number,
  more: readonly RawTag[],
): Promise<GeoTiffSource> {
  const tags: RawTag[] = [
    ...basicTags(1, 1, { bits: new Array<number>(bands).fill(bits) }),
    [339, 3, new Array<number>(bands).fill(format)],
    ...more,
  ];
  return await open({ tags, blocks: [new Uint8Array((bands * bits) / 8)] });
}

describe("nodata", () => {
  test.each([
    // Beyond float32, the pixels of such a file are infinite.
    ["-1.7976931348623157e+308", 32, 3, -Infinity],
    ["3.41e38", 32, 3, Infinity],
    ["-9999.9", 16, 3, -9999.9],
    ["-9999,5", 64, 3, -9999.5],
  ])("%s of %i bits, format %i", async (text, bits, format, expected) => {
    expect((await pixel(bits, format, 1, [[42113, 2, text]])).bands[0]!.nodata).toBe(expected);
  });

  test.each([
    ["256", 8, 1, "all_valid"],
    ["-1", 8, 1, "all_valid"],
    ["nan", 8, 1, "all_valid"],
    ["70000", 16, 1, "nodata"],
    ["-1", 16, 1, "all_valid"],
    ["40000", 16, 2, "nodata"],
    ["3e9", 16, 2, "all_valid"],
    ["nan", 32, 3, "nodata"],
    ["inf", 32, 3, "nodata"],
    ["1e39", 16, 3, "all_valid"],
    ["1e308", 64, 3, "nodata"],
    ["-1", 64, 1, "nodata"],
  ])(
    "%s says where validity comes from in %i bits, format %i: %s or not",
    async (text, bits, format, mask) => {
      expect((await pixel(bits, format, 1, [[42113, 2, text]])).info.mask).toBe(mask);
    },
  );

  test("out of reach leaves the alpha band to speak", async () => {
    const alpha: RawTag = [338, 3, [2]];
    expect((await pixel(8, 1, 2, [alpha, [42113, 2, "999"]])).info.mask).toBe("alpha");
    expect((await pixel(8, 1, 2, [alpha, [42113, 2, "9"]])).info.mask).toBe("nodata");
  });

  test("fills the real part of complex blocks that are not stored", async () => {
    const tags: RawTag[] = [...basicTags(2, 1, { bits: [32] }), [339, 3, [5]], [42113, 2, "-70000"]];
    expect(await bandOf(await open({ tags, blocks: [new Uint8Array()] }))).toEqual([-32768, 0, -32768, 0]);
  });
});

test("an alpha band is a mask among two or four bands of 8 or 16 bits", async () => {
  const mask = async (bits: number, format: number, bands: number): Promise<string> =>
    (await pixel(bits, format, bands, [[338, 3, new Array<number>(bands - 1).fill(0).with(-1, 2)]])).info
      .mask;
  expect(await mask(8, 1, 2)).toBe("alpha");
  expect(await mask(16, 1, 4)).toBe("alpha");
  expect(await mask(8, 1, 3)).toBe("all_valid");
  expect(await mask(32, 3, 2)).toBe("all_valid");
  expect(await mask(16, 2, 4)).toBe("all_valid");
});

describe("colours", () => {
  test("of the nodata value are transparent", async () => {
    const map = new Array<number>(48).fill(0x1111);
    const tags: RawTag[] = [
      ...basicTags(2, 1, { bits: [4], photometric: 3 }),
      [320, 3, map],
      [42113, 2, "2"],
    ];
    const table = (await open({ tags, blocks: [bytes(0x12)] })).bands[0]!.colorTable!;
    expect(table.map(([, , , alpha]) => alpha)).toEqual([255, 255, 0, ...new Array<number>(13).fill(255)]);
  });

  test("where 0 is white are a ramp up to 16 bits, for the first band", async () => {
    const tags = basicTags(1, 1, { bits: [16, 16], photometric: 0 });
    const { bands } = await open({ tags, blocks: [new Uint8Array(4)] });
    expect(bands.map(({ colorInterpretation }) => colorInterpretation)).toEqual(["palette", "undefined"]);
    expect(bands[0]!.colorTable).toHaveLength(65_536);
    expect(bands[0]!.colorTable!.slice(0, 2)).toEqual([
      [255, 255, 255, 255],
      [254, 254, 254, 255],
    ]);
    expect(bands[1]!.colorTable).toBeNull();
  });

  test("of one bit are a palette whatever the metadata say", async () => {
    const xml = '<GDALMetadata><Item name="C" sample="0" role="colorinterp">Undefined</Item></GDALMetadata>';
    const tags: RawTag[] = [...basicTags(8, 1, { bits: [1] }), [42112, 2, xml]];
    expect((await open({ tags, blocks: [bytes(1)] })).bands[0]!.colorInterpretation).toBe("palette");
  });

  test("in ICC L*a*b* are read as they are stored", async () => {
    const source = await open({
      tags: basicTags(1, 1, { bits: [8, 8, 8], photometric: 9 }),
      blocks: [bytes(1, 2, 3)],
    });
    expect(source.bands.map(({ colorInterpretation }) => colorInterpretation)).toEqual([
      "undefined",
      "undefined",
      "undefined",
    ]);
    expect(await bandOf(source)).toEqual([1]);
  });
});

test("LERC in a big-endian file holds swapped samples", async () => {
  // [[1, 2, 300], [-4, 5, 6]], by GDAL 3.6.2 with ENDIANNESS=BIG.
  const blob = Buffer.from(
    "TGVyYzIgBAAAAHRV84kCAAAAAwAAAAEAAAAGAAAACAAAAFcAAAACAAAAAAAAAAAA4D8AAAAAAAiIwAAAAACAAMZAAAAAAP/8ASwBAAEAAgEs//wABQAG",
    "base64",
  );
  const tags: RawTag[] = [
    ...basicTags(3, 2, { bits: [16], compression: 34887 }),
    [339, 3, [2]],
    [50674, 4, [4, 0]],
  ];
  expect(await bandOf(await open({ tags, blocks: [blob] }, { littleEndian: false }))).toEqual([
    1, 2, 300, -4, 5, 6,
  ]);
});

test("white space at the start of a metadata text is not part of it", async () => {
  const xml =
    '<GDALMetadata><Item name="D" sample="0" role="description">\n  a b </Item><Item name="K"> v</Item></GDALMetadata>';
  const source = await pixel(8, 1, 1, [[42112, 2, xml]]);
  expect(source.bands[0]!.description).toBe("a b ");
  expect(source.metadata).toEqual({ K: "v" });
});

describe("vertical keys", () => {
  const keyed = (minor: number): Promise<GeoTiffSource> =>
    pixel(32, 3, 1, [
      [34735, 3, [1, 1, minor, 4, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 26918, 4096, 0, 1, 6360]],
    ]);

  test("make a compound system from GeoTIFF 1.1 on", async () => {
    const { grid, bands } = await keyed(1);
    expect(grid.crs).toMatchObject({ kind: "compound", name: "NAD83 / UTM zone 18N + NAVD88 height (ftUS)" });
    expect(bands[0]!.unit).toBe("US survey foot");
  });

  test("only say the unit before", async () => {
    const { grid, bands } = await keyed(0);
    expect(grid.crs?.code).toBe("EPSG:26918");
    expect(bands[0]!.unit).toBe("US survey foot");
  });
});

describe("keys", () => {
  const crsOf = async (keys: readonly number[], text = ""): Promise<unknown> => {
    const more: RawTag[] = [[34735, 3, [1, 1, 0, keys.length / 4, ...keys]]];
    if (text !== "") more.push([34737, 2, text]);
    return (await pixel(8, 1, 1, more)).grid.crs;
  };

  test("that give a code are believed before the Esri text beside it", async () => {
    const esri =
      'ESRI PE String = PROJCS["Something_else",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Behrmann"],UNIT["Meter",1.0]]|';
    const keys = [1024, 0, 1, 32767, 1025, 0, 1, 1, 3072, 0, 1, 6933, 3073, 34737, esri.length, 0];
    expect(await crsOf(keys, esri)).toMatchObject({ code: "EPSG:6933" });
  });

  test("of a geocentric model are not degrees", async () => {
    expect(await crsOf([1024, 0, 1, 3, 2048, 0, 1, 4326])).toMatchObject({ unit: { kind: "length" } });
  });

  test("with no more than a name make a local system, with less none", async () => {
    expect(await crsOf([1025, 0, 1, 1, 1026, 34737, 5, 0, 3076, 0, 1, 9001], "mine|")).toMatchObject({
      kind: "engineering",
      name: "mine",
      code: null,
    });
    expect(await crsOf([1025, 0, 1, 2])).toBeNull();
  });
});

describe("damaged directories", () => {
  test("that list fewer bands than they claim are refused", async () => {
    const tags = basicTags(1, 1, { bits: [8, 8, 8] }).map(
      (tag): RawTag => (tag[0] === 277 ? [277, 3, [8199]] : tag),
    );
    await expect(open({ tags, blocks: [bytes(1, 2, 3)] })).rejects.toThrow(
      "made.tif is damaged: it claims 8199 bands, but gives the bits of 3",
    );
  });

  test("whose offsets are not whole numbers are errors of the file", async () => {
    const file = buildTiff([{ tags: basicTags(1, 1), blocks: [bytes(9, 9)] }]);
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    const first = view.getUint32(4, true);
    for (let at = first + 2; at < first + 2 + 12 * view.getUint16(first, true); at += 12) {
      if (view.getUint16(at, true) === 273) {
        view.setUint16(at + 2, 11, true);
        view.setFloat32(at + 8, 8.5, true);
      }
    }
    expect(await bandOf(await openGeoTiff(memoryBytes(file, "made.tif")))).toEqual([9]);
  });
});
