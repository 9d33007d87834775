import { describe, expect, it } from "vitest";
import { crsFromEpsg } from "../../../src/crs/parse.ts";
import { lonLatRingArea } from "../../../src/kernels/vector/geodesic.ts";
import {
  concatTables,
  type FeatureSource,
  type FeatureTable,
  type Row,
  rowAt,
  tableSource,
} from "../../../src/model/features.ts";
import { type Feature, type Geometry, tableFromGeoJson } from "../../../src/model/geojson.ts";
import {
  type JoinedFeatures,
  parseAggregates,
  type SpatialJoinOptions,
  spatialJoin,
} from "../../../src/operators/spatial-join.ts";

/** Three villages of two districts, and one beyond them. */
const VILLAGES = layer([
  ["Asan", point(1, 1)],
  ["Bela", point(2, 3)],
  ["Chor", point(6, 1)],
  ["Dih", point(20, 20)],
]);
const DISTRICTS = tableFromGeoJson(
  [
    feature(square(0, 0, 4), { code: 7, people: 900, name: "West" }, "w"),
    feature(square(4, 0, 4), { code: 9, people: null, name: "East" }, "e"),
    feature(square(0, 0, 8), { code: 1, people: 2000, name: "Both" }, "b"),
  ],
  { crs: null },
);

describe("spatialJoin", () => {
  it("gives one row for every pair, in the order of the left layer and then of the right one", async () => {
    const joined = await join(VILLAGES, DISTRICTS, { predicate: "within", prefix: "d_" });
    expect(names(joined, "name", "d_name")).toEqual([
      ["Asan", "West"],
      ["Asan", "Both"],
      ["Bela", "West"],
      ["Bela", "Both"],
      ["Chor", "East"],
      ["Chor", "Both"],
    ]);
    expect(joined.report).toMatchObject({
      leftIn: 4,
      rightIn: 3,
      pairs: 6,
      matched: 3,
      unmatched: 1,
      rightMatched: 3,
      featuresOut: 6,
    });
  });

  it("keeps types and nulls of the right layer, and the geometry and ids of the left one", async () => {
    const { table } = await join(VILLAGES, DISTRICTS, {
      predicate: "within",
      prefix: "d_",
      fields: ["people"],
    });
    expect(table.columns.map(({ name, type }) => [name, type])).toEqual([
      ["name", "string"],
      ["d_people", "int32"],
    ]);
    expect(table.columns[1]!.valid).toEqual(Uint8Array.of(1, 1, 1, 1, 0, 1));
    expect(table.ids).toEqual([0, 0, 1, 1, 2, 2]);
    expect([...table.geometry!.xy.slice(0, 6)]).toEqual([1, 1, 1, 1, 2, 3]);
  });

  it("keeps left features without a partner in their place, with nulls, when asked", async () => {
    const few = layer([
      ["Dih", point(20, 20)],
      ["Asan", point(1, 1)],
      ["nowhere", null],
    ]);
    const joined = await join(few, DISTRICTS, { how: "left", prefix: "d_", fields: ["code"] });
    expect(names(joined, "name", "d_code")).toEqual([
      ["Dih", null],
      ["Asan", 7],
      ["Asan", 1],
      ["nowhere", null],
    ]);
    expect(joined.report).toMatchObject({ matched: 1, unmatched: 2, leftNulls: 1, featuresOut: 4 });
  });

  it("gives left features with a partner once (semi), or those without (anti), and nothing of the right", async () => {
    const semi = await join(VILLAGES, DISTRICTS, { how: "semi" });
    expect(semi.rows).toEqual([{ name: "Asan" }, { name: "Bela" }, { name: "Chor" }]);
    const anti = await join(VILLAGES, DISTRICTS, { how: "anti" });
    expect(anti.rows).toEqual([{ name: "Dih" }]);
  });

  it("names what clashes, and what to do about it", async () => {
    await expect(spatialJoin(VILLAGES, DISTRICTS)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: 'two columns of the join would be called "name"',
      hint: expect.stringContaining("--prefix"),
    });
  });

  it("names the columns that there are when one is not", async () => {
    await expect(spatialJoin(VILLAGES, DISTRICTS, { fields: ["cod"] })).rejects.toThrow(
      'the right layer has no column "cod"; it has code, people, name',
    );
  });

  it("refuses options that exclude each other", async () => {
    const wrong: [SpatialJoinOptions, RegExp][] = [
      [{ predicate: "none" }, /needs attributes/],
      [{ predicate: "dwithin" }, /needs a distance/],
      [{ predicate: "within", distance: 3 }, /only used by dwithin/],
      [{ how: "semi", fields: ["code"] }, /only columns of the left/],
      [{ how: "anti", aggregate: [{ operation: "count" }] }, /no columns of the right layer to aggregate/],
      [{ assign: "half-open", predicate: "touches" }, /half-open/],
      [{ minOverlapShare: 2 }, /share of 2/],
      [
        { predicate: "none", on: [{ left: "name", right: "name" }], largestOverlap: true },
        /condition in space/,
      ],
      [{ measure: "ellipsoid" }, /not in longitude and latitude/],
    ];
    for (const [options, message] of wrong)
      await expect(spatialJoin(VILLAGES, DISTRICTS, { prefix: "d_", ...options })).rejects.toThrow(message);
  });

  it("gives the same rows for any batch size", async () => {
    const whole = await join(VILLAGES, DISTRICTS, { how: "left", prefix: "d_" });
    const joined = await spatialJoin(VILLAGES, DISTRICTS, { how: "left", prefix: "d_" });
    const batches: FeatureTable[] = [];
    for await (const batch of joined.batches({ batchSize: 1 })) batches.push(batch);
    expect(batches.map(({ firstRow }) => firstRow)).toEqual([0, 2, 4, 6]);
    expect(rowsOf(concatTables(batches, joined.schema))).toEqual(whole.rows);
  });

  it("can be read twice, and counts anew", async () => {
    const joined = await spatialJoin(VILLAGES, DISTRICTS, { prefix: "d_" });
    await collect(joined);
    const { report } = await collect(joined);
    expect(report.pairs).toBe(6);
  });

  it("passes by features of an indexed file that cannot come out", async () => {
    const asked: unknown[] = [];
    const source = tableSource(VILLAGES, "villages");
    const watched: FeatureSource = {
      ...source,
      driver: "FlatGeobuf",
      batches: (options) => {
        asked.push(options?.bounds);
        return source.batches(options);
      },
    };
    const { report } = await join(watched, DISTRICTS, { how: "semi" });
    expect(asked).toEqual([[0, 0, 8, 8]]);
    expect(report).toMatchObject({ leftIn: 4, matched: 3, unmatched: 1 });
  });

  it("brings the right layer to the CRS of the left one with a warning, or refuses when told to", async () => {
    const left = tableFromGeoJson([feature(point(75, 15), { name: "here" })]);
    const metres = tableFromGeoJson([feature(square(499_000, 1_658_000, 2000), { zone: "43N" })], {
      crs: crsFromEpsg(32643),
    });
    const { rows, report } = await join(left, metres, { predicate: "within" });
    expect(rows).toEqual([{ name: "here", zone: "43N" }]);
    expect(report.warnings[0]).toMatch(
      /right layer was transformed from EPSG:32643 .* to EPSG:4326|OGC:CRS84/,
    );
    await expect(spatialJoin(left, metres, { onCrsMismatch: "error" })).rejects.toMatchObject({
      code: "CRS_MISMATCH",
    });
  });
});

describe("attribute equality", () => {
  it("joins by attributes alone, in both orders, without a geometry", async () => {
    const left = table([{ key: 2 }, { key: 1 }, { key: null }, { key: 3 }]);
    const right = table([
      { id: 1, x: "a" },
      { id: 2, x: "b" },
      { id: 2, x: "c" },
      { id: null, x: "d" },
    ]);
    const on = [{ left: "key", right: "id" }];
    const { rows } = await join(left, right, { predicate: "none", on, how: "left", fields: ["x"] });
    expect(rows).toEqual([
      { key: 2, x: "b" },
      { key: 2, x: "c" },
      { key: 1, x: "a" },
      { key: null, x: null },
      { key: 3, x: null },
    ]);
  });

  it("must hold together with the condition in space, several at once", async () => {
    const left = tableFromGeoJson([
      feature(point(1, 1), { state: "A", year: 2001 }),
      feature(point(1, 1), { state: "B", year: 2001 }),
      feature(point(9, 9), { state: "A", year: 2001 }),
    ]);
    const right = tableFromGeoJson([
      feature(square(0, 0, 2), { s: "A", y: 2001, k: 0 }),
      feature(square(0, 0, 3), { s: "A", y: 2002, k: 1 }),
      feature(square(0, 0, 4), { s: "B", y: 2001, k: 2 }),
    ]);
    const on = [
      { left: "state", right: "s" },
      { left: "year", right: "y" },
    ];
    const { rows } = await join(left, right, { on, fields: ["k"], how: "left" });
    expect(rows.map(({ k }) => k)).toEqual([0, 2, null]);
  });

  it("leaves out the right key when it is called as the left one", async () => {
    const left = table([{ uid: 1, a: "x" }]);
    const right = table([{ uid: 1, b: "y" }]);
    const on = [{ left: "uid", right: "uid" }];
    expect((await join(left, right, { predicate: "none", on })).rows).toEqual([{ uid: 1, a: "x", b: "y" }]);
  });

  it("compares numbers across integer and floating columns, and large whole numbers exactly", async () => {
    const left = table([{ a: 2 }, { a: 9007199254740993n }]);
    const right = table([
      { b: 2.5, k: 0 },
      { b: 2, k: 1 },
    ]);
    expect(left.columns[0]!.type).toBe("int64");
    expect(right.columns[0]!.type).toBe("float64");
    const on = [{ left: "a", right: "b" }];
    expect((await join(left, right, { predicate: "none", on, fields: ["k"] })).rows).toEqual([
      { a: 2, k: 1 },
    ]);
    const same = await join(
      left,
      table([
        { c: 9007199254740992n, k: 0 },
        { c: 9007199254740993n, k: 1 },
      ]),
      {
        predicate: "none",
        on: [{ left: "a", right: "c" }],
        fields: ["k"],
      },
    );
    expect(same.rows).toEqual([{ a: 9007199254740993n, k: 1 }]);
  });

  it("refuses text against numbers", async () => {
    const on = [{ left: "a", right: "b" }];
    await expect(
      spatialJoin(table([{ a: "2" }]), table([{ b: 2 }]), { predicate: "none", on }),
    ).rejects.toThrow(
      /"a" of the left layer is string and "b" of the right layer is int32: they cannot be compared/,
    );
  });
});

describe("aggregates", () => {
  const RIGHT = tableFromGeoJson(
    [
      feature(point(1, 1), { n: 4, x: 0.5, kind: "well", when: "2020-01-03" }),
      feature(point(2, 1), { n: null, x: 2, kind: "pump", when: "2019-01-03" }),
      feature(point(3, 1), { n: 10, x: 9, kind: "pump", when: null }),
      feature(point(3, 2), { n: 1, x: null, kind: "well", when: "2021-05-01" }),
      feature(point(30, 2), { n: 1, x: 1, kind: "well", when: "2021-05-01" }),
    ],
    { crs: null },
  );
  const LEFT = tableFromGeoJson([feature(square(0, 0, 4), { id: 1 }), feature(square(9, 9, 1), { id: 2 })], {
    crs: null,
  });

  it("give one row for each left feature, skip nulls, and are null where there is nothing", async () => {
    const aggregate = parseAggregates(
      "count,count:n,sum:n,mean:n,min:x,max:x,median:n,mode:kind,first:n,last:x,collect:n,weighted-mean:x:n,max:when",
    );
    const { rows, table: out } = await join(LEFT, RIGHT, { aggregate });
    expect(rows[0]).toEqual({
      id: 1,
      count: 4,
      n_count: 3,
      n_sum: 15,
      n_mean: 5,
      x_min: 0.5,
      x_max: 9,
      n_median: 4,
      kind_mode: "well",
      n_first: 4,
      x_last: 9,
      n_collect: [4, 10, 1],
      x_weighted_mean: (0.5 * 4 + 9 * 10) / 14,
      when_max: "2021-05-01",
    });
    expect(rows[1]).toEqual({
      id: 2,
      count: 0,
      n_count: 0,
      n_sum: null,
      n_mean: null,
      x_min: null,
      x_max: null,
      n_median: null,
      kind_mode: null,
      n_first: null,
      x_last: null,
      n_collect: null,
      x_weighted_mean: null,
      when_max: null,
    });
    expect(out.columns.find(({ name }) => name === "n_sum")!.type).toBe("int64");
  });

  it("leave out left features without a partner in an inner join", async () => {
    const { rows } = await join(LEFT, RIGHT, { how: "inner", aggregate: [{ operation: "count" }] });
    expect(rows).toEqual([{ id: 1, count: 4 }]);
  });

  it("take the prefix, and a name of their own", async () => {
    const aggregate = [
      { operation: "sum", field: "n" },
      { operation: "count", name: "wells" },
    ] as const;
    const { rows } = await join(LEFT, RIGHT, { aggregate, prefix: "r_" });
    expect(rows[0]).toEqual({ id: 1, r_n_sum: 15, r_wells: 4 });
  });

  it("refuse what cannot be computed of a type, and what is no aggregate", async () => {
    await expect(
      spatialJoin(LEFT, RIGHT, { aggregate: [{ operation: "mean", field: "kind" }] }),
    ).rejects.toThrow('"kind" of the right layer is string: there is no mean of it');
    expect(() => parseAggregates("sum")).toThrow(/"sum" is no aggregate/);
    expect(() => parseAggregates("total:x")).toThrow(/"total:x" is no aggregate/);
  });
});

describe("overlap", () => {
  const PARCEL = tableFromGeoJson([feature(rectangle(0, 0, 10, 1), { parcel: 1 })], { crs: null });
  const SOILS = tableFromGeoJson(
    [
      feature(rectangle(-5, 0, 7, 1), { soil: "clay", people: 70, rate: 0.1 }),
      feature(rectangle(2, 0, 4, 1), { soil: "loam", people: 40, rate: 0.2 }),
      feature(rectangle(6, 0, 4, 1), { soil: "sand", people: 8, rate: 0.5 }),
    ],
    { crs: null },
  );

  it("finds the partner that shares most, and tells ties apart by the policy", async () => {
    const fields = ["soil"];
    const all = await join(PARCEL, SOILS, { largestOverlap: true, fields, overlapColumn: "shared" });
    expect(all.rows).toEqual([
      { parcel: 1, soil: "loam", shared: 4 },
      { parcel: 1, soil: "sand", shared: 4 },
    ]);
    const first = await join(PARCEL, SOILS, { largestOverlap: true, fields, ties: "first" });
    expect(first.rows).toEqual([{ parcel: 1, soil: "loam" }]);
    expect(first.report.tied).toBe(1);
    const ids = tableFromGeoJson(
      ["clay", "loam", "sand"].map((soil, k) => feature(rectangle(2 * k, 0, 2, 1), { soil }, [12, 9, 10][k])),
      { crs: null },
    );
    const lowest = await join(PARCEL, ids, {
      largestOverlap: true,
      ties: "lowest-id",
      rightIdColumn: "from",
    });
    expect(lowest.rows).toEqual([{ parcel: 1, soil: "loam", from: 9 }]);
  });

  it("leaves out partners that share too little", async () => {
    const soils = async (options: SpatialJoinOptions): Promise<unknown[]> =>
      (await join(PARCEL, SOILS, { fields: ["soil"], ...options })).rows.map(({ soil }) => soil);
    expect(await soils({ minOverlapShare: 0.4 })).toEqual(["loam", "sand"]);
    expect(await soils({ minOverlapShare: 1, shareOf: "right" })).toEqual(["loam", "sand"]);
    expect(await soils({ minOverlapShare: 0.2, shareOf: "smaller" })).toEqual(["clay", "loam", "sand"]);
    expect(await soils({ minOverlapArea: 2 })).toEqual(["clay", "loam", "sand"]);
    expect(await soils({ minOverlapArea: 2.5 })).toEqual(["loam", "sand"]);
  });

  it("interpolates what adds up by shares, and rates by means weighted with the area", async () => {
    const { rows } = await join(PARCEL, SOILS, {
      aggregate: parseAggregates("extensive:people,intensive:rate,weighted-mean:rate"),
    });
    expect(rows[0]!["people_extensive"]).toBeCloseTo((2 / 7) * 70 + 40 + 8, 12);
    const mean = (2 * 0.1 + 4 * 0.2 + 4 * 0.5) / 10;
    expect(rows[0]!["rate_intensive"]).toBeCloseTo(mean, 12);
    expect(rows[0]!["rate_weighted_mean"]).toBeCloseTo(mean, 12);
  });

  it("keeps the total of an extensive quantity when the left polygons are a partition", async () => {
    const cells = tableFromGeoJson(
      [0, 1, 2, 3].map((k) => feature(rectangle(-6 + 6 * k, -1, 6, 3), { k })),
      { crs: null },
    );
    const { rows } = await join(cells, SOILS, { aggregate: parseAggregates("extensive:people") });
    const total = rows.reduce((sum, row) => sum + ((row["people_extensive"] as number | null) ?? 0), 0);
    expect(total).toBeCloseTo(118, 10);
  });

  it("measures lines in polygons by their length", async () => {
    const stream = tableFromGeoJson(
      [
        feature(
          {
            type: "LineString",
            coordinates: [
              [-1, 0.5],
              [3, 0.5],
            ],
          },
          { stream: 1 },
        ),
      ],
      { crs: null },
    );
    const { rows } = await join(stream, SOILS, {
      fields: ["soil"],
      overlapColumn: "length",
      largestOverlap: true,
    });
    expect(rows).toEqual([{ stream: 1, soil: "clay", length: 3 }]);
  });

  it("measures in square metres on the ellipsoid when the layers are in longitude and latitude", async () => {
    const left = tableFromGeoJson([feature(square(77, 20, 1), { a: 1 })]);
    const right = tableFromGeoJson([feature(square(77.5, 20, 1), { b: 1 })]);
    const { rows } = await join(left, right, { overlapColumn: "m2" });
    const shared = Float64Array.of(77.5, 20, 78, 20, 78, 21, 77.5, 21, 77.5, 20);
    expect((rows[0]!["m2"] as number) / lonLatRingArea(shared, 0, 5)).toBeCloseTo(1, 12);
    const plane = await join(left, right, { overlapColumn: "square_degrees", measure: "plane" });
    expect(plane.rows[0]!["square_degrees"]).toBe(0.5);
  });
});

describe("conditions in time", () => {
  const SCENES = tableFromGeoJson(
    ["2024-01-01", "2024-01-09", "2024-01-11", "2024-03-01", null].map((date, k) =>
      feature(square(0, 0, 5), { scene: k, date }),
    ),
    { crs: null },
  );
  const SAMPLES = tableFromGeoJson(
    [feature(point(1, 1), { taken: "2024-01-10" }), feature(point(1, 1), { taken: null })],
    {
      crs: null,
    },
  );
  const asOf = { left: "taken", right: "date" };

  it("take the nearest in time, both of two equally near", async () => {
    const { rows } = await join(SAMPLES, SCENES, { asOf, fields: ["scene"], differenceColumn: "days" });
    expect(rows).toEqual([
      { taken: "2024-01-10", scene: 1, days: 1 },
      { taken: "2024-01-10", scene: 2, days: 1 },
    ]);
    const first = await join(SAMPLES, SCENES, { asOf, fields: ["scene"], ties: "first" });
    expect(first.rows.map(({ scene }) => scene)).toEqual([1]);
  });

  it("look back or forth only, and no further than the limit", async () => {
    const scenes = async (condition: object): Promise<unknown[]> =>
      (await join(SAMPLES, SCENES, { asOf: { ...asOf, ...condition }, fields: ["scene"] })).rows.map(
        ({ scene }) => scene,
      );
    expect(await scenes({ direction: "backward" })).toEqual([1]);
    expect(await scenes({ direction: "forward" })).toEqual([2]);
    expect(await scenes({ maxDifference: 0.5 })).toEqual([]);
    expect(await scenes({ maxDifference: 9, keep: "all" })).toEqual([0, 1, 2]);
    expect(await scenes({ maxDifference: 8.999, keep: "all" })).toEqual([1, 2]);
  });

  it("refuse columns that hold no times", async () => {
    await expect(spatialJoin(SAMPLES, SCENES, { asOf: { left: "taken", right: "scene" } })).rejects.toThrow(
      '"scene" of the right layer is int32, expected dates',
    );
  });
});

describe("assign half-open", () => {
  it("counts every point of a partition once, where intersects counts those on borders twice", async () => {
    const cells = tableFromGeoJson(
      [0, 1, 2, 3].map((k) => feature(square(k % 2, Math.floor(k / 2), 1), { cell: k })),
      { crs: null },
    );
    const points = tableFromGeoJson(
      [0, 0.5, 1, 1.5, 2].flatMap((x) => [0, 0.5, 1, 1.5, 2].map((y) => feature(point(x, y), { x, y }))),
      { crs: null },
    );
    expect((await join(points, cells, {})).report.pairs).toBe(36);
    const { report, rows } = await join(points, cells, { assign: "half-open" });
    expect(report).toMatchObject({ pairs: 25, matched: 25, unmatched: 0 });
    expect(rows.find(({ x, y }) => x === 1 && y === 1)).toMatchObject({ cell: 3 });
  });

  it("refuses anything but points", async () => {
    const joined = await spatialJoin(DISTRICTS, DISTRICTS, { assign: "half-open", prefix: "r_" });
    await expect(collect(joined)).rejects.toMatchObject({
      code: "INVALID_GEOMETRY",
      message: expect.stringContaining("row 0 of the left layer is no point"),
    });
  });
});

describe("dwithin", () => {
  it("counts metres in longitude and latitude, across the antimeridian too", async () => {
    const left = tableFromGeoJson([feature(point(179.9999, 0), { a: 1 })]);
    const right = tableFromGeoJson([
      feature(point(-179.9999, 0), { b: 1 }),
      feature(point(179.99, 0), { b: 2 }),
    ]);
    const { rows } = await join(left, right, { predicate: "dwithin", distance: 100 });
    expect(rows).toEqual([{ a: 1, b: 1 }]);
  });

  it("counts units of the CRS in a plane", async () => {
    const { rows } = await join(VILLAGES, DISTRICTS, {
      predicate: "dwithin",
      distance: 17,
      how: "semi",
    });
    expect(rows).toHaveLength(4);
  });
});

interface Joined {
  readonly rows: Row[];
  readonly table: FeatureTable;
  readonly report: JoinedFeatures["report"];
}

async function join(
  left: FeatureTable | FeatureSource,
  right: FeatureTable,
  options: SpatialJoinOptions,
): Promise<Joined> {
  return await collect(await spatialJoin(left, right, options));
}

async function collect(joined: JoinedFeatures): Promise<Joined> {
  const batches: FeatureTable[] = [];
  for await (const batch of joined.batches()) batches.push(batch);
  const all = concatTables(batches, joined.schema);
  // What the schema promises is what comes out.
  expect(all.columns.map(({ name, type }) => [name, type])).toEqual(
    joined.schema.fields.map(({ name, type }) => [name, type]),
  );
  return { rows: rowsOf(all), table: all, report: joined.report };
}

function rowsOf(all: FeatureTable): Row[] {
  return Array.from({ length: all.count }, (_, row) => rowAt(all, row));
}

function names({ rows }: Joined, ...columns: string[]): unknown[][] {
  return rows.map((row) => columns.map((name) => row[name]));
}

function layer(rows: readonly [name: string, geometry: Geometry | null][]): FeatureTable {
  return tableFromGeoJson(
    rows.map(([name, geometry], k) => feature(geometry, { name }, k)),
    { crs: null },
  );
}

function table(rows: readonly Row[]): FeatureTable {
  return tableFromGeoJson(
    rows.map((row) => feature(null, row)),
    { crs: null },
  );
}

function feature(geometry: Geometry | null, properties: Row, id?: string | number): Feature {
  return { type: "Feature", geometry, properties: properties as never, ...(id === undefined ? {} : { id }) };
}

function point(x: number, y: number): Geometry {
  return { type: "Point", coordinates: [x, y] };
}

function square(x: number, y: number, size: number): Geometry {
  return rectangle(x, y, size, size);
}

function rectangle(x: number, y: number, width: number, height: number): Geometry {
  return {
    type: "Polygon",
    coordinates: [
      [
        [x, y],
        [x + width, y],
        [x + width, y + height],
        [x, y + height],
        [x, y],
      ],
    ],
  };
}
