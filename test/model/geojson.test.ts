import { describe, expect, test } from "vitest";
import { rowAt } from "../../src/model/features.ts";
import {
  type Feature,
  type Geometry,
  geometryFromGeoJson,
  geometryToGeoJson,
  isoText,
  parseIso,
  tableFromGeoJson,
  tableToGeoJson,
} from "../../src/model/geojson.ts";
import { GeometryBuilder } from "../../src/model/geometry-builder.ts";

const geometries: Geometry[] = [
  { type: "Point", coordinates: [1, 2] },
  { type: "Point", coordinates: [1, 2, 3] },
  { type: "Point", coordinates: [] },
  {
    type: "LineString",
    coordinates: [
      [0, 0, 5],
      [1, 1, 6],
    ],
  },
  {
    type: "Polygon",
    coordinates: [
      [
        [0, 0],
        [4, 0],
        [4, 4],
        [0, 0],
      ],
      [
        [1, 0.5],
        [2, 1],
        [2, 0.5],
        [1, 0.5],
      ],
    ],
  },
  {
    type: "MultiPoint",
    coordinates: [
      [1, 2],
      [3, 4],
    ],
  },
  {
    type: "MultiLineString",
    coordinates: [
      [
        [0, 0],
        [1, 1],
      ],
      [
        [2, 2],
        [3, 3],
        [4, 2],
      ],
    ],
  },
  {
    type: "MultiPolygon",
    coordinates: [
      [
        [
          [0, 0],
          [4, 0],
          [4, 4],
          [0, 0],
        ],
      ],
      [
        [
          [9, 9],
          [10, 9],
          [10, 10],
          [9, 9],
        ],
      ],
    ],
  },
  { type: "MultiPolygon", coordinates: [] },
  {
    type: "GeometryCollection",
    geometries: [
      { type: "Point", coordinates: [1, 1] },
      { type: "LineString", coordinates: [] },
      { type: "MultiPoint", coordinates: [[5, 5]] },
    ],
  },
  { type: "GeometryCollection", geometries: [] },
];

function feature(geometry: Geometry | null, properties: Record<string, unknown> = {}): Feature {
  return { type: "Feature", geometry, properties };
}

describe("GeoJSON objects and columns", () => {
  test("every geometry comes back as it went in", () => {
    const builder = new GeometryBuilder();
    for (const geometry of [...geometries, null]) geometryFromGeoJson(geometry, builder);
    const column = builder.finish();
    expect([...geometries, null].map((_, row) => geometryToGeoJson(column, row))).toEqual([
      ...geometries,
      null,
    ]);
  });

  test("collections of collections become one level", () => {
    const builder = new GeometryBuilder();
    const point = geometries[0]!;
    const nested: Geometry = {
      type: "GeometryCollection",
      geometries: [{ type: "GeometryCollection", geometries: [point] }, point],
    };
    geometryFromGeoJson(nested, builder);
    expect(geometryToGeoJson(builder.finish(), 0)).toEqual({
      type: "GeometryCollection",
      geometries: [point, point],
    });
  });

  test("shells are turned counter-clockwise and holes clockwise unless rewind is false", () => {
    const builder = new GeometryBuilder();
    const clockwise: Geometry = {
      type: "Polygon",
      coordinates: [
        [
          [0, 0],
          [4, 4],
          [4, 0],
          [0, 0],
        ],
        [
          [1, 0.5],
          [2, 0.5],
          [2, 1],
          [1, 0.5],
        ],
      ],
    };
    geometryFromGeoJson(clockwise, builder);
    const column = builder.finish();
    expect(geometryToGeoJson(column, 0)).toEqual({
      type: "Polygon",
      coordinates: [
        [
          [0, 0],
          [4, 0],
          [4, 4],
          [0, 0],
        ],
        [
          [1, 0.5],
          [2, 1],
          [2, 0.5],
          [1, 0.5],
        ],
      ],
    });
    expect(geometryToGeoJson(column, 0, { rewind: false })).toEqual(clockwise);
  });

  test.each([
    [{ type: "Circle", coordinates: [0, 0] }, /"Circle" is not a GeoJSON geometry type/],
    [{ type: "Point", coordinates: [1] }, /expected two finite numbers/],
    [{ type: "Point", coordinates: ["1", 2] }, /\["1", 2\]/],
    [
      {
        type: "LineString",
        coordinates: [
          [0, 0],
          [Number.NaN, 0],
        ],
      },
      /finite/,
    ],
    [{ type: "LineString", coordinates: 5 }, /expected an array/],
    [
      {
        type: "Polygon",
        coordinates: [
          [
            [0, 0],
            [1, 0],
            [1, 1],
          ],
        ],
      },
      /not closed: it starts at 0 0 and ends at 1 1/,
    ],
  ])("%j is refused", (geometry, message) => {
    expect(() => geometryFromGeoJson(geometry as Geometry, new GeometryBuilder())).toThrow(message);
  });

  test("an error in a table names the feature", () => {
    const bad = feature({ type: "Point", coordinates: [] as unknown as number[] });
    const worse = feature({ type: "Nope" } as unknown as Geometry);
    expect(() => tableFromGeoJson([bad, worse])).toThrow(
      expect.objectContaining({ code: "INVALID_GEOMETRY", details: expect.objectContaining({ row: 1 }) }),
    );
  });

  test("types are inferred over all features", () => {
    const table = tableFromGeoJson([
      feature(null, { i: 1, big: 1, f: 1, b: true, s: "x", j: { a: [1] }, mixed: 1, none: null, mj: 1 }),
      feature(null, { i: -2, big: 2 ** 40, f: 1.5, b: false, s: "", j: null, mixed: "a", mj: [2] }),
      feature(null, {}),
    ]);
    expect(table.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "i int32",
      "big int64",
      "f float64",
      "b boolean",
      "s string",
      "j json",
      "mixed string",
      "none string",
      "mj json",
    ]);
    expect(rowAt(table, 0)).toEqual({
      i: 1,
      big: 1,
      f: 1,
      b: true,
      s: "x",
      j: { a: [1] },
      mixed: "1",
      none: null,
      mj: 1,
    });
    expect(rowAt(table, 1)).toMatchObject({ big: 2 ** 40, s: "", j: null, mixed: "a", mj: [2] });
    expect(Object.values(rowAt(table, 2)).every((value) => value === null)).toBe(true);
    expect(table.crs?.code).toBe("EPSG:4326");
  });

  test("ids and properties survive the round trip, also unusual names", () => {
    const features: Feature[] = [
      { type: "Feature", id: "a", geometry: geometries[0]!, properties: { "": 1, "name:de": "Ä" } },
      { type: "Feature", id: 7, geometry: null, properties: { "": 2, "name:de": null } },
    ];
    expect(tableToGeoJson(tableFromGeoJson(features)).features).toEqual(features);
    const own = JSON.parse('{"__proto__": 5}') as Record<string, unknown>;
    const back = tableToGeoJson(tableFromGeoJson([feature(null, own)])).features[0]!;
    expect(Object.entries(back.properties!)).toEqual([["__proto__", 5]]);
  });

  test("dates become date columns only when asked for", () => {
    const rows = [
      {
        d: "2024-02-29",
        t: "2024-02-29T12:30:00Z",
        l: "2024-02-29T12:30:00.5",
        c: "12:30",
        n: "2024-02-30",
        m: "2024-02-29",
      },
      { d: null, t: "2024-02-29T12:30:00+05:30", l: "2024-03-01", c: "23:59:59", n: "x", m: "12:00" },
    ].map((properties) => feature(null, properties));
    const types = (table: { columns: readonly { type: string }[] }): string =>
      table.columns.map(({ type }) => type).join(" ");
    expect(types(tableFromGeoJson(rows))).toBe("string string string string string string");
    const table = tableFromGeoJson(rows, { dates: true });
    expect(types(table)).toBe("date datetime datetime time string string");
    expect(tableToGeoJson(table).features.map(({ properties }) => properties)).toEqual([
      {
        d: "2024-02-29",
        t: "2024-02-29T12:30:00Z",
        l: "2024-02-29T12:30:00.500",
        c: "12:30:00",
        n: "2024-02-30",
        m: "2024-02-29",
      },
      { d: null, t: "2024-02-29T07:00:00Z", l: "2024-03-01T00:00:00", c: "23:59:59", n: "x", m: "12:00" },
    ]);
  });

  test("ISO text agrees with Date, to the millisecond and before 1970", () => {
    for (const text of ["1969-12-31T23:59:59.999Z", "0099-01-01T00:00:00.000Z", "2024-12-31T00:00:00.000Z"]) {
      expect(parseIso(text)).toBe(Date.parse(text));
    }
    expect(isoText({ name: "t", type: "datetime", nullable: false }, -1)).toBe("1969-12-31T23:59:59.999Z");
    expect(isoText({ name: "t", type: "datetime", nullable: false }, Number.NaN)).toBe("");
  });
});
