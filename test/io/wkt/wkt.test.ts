import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteBuffer } from "../../../src/io/text/byte-buffer.ts";
import { NumberReader } from "../../../src/io/text/number.ts";
import { parseWkt, toWkt } from "../../../src/io/wkt.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import { geometryToGeoJson, type PolygonGeometry } from "../../../src/model/geojson.ts";
import type { GeometryColumn } from "../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../src/model/geometry-builder.ts";
import { describeShared, shared } from "../../helpers/shared.ts";

function parse(text: string): GeometryColumn {
  const builder = new GeometryBuilder();
  parseWkt(text, builder);
  return builder.finish();
}

const again = (text: string): string => toWkt(parse(text), 0);

describe("well-known text", () => {
  test.each([
    "POINT (30 10)",
    "POINT EMPTY",
    "POINT Z (1 2 3)",
    "POINT M (3 4 8.5)",
    "POINT Z EMPTY".replace("Z ", ""),
    "LINESTRING ZM (1 2 3 4,5 6 7 8)",
    "POLYGON ((0 0,10 0,10 10,0 0),(1 1,2 1,2 2,1 1))",
    "MULTIPOINT ((1 2),(3 4))",
    "MULTILINESTRING ((0 0,1 1),(2 2,3 3,4 2))",
    "MULTIPOLYGON (((0 0,4 0,4 4,0 0)),((9 9,8 8,8 9,9 9),(8.5 8.6,8.4 8.5,8.4 8.6,8.5 8.6)))",
    "GEOMETRYCOLLECTION (POINT (1 1),LINESTRING (0 0,1 1))",
    "GEOMETRYCOLLECTION EMPTY",
    "GEOMETRYCOLLECTION (POINT EMPTY,MULTIPOINT ((1 2)))",
    "LINESTRING (0.1 -0.5,1e+300 1e-9)",
  ])("%s is written as it was read", (text) => {
    expect(again(text)).toBe(text);
  });

  test.each([
    ["  point( 1   2 ) ", "POINT (1 2)"],
    ["SRID=4326;Point(1 2)", "POINT (1 2)"],
    ["POINT(1 2 3)", "POINT Z (1 2 3)"],
    ["POINT(1 2 3 4)", "POINT ZM (1 2 3 4)"],
    ["PointZ (1 2 3)", "POINT Z (1 2 3)"],
    ["LINESTRINGM(1 2 3,4 5 6)", "LINESTRING M (1 2 3,4 5 6)"],
    ["MULTIPOINT(1 2,3 4)", "MULTIPOINT ((1 2),(3 4))"],
    ["MULTIPOINT((1 2),EMPTY)", "MULTIPOINT ((1 2))"],
    ["MULTIPOLYGON(EMPTY,((0 0,1 0,1 1,0 0)))", "MULTIPOLYGON (((0 0,1 0,1 1,0 0)))"],
    ["POLYGON((0 0,1 0,1 1))", "POLYGON ((0 0,1 0,1 1,0 0))"],
    ["TRIANGLE((0 0,1 0,1 1,0 0))", "POLYGON ((0 0,1 0,1 1,0 0))"],
    ["TIN(((0 0,1 0,1 1,0 0)))", "MULTIPOLYGON (((0 0,1 0,1 1,0 0)))"],
    [
      "GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 2)),POINT(+.5 1.))",
      "GEOMETRYCOLLECTION (POINT (1 2),POINT (0.5 1))",
    ],
    ["POLYGON\n((0 0 , 1 0 ,\t1 1 , 0 0))", "POLYGON ((0 0,1 0,1 1,0 0))"],
  ])("%s is read as %s", (text, expected) => {
    expect(again(text)).toBe(expected);
  });

  test("rings that were not closed are counted", () => {
    const builder = new GeometryBuilder();
    expect(parseWkt("MULTIPOLYGON(((0 0,1 0,1 1)),((5 5,6 5,6 6,5 5)))", builder)).toBe(1);
  });

  test.each([
    "",
    "POINT",
    "POINT (1)",
    "POINT (1 2",
    "POINT (1 2))",
    "POINT (1 2, 3 4)",
    "POINT (nan nan)",
    "POINT (1e999 0)",
    "POINT Z (1 2)",
    "LINESTRING (1 2, 3 4 5)",
    "CIRCLE (1 2)",
    "POLYGON (0 0, 1 1)",
    "POINT (1 2) x",
    "SRID=4326",
    `${"GEOMETRYCOLLECTION(".repeat(5000)}POINT(1 2)${")".repeat(5000)}`,
  ])("%s is refused with its place", (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "INVALID_FORMAT" }));
    expect(() => parse(text)).toThrow(/^WKT at character \d+: found .*, expected /);
  });

  test("curves are named and refused", () => {
    expect(() => parse("CIRCULARSTRING (0 0,1 1,2 0)")).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED" }),
    );
  });

  test("precision rounds and drops trailing zeros", () => {
    expect(toWkt(parse("POINT (1.23456 -7.9996)"), 0, { precision: 3 })).toBe("POINT (1.235 -8)");
  });

  test("a null geometry is empty text", () => {
    const builder = new GeometryBuilder();
    builder.null();
    expect(toWkt(builder.finish(), 0)).toBe("");
  });

  test("mutated texts give a geometry or a GeoError", () => {
    const seeds = [
      "MULTIPOLYGON ZM (((0 0 1 2,4 0 1 2,4 4 1 2,0 0 1 2)),EMPTY)",
      "SRID=1;GEOMETRYCOLLECTION (POINT (1 1),LINESTRING (0 0,1e5 -1.5))",
      "MULTIPOINT ((1 2),(3 4))",
    ];
    const random = generator(7);
    for (let round = 0; round < 2000; round++) {
      let text = seeds[round % seeds.length]!;
      for (let k = 0; k <= round % 4; k++) {
        const at = Math.floor(random() * text.length);
        const insert = ["", "(", ")", ",", "EMPTY", "9", "-", " ", "e", "\0", "Z"][
          Math.floor(random() * 11)
        ]!;
        text = text.slice(0, at) + insert + text.slice(at + Math.floor(random() * 3));
      }
      try {
        again(text);
      } catch (error) {
        expect(isGeoError(error), `${text}: ${String(error)}`).toBe(true);
      }
    }
  });
});

/** Park and Miller's generator: the same numbers on every machine. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
}

describe("numbers as text", () => {
  const encoder = new TextEncoder();
  const reader = new NumberReader();
  const read = (text: string): number => {
    const bytes = encoder.encode(text);
    const value = reader.read(bytes, 0, bytes.length);
    expect(reader.end).toBe(bytes.length);
    return value;
  };

  test("are read to the same double as Number does", () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: 1, max: 25 }),
        (x, digits) => {
          expect(read(String(x))).toBe(Number(String(x)));
          expect(read(x.toPrecision(digits))).toBe(Number(x.toPrecision(digits)));
          if (Math.abs(x) < 1e15) expect(read(x.toFixed(digits))).toBe(Number(x.toFixed(digits)));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("halfway between two doubles go to the even one", () => {
    for (const text of [
      "9007199254740993",
      "9007199254740995",
      "4503599627370497.5",
      "9007199254740992.9999999",
    ]) {
      expect(read(text)).toBe(Number(text));
    }
  });

  test("are written in the fewest digits that read back", () => {
    const buffer = new ByteBuffer();
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        for (const value of [x, Math.round(x), Math.round((x % 1000) * 1e7) / 1e7]) {
          buffer.clear();
          buffer.number(value);
          const text = new TextDecoder().decode(buffer.taken());
          expect(Object.is(Number(text), value)).toBe(true);
          // String() changes to exponents below 1e-6, which is the same number of digits.
          if (Math.abs(value) >= 1e-6) expect(text).toBe(Object.is(value, -0) ? "-0" : String(value));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describeShared("well-known text that GDAL printed", () => {
  const files = JSON.parse(readFileSync(shared("conformance/formats/expected.json"), "utf8")) as Record<
    string,
    { features?: { wkt?: string | null }[] }
  >;
  test("is printed alike after reading", () => {
    let count = 0;
    for (const { features = [] } of Object.values(files)) {
      for (const { wkt } of features) {
        if (typeof wkt !== "string") continue;
        // Some were printed by GEOS, which puts a space behind the comma.
        expect(again(wkt)).toBe(
          wkt
            .replace("TRIANGLE", "POLYGON")
            .replaceAll(/\.0(?=[ ,)])/g, "")
            .replaceAll(", ", ","),
        );
        count++;
      }
    }
    expect(count).toBeGreaterThan(500);
  });

  test.each(["regression4.wkt", "russia.wkt"])("%s is read whole", (name) => {
    const text = readFileSync(shared("data/nasty/vector", name), "utf8").trim().replaceAll('"', "");
    const geometry = geometryToGeoJson(parse(text), 0, { rewind: false });
    const numbers = text.match(/-?\d+\.?\d*/g)!.map(Number);
    expect((geometry as PolygonGeometry).coordinates.flat(9)).toEqual(numbers);
  });
});
