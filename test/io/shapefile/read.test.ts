import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { dbfEncoding } from "../../../src/io/shapefile/encoding.ts";
import { openDbf, openShapefile } from "../../../src/io/shapefile/read.ts";
import { organizeRings, TooManyRings } from "../../../src/io/shapefile/rings.ts";
import { BytesBuilder, rowAt, textAt } from "../../../src/model/features.ts";
import { geometryText, readAll, wktText } from "../flatgeobuf/expected.ts";

/** A .dbf of text bytes: columns `[name, letter, width, decimals]` and rows of cells; a row may begin with `*`. */
function dbf(
  columns: readonly (readonly [string, string, number, number])[],
  rows: readonly (readonly (string | Uint8Array)[])[],
  { ldid = 0, deleted = [] as readonly number[], version = 3 } = {},
): Uint8Array {
  const width = 1 + columns.reduce((sum, [, , w]) => sum + w, 0);
  const start = 33 + 32 * columns.length;
  const bytes = Buffer.alloc(start + width * rows.length, 32);
  bytes.fill(0, 0, start);
  bytes[0] = version;
  bytes.writeUInt32LE(rows.length, 4);
  bytes.writeUInt16LE(start, 8);
  bytes.writeUInt16LE(width, 10);
  bytes[29] = ldid;
  for (const [k, [name, letter, w, decimals]] of columns.entries()) {
    bytes.write(name, 32 + 32 * k, "latin1");
    bytes.write(letter, 32 + 32 * k + 11, "latin1");
    bytes[32 + 32 * k + 16] = w;
    bytes[32 + 32 * k + 17] = decimals;
  }
  bytes[start - 1] = 13;
  for (const [i, row] of rows.entries()) {
    let at = start + i * width;
    bytes[at++] = deleted.includes(i) ? 42 : 32;
    for (const [k, cell] of row.entries()) {
      Buffer.from(cell as string, "latin1").copy(bytes, at);
      at += columns[k]![2];
    }
  }
  return new Uint8Array(bytes);
}

/** A .shp of points, and its .shx. */
function points(xy: readonly (readonly [number, number])[]): { shp: Uint8Array; shx: Uint8Array } {
  const shp = Buffer.alloc(100 + 28 * xy.length);
  const shx = Buffer.alloc(100 + 8 * xy.length);
  for (const header of [shp, shx]) {
    header.writeInt32BE(9994, 0);
    header.writeInt32BE(header.length / 2, 24);
    header.writeInt32LE(1000, 28);
    header.writeInt32LE(1, 32);
  }
  for (const [i, [x, y]] of xy.entries()) {
    const at = 100 + 28 * i;
    shp.writeInt32BE(i + 1, at);
    shp.writeInt32BE(10, at + 4);
    shp.writeInt32LE(1, at + 8);
    shp.writeDoubleLE(x, at + 12);
    shp.writeDoubleLE(y, at + 20);
    shx.writeInt32BE(at / 2, 100 + 8 * i);
    shx.writeInt32BE(10, 104 + 8 * i);
  }
  return { shp: new Uint8Array(shp), shx: new Uint8Array(shx) };
}

const THREE = points([
  [0, 0],
  [5, 5],
  [9, 9],
]);
const IDS = dbf([["id", "N", 4, 0]], [["   1"], ["   2"], ["   3"]]);

interface Files {
  shp: Uint8Array;
  shx?: Uint8Array;
  dbf?: Uint8Array;
  cpg?: string;
}

const open = ({ shp, shx, dbf: table, cpg }: Files) =>
  openShapefile({
    shp: memoryBytes(shp, "t.shp"),
    ...(shx === undefined ? {} : { shx: memoryBytes(shx, "t.shx") }),
    ...(table === undefined ? {} : { dbf: memoryBytes(table, "t.dbf") }),
    ...(cpg === undefined ? {} : { cpg: memoryBytes(Buffer.from(cpg), "t.cpg") }),
  });

const ids = async (files: Files, options = {}) => {
  const table = await readAll(await open(files), options);
  return Array.from({ length: table.count }, (_, i) => rowAt(table, i)["id"]);
};

describe("openShapefile", () => {
  it("reads without .shx and without .dbf, and says so", async () => {
    const source = await open({ shp: THREE.shp });
    expect((await readAll(source)).count).toBe(3);
    expect(source.schema).toMatchObject({ name: "t", count: null, fields: [], crs: null });
    expect(source.warnings.map((warning) => /no \.\w+/.exec(warning)?.[0])).toEqual([
      "no .shx",
      "no .dbf",
      "no .prj",
    ]);
  });

  it("leaves out records that are marked as deleted, shapes with them", async () => {
    const table = dbf([["id", "N", 4, 0]], [["1"], ["2"], ["3"]], { deleted: [1] });
    expect(await ids({ ...THREE, dbf: table })).toEqual([1, 3]);
    expect(await ids({ shp: THREE.shp, dbf: table })).toEqual([1, 3]);
  });

  it("reads records only where bounds meet them", async () => {
    expect(await ids({ ...THREE, dbf: IDS }, { bounds: [5, 5, 8, 8] })).toEqual([2]);
    expect(await ids({ ...THREE, dbf: IDS }, { bounds: [6, 6, 8, 8] })).toEqual([]);
  });

  it("follows the .shx where shapes are not in order, and does without one that is broken", async () => {
    const moved = THREE.shx.slice();
    moved.copyWithin(100, 108, 116);
    new DataView(moved.buffer).setInt32(108, 50);
    const table = await readAll(await open({ shp: THREE.shp, shx: moved, dbf: IDS }));
    expect([...table.geometry!.xy]).toEqual([5, 5, 0, 0, 9, 9]);

    for (const [at, value] of [
      [100, 0x7fffffff],
      [0, 1],
      [108, 3],
    ] as const) {
      const broken = THREE.shx.slice();
      new DataView(broken.buffer).setInt32(at, value);
      const source = await open({ shp: THREE.shp, shx: broken, dbf: IDS });
      expect((await readAll(source)).count).toBe(3);
      expect(source.warnings[0]).toContain("t.shx does not fit");
    }
  });

  it("gives null attributes to shapes beyond the end of the .dbf", async () => {
    const table = dbf([["id", "N", 4, 0]], [["1"]]);
    expect(await ids({ ...THREE, dbf: table })).toEqual([1, null, null]);
    const source = await open({ ...THREE, dbf: table });
    expect(source.warnings).toContain("t.shp has 3 shapes, its .dbf 1 records");
  });

  it("says which shape claims too much", async () => {
    const shp = THREE.shp.slice();
    new DataView(shp.buffer).setInt32(132, 0x10000000);
    await expect(open({ shp }).then(readAll)).rejects.toMatchObject({
      code: "INVALID_FORMAT",
      message: expect.stringContaining("shape 1 claims 536870912 bytes"),
    });
  });

  it("refuses surfaces by name", async () => {
    const shp = THREE.shp.slice();
    new DataView(shp.buffer).setInt32(32, 31, true);
    await expect(open({ shp })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("MultiPatch"),
    });
  });
});

describe("openDbf", () => {
  const read = async (bytes: Uint8Array) => {
    const source = await openDbf(memoryBytes(bytes, "t.dbf"));
    const table = await readAll(source);
    return {
      table,
      rows: Array.from({ length: table.count }, (_, i) => rowAt(table, i)),
      warnings: source.warnings,
    };
  };

  it("types numbers by width and decimals as GDAL does", async () => {
    const { table, rows } = await read(
      dbf(
        [
          ["a", "N", 9, 0],
          ["b", "N", 18, 0],
          ["c", "N", 19, 0],
          ["d", "N", 5, 2],
          ["e", "F", 9, 0],
        ],
        [
          ["123456789", "-99999999999999999", "1234567890123456768", "-1.50", "  1.25e+2"],
          ["*********", "         ", "", "*****", "nonsense"],
        ],
      ),
    );
    expect(table.columns.map(({ type }) => type)).toEqual(["int32", "int64", "float64", "float64", "int32"]);
    expect(rows[0]).toEqual({
      a: 123456789,
      b: -99999999999999999n,
      c: Number(1234567890123456768n),
      d: -1.5,
      e: 125,
    });
    expect(Object.values(rows[1]!)).toEqual([null, null, null, null, null]);
  });

  it("reads dates, flags and binary columns", async () => {
    const cell = (write: (view: DataView) => void): Uint8Array => {
      const bytes = new Uint8Array(8);
      write(new DataView(bytes.buffer));
      return bytes;
    };
    const { rows } = await read(
      dbf(
        [
          ["day", "D", 8, 0],
          ["flag", "L", 1, 0],
          ["time", "T", 8, 0],
          ["real", "O", 8, 0],
          ["int", "I", 4, 0],
        ],
        [
          [
            "20240229",
            "y",
            cell((view) => {
              view.setInt32(0, 2_440_589, true);
              view.setInt32(4, 1500, true);
            }),
            cell((view) => view.setFloat64(0, 0.1, true)),
            cell((view) => view.setInt32(0, -7, true)).slice(0, 4),
          ],
          ["00000000", "?", cell(() => {}), cell(() => {}), cell(() => {}).slice(0, 4)],
        ],
      ),
    );
    expect(rows).toEqual([
      {
        day: new Date("2024-02-29T00:00:00Z"),
        flag: true,
        time: new Date("1970-01-02T00:00:01.500Z"),
        real: 0.1,
        int: -7,
      },
      { day: null, flag: null, time: null, real: 0, int: 0 },
    ]);
  });

  it("reads years below 1000 with and without their zeros, and nothing shorter", async () => {
    const days = ["00010101", "   10101", " 9991231", "    0101", "     101", "  101301"];
    const { rows } = await read(
      dbf(
        [["day", "D", 8, 0]],
        days.map((day) => [day]),
      ),
    );
    expect(rows.map(({ day }) => (day === null ? null : (day as Date).toISOString().slice(0, 10)))).toEqual([
      "0001-01-01",
      "0001-01-01",
      "0999-12-31",
      null,
      null,
      null,
    ]);
  });

  it("reads a last record that is cut as far as it goes", async () => {
    const whole = dbf([["t", "C", 10, 0]], [["abc"], ["defghijk"]]);
    const { rows, warnings } = await read(whole.slice(0, -6));
    expect(rows).toEqual([{ t: "abc" }, { t: "defg" }]);
    expect(warnings[0]).toContain("claims 2 records");
  });

  it("leaves out memo columns and says so", async () => {
    const { table, warnings } = await read(
      dbf(
        [
          ["note", "M", 10, 0],
          ["a", "C", 1, 0],
        ],
        [["", "x"]],
      ),
    );
    expect(table.columns.map(({ name }) => name)).toEqual(["a"]);
    expect(warnings).toContain('column "note" refers to a memo file; it is left out');
  });
});

describe("dbfEncoding", () => {
  const decode = (cpg: string | null, ldid: number, ...bytes: number[]): string => {
    const builder = new BytesBuilder();
    builder.pushBytes(Uint8Array.from(bytes));
    return textAt(dbfEncoding(cpg, ldid).convert(builder.finish(), 80), 0);
  };

  it.each([
    ["UTF-8", [0xc3, 0xa9], "é"],
    ["65001", [0xc3, 0xa9], "é"],
    ["ISO-8859-1", [0xe9], "é"],
    ["88591", [0xe9], "é"],
    ["ISO 8859-15", [0xa4], "€"],
    ["8859-5", [0xc0], "Р"],
    ["1252", [0x80], "€"],
    ["ANSI 1251", [0xc0], "А"],
    ["CP1250", [0x9c], "ś"],
    ["windows-1256", [0xc7], "ا"],
    ["OEM 437", [0x82], "é"],
    ["850", [0xd0], "ð"],
    ["CP852", [0xa5], "ą"],
    ["cp866", [0x80], "А"],
    ["Big5", [0xa4, 0x40], "一"],
    ["936", [0xd2, 0xbb], "一"],
    ["SJIS", [0x88, 0xea], "一"],
    ["LDID/87", [0xe9], "é"],
    ["koi8-r", [0xe1], "А"],
  ])("reads %s of a .cpg", (cpg, bytes, text) => {
    expect(decode(cpg, 0, ...bytes)).toBe(text);
    expect(dbfEncoding(cpg, 0).warning).toBeNull();
  });

  it("takes the language driver when there is no .cpg", () => {
    expect(decode(null, 0x57, 0xe9)).toBe("é");
    expect(decode(null, 0x01, 0x82)).toBe("é");
    expect(decode(null, 0xc9, 0xc0)).toBe("А");
  });

  it("guesses cell by cell when nothing is declared, and warns", () => {
    expect(decode(null, 0, 0xc3, 0xa9)).toBe("é");
    expect(decode(null, 0, 0xe9)).toBe("é");
    expect(dbfEncoding(null, 0).warning).toContain("no encoding is declared");
    expect(dbfEncoding("klingon", 0).warning).toContain('"klingon"');
    expect(dbfEncoding(null, 0x68).warning).toContain("0x68");
  });

  it("drops the half character at the end of a full cell of UTF-8", () => {
    const builder = new BytesBuilder();
    builder.pushBytes(Uint8Array.of(0x61, 0xe0, 0xa4));
    expect(textAt(dbfEncoding("UTF-8", 0).convert(builder.finish(), 3), 0)).toBe("a");
  });
});

describe("organizeRings", () => {
  /** Closed squares, `[x, y, side]`; a negative side runs against the clock. */
  function owners(squares: readonly (readonly [number, number, number])[]): number[] {
    const xy = squares.flatMap(([x, y, side]) => {
      const s = Math.abs(side);
      const corners = [x, y, x, y + s, x + s, y + s, x + s, y, x, y];
      return side > 0 ? corners : [x, y, x + s, y, x + s, y + s, x, y + s, x, y];
    });
    const starts = Int32Array.from({ length: squares.length + 1 }, (_, r) => 5 * r);
    const owner = new Int32Array(squares.length);
    organizeRings(Float64Array.from(xy), starts, squares.length, owner);
    return [...owner];
  }

  it("gives holes to the smallest shell around them, islands in lakes included", () => {
    const shells = [
      [0, 0, 100],
      [20, 20, 50],
      [200, 0, 10],
    ] as const;
    const holes = [
      [10, 10, -70],
      [30, 30, -5],
      [202, 2, -3],
    ] as const;
    expect(owners([...shells, ...holes])).toEqual([0, 1, 2, 0, 1, 2]);
    expect(owners([holes[1], shells[2], holes[0], shells[0], holes[2], shells[1]])).toEqual([
      5, 1, 3, 3, 1, 5,
    ]);
  });

  it("takes a counter-clockwise ring in no shell for a polygon", () => {
    expect(
      owners([
        [0, 0, 10],
        [20, 0, 10],
        [40, 0, -5],
      ]),
    ).toEqual([0, 1, 2]);
    expect(
      owners([
        [0, 0, 10],
        [40, 0, -5],
      ]),
    ).toEqual([0, 1]);
  });

  it("reads records that were written the wrong way round", () => {
    expect(
      owners([
        [0, 0, -10],
        [2, 2, 3],
      ]),
    ).toEqual([0, 0]);
    expect(
      owners([
        [0, 0, -10],
        [2, 2, 3],
        [20, 0, -10],
        [22, 2, 3],
      ]),
    ).toEqual([0, 0, 2, 2]);
    expect(
      owners([
        [0, 0, -10],
        [20, 0, -10],
      ]),
    ).toEqual([0, 1]);
  });

  it("does not turn a record around when a clockwise ring lies outside the others", () => {
    // Two polygons of opposite directions that overlap, as a careless program writes them; the second is larger.
    expect(
      owners([
        [0, 0, 4],
        [1, 1, -1],
        [20, 0, 4],
        [22, 0, -10],
        [25, 3, -1],
      ]),
    ).toEqual([0, 0, 2, 3, 4]);
  });

  it("finds the shells of many holes in shells of many vertices in about linear time", () => {
    // Two combs of 100,000 teeth with 20,000 holes each: 8e9 edges when every hole looks at every edge.
    const teeth = 100_000;
    const xy: number[] = [];
    const starts = [0];
    const close = (): void => {
      const start = starts[starts.length - 1]!;
      xy.push(xy[2 * start]!, xy[2 * start + 1]!);
      starts.push(xy.length / 2);
    };
    const holes = 20_000;
    for (const left of [0, 200]) {
      for (let k = 0; k < teeth; k++) xy.push(left + (k % 2), k);
      xy.push(left + 100, teeth - 1, left + 100, 0);
      close();
    }
    const expected = [0, 1];
    for (let k = 0; k < holes; k++) {
      const x = (k % 2) * 200 + 50;
      xy.push(x, 5 * k + 1, x + 1, 5 * k + 1, x, 5 * k + 2);
      close();
      expected.push(k % 2);
    }
    const owner = new Int32Array(starts.length - 1);
    const started = performance.now();
    organizeRings(Float64Array.from(xy), Int32Array.from(starts), owner.length, owner);
    expect([...owner]).toEqual(expected);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it("refuses tens of thousands of rings within one another instead of going on for minutes", () => {
    const squares = Array.from({ length: 60_000 }, (_, k): [number, number, number] => [
      k,
      k,
      (k % 2 === 0 ? 1 : -1) * (200_000 - 2 * k),
    ]);
    const started = performance.now();
    expect(() => owners(squares)).toThrow(TooManyRings);
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(owners(squares.slice(0, 3000)).slice(0, 6)).toEqual([0, 0, 2, 2, 4, 4]);
  }, 30_000);

  it("gives the same with and without its index, for any number of rings", () => {
    const grid = fc.uniqueArray(fc.integer({ min: 0, max: 399 }), { minLength: 70, maxLength: 140 });
    fc.assert(
      fc.property(grid, fc.infiniteStream(fc.boolean()), (cells, withHole) => {
        const squares: [number, number, number][] = [];
        const expected: number[] = [];
        for (const cell of cells) {
          const x = 10 * (cell % 20);
          const y = 10 * Math.floor(cell / 20);
          const shell = squares.push([x, y, 9]) - 1;
          expected.push(shell);
          for (let k = 0; k < 2 && withHole.next().value === true; k++) {
            squares.push([x + 1 + 4 * k, y + 1, -3]);
            expected.push(shell);
          }
        }
        expect(owners(squares)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });
});

describe("polygon records", () => {
  it("become a multi-polygon with its holes in place", async () => {
    // Part starts 0, 5, 10: a shell, its hole, another shell.
    const rings = [
      [0, 0, 0, 4, 4, 4, 4, 0, 0, 0],
      [1, 1, 2, 1, 2, 2, 1, 2, 1, 1],
      [9, 9, 9, 10, 10, 10, 10, 9, 9, 9],
    ];
    const record = Buffer.alloc(44 + 12 + 8 * 30);
    record.writeInt32LE(5, 0);
    record.writeInt32LE(3, 36);
    record.writeInt32LE(15, 40);
    for (const [k, start] of [0, 5, 10].entries()) record.writeInt32LE(start, 44 + 4 * k);
    for (const [i, value] of rings.flat().entries()) record.writeDoubleLE(value, 56 + 8 * i);
    const shp = Buffer.concat([Buffer.from(THREE.shp.slice(0, 100)), Buffer.alloc(8), record]);
    shp.writeInt32BE(shp.length / 2, 24);
    shp.writeInt32LE(5, 32);
    shp.writeInt32BE(record.length / 2, 104);
    const table = await readAll(await open({ shp: new Uint8Array(shp) }));
    expect(geometryText(table.geometry, 0)).toBe(
      wktText("MULTIPOLYGON (((0 0,0 4,4 4,4 0,0 0),(1 1,2 1,2 2,1 2,1 1)),((9 9,9 10,10 10,10 9,9 9)))"),
    );
  });
});
