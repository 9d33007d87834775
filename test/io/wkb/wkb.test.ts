import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readWkb, WkbReader, wkbLength, writeWkb } from "../../../src/io/wkb.ts";
import { GeoError, isGeoError } from "../../../src/model/errors.ts";
import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  type GeometryType,
  MULTI_POINT,
  MULTI_POLYGON,
  POINT,
  POLYGON,
} from "../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../src/model/geometry-builder.ts";

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));

function read(hex: string): GeometryColumn {
  const builder = new GeometryBuilder();
  const bytes = bytesOf(hex);
  readWkb(bytes, 0, bytes.length, builder);
  return builder.finish();
}

// Written by GEOS 3.11 (WKTReader, then WKBWriter in the flavour named).
const POINT_LE = "0101000000000000000000F03F0000000000000040";
const POINT_BE = "00000000013FF00000000000004000000000000000";
const POINT_Z_ISO = "01E9030000000000000000F03F00000000000000400000000000000840";
const POINT_Z_EWKB_SRID = "01010000A0E6100000000000000000F03F00000000000000400000000000000840";
const POINT_EMPTY = "0101000000000000000000F87F000000000000F87F";

describe("readWkb", () => {
  it("reads a point in both byte orders", () => {
    expect([...read(POINT_LE).xy]).toEqual([1, 2]);
    expect([...read(POINT_BE).xy]).toEqual([1, 2]);
  });

  it("reads Z from ISO codes and from EWKB flags, and skips the SRID", () => {
    for (const hex of [POINT_Z_ISO, POINT_Z_EWKB_SRID]) {
      const column = read(hex);
      expect([...column.xy, ...column.z!]).toEqual([1, 2, 3]);
      expect(column.m).toBeNull();
    }
  });

  it("reads M and ZM apart", () => {
    const m = read("01D1070000000000000000F03F00000000000000400000000000000840");
    expect([m.z, [...m.m!]]).toEqual([null, [3]]);
    const zm = read("01B90B0000000000000000F03F000000000000004000000000000008400000000000001040");
    expect([[...zm.z!], [...zm.m!]]).toEqual([[3], [4]]);
  });

  it("makes a point of NaN an empty point", () => {
    const column = read(POINT_EMPTY);
    expect([...column.types]).toEqual([POINT]);
    expect([...column.geometries]).toEqual([0, 0]);
  });

  it("reads a polygon with a hole", () => {
    const ring = (values: number[]): string => {
      const bytes = new Uint8Array(4 + 8 * values.length);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, values.length / 2, true);
      values.forEach((value, i) => {
        view.setFloat64(4 + 8 * i, value, true);
      });
      return Buffer.from(bytes).toString("hex");
    };
    const column = read(
      `01 03000000 02000000 ${ring([0, 0, 9, 0, 9, 9, 0, 0])} ${ring([5, 1, 8, 1, 8, 4, 5, 1])}`,
    );
    expect([...column.rings]).toEqual([0, 4, 8]);
    expect([...column.parts]).toEqual([0, 2]);
  });

  it("closes an open ring and says so", () => {
    const builder = new GeometryBuilder();
    const bytes = bytesOf(
      "01 03000000 01000000 03000000 0000000000000000 0000000000000000 000000000000F03F 0000000000000000 000000000000F03F 000000000000F03F",
    );
    expect(readWkb(bytes, 0, bytes.length, builder)).toBe(1);
    expect([...builder.finish().xy]).toEqual([0, 0, 1, 0, 1, 1, 0, 0]);
  });

  it("flattens nested collections", () => {
    const inner = `01 07000000 01000000 ${POINT_BE}`;
    const column = read(`01 07000000 02000000 ${POINT_LE} ${inner}`);
    expect([...column.types]).toEqual([GEOMETRY_COLLECTION]);
    expect([...column.collections!.types]).toEqual([POINT, POINT]);
    expect([...column.collections!.members]).toEqual([0, 1, 2]);
  });

  it("reads at an offset and ignores what follows", () => {
    const bytes = bytesOf(`FFFFFF${POINT_LE}FFFF`);
    const builder = new GeometryBuilder();
    readWkb(bytes, 3, 23, builder);
    expect([...builder.finish().xy]).toEqual([1, 2]);
  });

  it("leaves out empty members and empty rings", () => {
    const column = read(`01 04000000 02000000 ${POINT_EMPTY} ${POINT_LE}`);
    expect([...column.types]).toEqual([MULTI_POINT]);
    expect([...column.xy]).toEqual([1, 2]);
  });

  it.each([
    ["nothing", ""],
    ["a header alone", "0101000000"],
    ["an unknown byte order", "0201000000000000000000F03F0000000000000040"],
    ["type 0", "0100000000"],
    ["type 99", "0163000000"],
    ["more points than bytes", "0102000000FFFFFFFF"],
    ["more rings than bytes", "0103000000FFFFFF7F"],
    ["more members than bytes", "0107000000FFFFFF7F"],
    ["a polygon in a multi-point", "01 04000000 01000000 01 03000000 00000000"],
  ])("refuses %s", (_, hex) => {
    expect(() => read(hex)).toThrowError(expect.objectContaining({ code: "INVALID_FORMAT" }));
  });

  it("refuses curves by name", () => {
    expect(() => read("01 08000000 00000000")).toThrowError(/CircularString/);
  });

  it("refuses collections nested without end instead of overflowing the stack", () => {
    const depth = 100_000;
    const bytes = new Uint8Array(9 * depth + 9);
    for (let i = 0; i <= depth; i++) bytes.set([1, 7, 0, 0, 0, i === depth ? 0 : 1, 0, 0, 0], 9 * i);
    const builder = new GeometryBuilder();
    expect(() => readWkb(bytes, 0, bytes.length, builder)).toThrowError(/nested/);
  });
});

describe("writeWkb", () => {
  it("writes what GEOS writes", () => {
    for (const hex of [POINT_LE, POINT_Z_ISO, POINT_EMPTY]) {
      expect(
        Buffer.from(writeWkb(read(hex), 0))
          .toString("hex")
          .toUpperCase(),
      ).toBe(hex);
    }
  });

  it("gives no bytes for a null geometry", () => {
    const builder = new GeometryBuilder();
    builder.null();
    expect(writeWkb(builder.finish(), 0)).toHaveLength(0);
  });

  it("reads back what it wrote, for any geometry", () => {
    fc.assert(
      fc.property(fc.array(anyGeometry(), { minLength: 1, maxLength: 6 }), (geometries) => {
        const builder = new GeometryBuilder();
        for (const build of geometries) build(builder);
        const column = builder.finish();
        const again = new GeometryBuilder();
        const reader = new WkbReader(again);
        for (let i = 0; i < column.types.length; i++) {
          const bytes = writeWkb(column, i);
          expect(bytes).toHaveLength(wkbLength(column, i));
          reader.read(bytes, 0, bytes.length);
        }
        expect(again.finish()).toEqual(column);
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  it("survives 2,000 damaged geometries", () => {
    const builder = new GeometryBuilder();
    const started = performance.now();
    const samples = fc.sample(anyGeometry(), { numRuns: 40, seed: 11 });
    for (const build of samples) build(builder);
    const column = builder.finish();
    let random = 12345;
    const next = (n: number): number => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return random % n;
    };
    let refused = 0;
    for (let k = 0; k < 2000; k++) {
      const bytes = writeWkb(column, k % column.types.length);
      for (let c = next(4); c >= 0; c--) bytes[next(bytes.length)] = next(256);
      const cut = next(5) === 0 ? bytes.subarray(0, next(bytes.length)) : bytes;
      try {
        readWkb(cut, 0, cut.length, new GeometryBuilder());
      } catch (error) {
        refused++;
        if (!isGeoError(error)) throw error;
        expect(error).toBeInstanceOf(GeoError);
      }
    }
    expect(refused).toBeGreaterThan(100);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

/** Geometries of every type with and without Z and M, long and short rings, as calls on a builder. */
function anyGeometry(): fc.Arbitrary<(builder: GeometryBuilder) => void> {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  const vertex = fc.tuple(number, number, number, number);
  const ring = fc.array(vertex, { minLength: 1, maxLength: 30 });
  const part = fc.array(ring, { minLength: 1, maxLength: 3 });
  const simple = fc.tuple(fc.constantFrom<GeometryType>(1, 2, 3, 4, 5, 6), fc.array(part, { maxLength: 3 }));
  return fc
    .tuple(fc.boolean(), fc.boolean(), fc.boolean(), simple, fc.array(simple, { maxLength: 3 }))
    .map(([z, m, collection, one, many]) => (builder: GeometryBuilder): void => {
      const put = ([type, parts]: [GeometryType, [number, number, number, number][][][]]): void => {
        const dimension = (type - 1) % 3;
        for (const rings of type <= POLYGON ? parts.slice(0, 1) : parts) {
          builder.part();
          for (const vertices of dimension === 2 ? rings : rings.slice(0, 1)) {
            builder.ring();
            const list = dimension === 0 ? vertices.slice(0, 1) : [...vertices];
            if (dimension === 2) list.push(list[0]!);
            for (const [x, y, zz, mm] of list) {
              builder.vertex(x, y, z ? zz : Number.NaN, m ? mm : Number.NaN);
            }
          }
        }
      };
      if (collection) {
        builder.begin(GEOMETRY_COLLECTION);
        for (const member of many) {
          builder.member(member[0]);
          put(member);
        }
      } else {
        builder.begin(one[0]);
        put(one);
      }
      builder.end();
    });
}

it("keeps a multi-polygon's polygons apart", () => {
  const builder = new GeometryBuilder();
  builder.begin(MULTI_POLYGON);
  for (const x of [0, 10]) {
    builder.part();
    builder.ring();
    for (const [dx, dy] of [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 0],
    ] as const) {
      builder.vertex(x + dx, dy);
    }
  }
  builder.end();
  const column = builder.finish();
  const again = new GeometryBuilder();
  const bytes = writeWkb(column, 0);
  readWkb(bytes, 0, bytes.length, again);
  expect([...again.finish().parts]).toEqual([0, 1, 2]);
});
