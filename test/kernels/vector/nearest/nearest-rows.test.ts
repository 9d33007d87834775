import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distanceRows } from "../../../../src/kernels/vector/distance/distance-rows.ts";
import { hilbertOrder } from "../../../../src/kernels/vector/nearest/hilbert-order.ts";
import {
  type NearestRowsOptions,
  planarFinder,
} from "../../../../src/kernels/vector/nearest/nearest-rows.ts";
import { TIE } from "../../../../src/kernels/vector/nearest/nearest-set.ts";
import { type Geometry, tableFromGeoJson } from "../../../../src/model/geojson.ts";
import type { GeometryColumn } from "../../../../src/model/geometry.ts";
import { random } from "../../../../src/testing/random.ts";
import { describeShared } from "../../../helpers/shared.ts";
import { columnOf, vectors } from "../../../helpers/vectors.ts";

type Triple = [left: number, right: number, distance: number];

function nearest(left: GeometryColumn, right: GeometryColumn, options: NearestRowsOptions = {}): Triple[] {
  const { starts, rows, distances } = planarFinder(right).find(left, options);
  const out: Triple[] = [];
  for (let i = 0; i + 1 < starts.length; i++)
    for (let at = starts[i]!; at < starts[i + 1]!; at++) out.push([i, rows[at]!, distances[at]!]);
  return out;
}

/** The same by holding every row against every other. */
function byHand(left: GeometryColumn, right: GeometryColumn, options: NearestRowsOptions): Triple[] {
  const { k = 1, maxDistance = Infinity, ties = "all" } = options;
  const out: Triple[] = [];
  for (let i = 0; i < left.types.length; i++) {
    const all: Triple[] = [];
    for (let j = 0; j < right.types.length; j++) {
      const distance = distanceRows(left, i, right, j);
      if (distance <= maxDistance && distance < Infinity) all.push([i, j, distance]);
    }
    all.sort((a, b) => (Math.abs(a[2] - b[2]) <= TIE * a[2] ? a[1] - b[1] : a[2] - b[2]));
    const last = all[Math.min(k, all.length) - 1]?.[2] ?? 0;
    out.push(
      ...all.filter(([, , distance], at) => at < k || (ties === "all" && distance <= last * (1 + TIE))),
    );
  }
  return out;
}

describe("planarFinder", () => {
  const towns = columnOf("POINT (0 0)", "POINT (10 0)", "POINT (10 0)", "POINT EMPTY", "POINT (0 30)");

  it("gives all that are equally near, in the order of rows", () => {
    expect(nearest(columnOf("POINT (9 0)", "POINT (5 0)"), towns)).toEqual([
      [0, 1, 1],
      [0, 2, 1],
      [1, 0, 5],
      [1, 1, 5],
      [1, 2, 5],
    ]);
  });

  it("gives the first of them, or the one of the lowest rank, when asked", () => {
    const at = columnOf("POINT (5 0)");
    expect(nearest(at, towns, { ties: "first" })).toEqual([[0, 0, 5]]);
    const rank = Int32Array.of(9, 7, 3, 0, 1);
    expect(nearest(at, towns, { ties: "lowest-id", rank })).toEqual([[0, 2, 5]]);
    expect(nearest(at, towns, { ties: "lowest-id", rank, k: 2 })).toEqual([
      [0, 2, 5],
      [0, 1, 5],
    ]);
  });

  it("gives k neighbours and those tied with the k-th", () => {
    const at = columnOf("POINT (1 0)");
    expect(nearest(at, towns, { k: 2 })).toEqual([
      [0, 0, 1],
      [0, 1, 9],
      [0, 2, 9],
    ]);
    expect(nearest(at, towns, { k: 2, ties: "first" })).toEqual([
      [0, 0, 1],
      [0, 1, 9],
    ]);
    expect(nearest(at, towns, { k: 100 })).toHaveLength(4);
  });

  it("stops at the greatest distance, which is still within", () => {
    expect(nearest(columnOf("POINT (0 3)", "POINT (5 0)"), towns, { maxDistance: 3 })).toEqual([[0, 0, 3]]);
    expect(nearest(columnOf("POINT (0 3)", "POINT (10 0)"), towns, { maxDistance: 0 })).toEqual([
      [1, 1, 0],
      [1, 2, 0],
    ]);
  });

  it("leaves out what it is told to", () => {
    const exclude = (row: number): number[] => [row];
    expect(nearest(towns, towns, { exclude, ties: "first" })).toEqual([
      [0, 1, 10],
      [1, 2, 0],
      [2, 1, 0],
      [4, 0, 30],
    ]);
  });

  it("gives nothing for null and empty rows, on either side", () => {
    expect(nearest(columnOf("POINT EMPTY", "LINESTRING EMPTY"), towns)).toEqual([]);
    expect(nearest(towns, columnOf("POLYGON EMPTY"))).toEqual([]);
    expect(nearest(columnOf(), columnOf())).toEqual([]);
  });

  it("knows that a polygon holds what does not touch its outline", () => {
    const zones = columnOf(
      "POLYGON ((0 0, 100 0, 100 100, 0 100, 0 0), (40 40, 40 60, 60 60, 60 40, 40 40))",
      "POINT (52 50)",
    );
    expect(nearest(columnOf("POINT (20 20)", "LINESTRING (50 50, 51 50)"), zones, { ties: "first" })).toEqual(
      [
        [0, 0, 0],
        [1, 1, 1],
      ],
    );
    expect(nearest(columnOf("POLYGON ((-9 -9, 200 -9, 200 200, -9 200, -9 -9))"), zones)).toEqual([
      [0, 0, 0],
      [0, 1, 0],
    ]);
  });

  it("is what comparing all with all gives, for every type, k and policy", () => {
    const options = fc.record({
      k: fc.constantFrom(1, 1, 2, 5),
      ties: fc.constantFrom("all" as const, "first" as const),
      maxDistance: fc.constantFrom(Infinity, Infinity, 3, 0),
    });
    fc.assert(
      fc.property(layer(12), layer(40), options, (left, right, chosen) => {
        expect(rounded(nearest(columnOf(...left), columnOf(...right), chosen))).toEqual(
          rounded(byHand(columnOf(...left), columnOf(...right), chosen)),
        );
      }),
      { seed: 5, numRuns: 400 },
    );
  });

  it("is not led astray by a few places that are none", () => {
    const next = random(6);
    const cloud = Array.from(
      { length: 400 },
      () => `POINT (${next.between(80, 81)} ${next.between(20, 21)})`,
    );
    const wrong = ["POINT (-1.79769e308 -1.79769e308)", "POINT (1e200 5)"];
    const left = columnOf(...cloud.slice(0, 200), ...wrong);
    const right = columnOf(...cloud.slice(200), ...wrong);
    const expected = byHand(columnOf(...cloud.slice(0, 200)), columnOf(...cloud.slice(200)), {});
    expect(nearest(left, right).slice(0, 200)).toEqual(expected);
  });

  it("keeps its order where most points are, whatever the others", () => {
    const next = random(7);
    const xy = new Float64Array(4000);
    for (let i = 0; i < 4000; i++) xy[i] = next.between(80, 81);
    xy.set([1e308, -1e308, Number.NaN, 7, -Infinity, Infinity], 1000);
    const order = hilbertOrder(xy, 2000, 2);
    expect(new Set(order).size).toBe(2000);
    let steps = 0;
    for (let k = 1; k < 2000; k++) {
      const [a, b] = [order[k - 1]!, order[k]!];
      const step = Math.hypot(xy[2 * a]! - xy[2 * b]!, xy[2 * a + 1]! - xy[2 * b + 1]!);
      if (step < 10) steps += step;
    }
    // A curve through 2,000 points of a unit square is about 40 long, a random order about 1,000.
    expect(steps).toBeLessThan(80);
  });

  it("is what comparing all with all gives for a thousand points in clusters", () => {
    const cluster = (seed: number): string[] => {
      const next = random(seed);
      return Array.from(
        { length: 1000 },
        () => `POINT (${1000 * next.int(4) + next.next() ** 6} ${next.next() ** 6})`,
      );
    };
    const left = columnOf(...cluster(1));
    const right = columnOf(...cluster(2));
    for (const k of [1, 7]) expect(nearest(left, right, { k })).toEqual(byHand(left, right, { k }));
  });
});

describeShared("nearest against the conformance vectors", () => {
  it("finds exactly the pairs of join/small and join/mid, distances to 1e-9", () => {
    let checked = 0;
    for (const { id, left, right, nearest: all, max_distance: maxDistance, nearest_within: within } of [
      ...vectors<JoinCase>("join", "small.jsonl"),
      ...vectors<JoinCase>("join", "mid.jsonl"),
    ]) {
      for (const [expected, options] of [
        [all, {}],
        [within, { maxDistance }],
      ] as const) {
        if (expected === undefined) continue;
        checked++;
        const found = nearest(geometries(left), geometries(right), options).sort(
          (a, b) => a[0] - b[0] || a[1] - b[1],
        );
        expect(
          found.map(([i, j]) => [i, j]),
          id,
        ).toEqual(expected.map(([i, j]) => [i, j]));
        for (const [at, [, , distance]] of expected.entries())
          expect(Math.abs(found[at]![2] - distance), id).toBeLessThanOrEqual(1e-9 * distance);
      }
    }
    expect(checked).toBeGreaterThan(30);
  });
});

interface JoinCase {
  id: string;
  left: Layer;
  right: Layer;
  nearest?: Triple[];
  max_distance?: number;
  nearest_within?: Triple[];
}
type Layer = { features: { geometry: Geometry | null }[] } | { file: string };

function geometries(layer: Layer): GeometryColumn {
  const all =
    "file" in layer
      ? vectors<{ geometry: Geometry; valid?: boolean }>(...layer.file.split("/"))
          .filter(({ valid }) => valid !== false)
          .map(({ geometry }) => geometry)
      : // One case has a collection without members in a form that is no GeoJSON; it is as good as none.
        layer.features.map(({ geometry }) => (geometry?.type === "GeometryCollection" ? null : geometry));
  return tableFromGeoJson(all.map((geometry) => ({ type: "Feature" as const, geometry, properties: {} })))
    .geometry!;
}

function rounded(all: Triple[]): [number, number, string][] {
  return all.map(([i, j, distance]) => [i, j, distance.toPrecision(12)]);
}

const position = fc
  .tuple(fc.integer({ min: 0, max: 24 }), fc.integer({ min: 0, max: 24 }))
  .map(([x, y]) => `${x / 2} ${y / 2}`);
const shape = fc.oneof(
  position.map((at) => `POINT (${at})`),
  fc.array(position, { minLength: 2, maxLength: 12 }).map((all) => `LINESTRING (${all.join(", ")})`),
  fc.array(position, { minLength: 1, maxLength: 4 }).map((all) => `MULTIPOINT (${all.join(", ")})`),
  fc
    .array(position, { minLength: 3, maxLength: 5 })
    .map((all) => `POLYGON ((${[...all, all[0]!].join(", ")}))`),
);

function layer(most: number): fc.Arbitrary<string[]> {
  return fc.oneof(
    fc.array(shape, { maxLength: most }),
    fc.array(
      position.map((at) => `POINT (${at})`),
      { maxLength: most },
    ),
  );
}
