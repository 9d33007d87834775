import { describe, expect, it } from "vitest";
import { geodesicDistanceRows } from "../../../../src/kernels/vector/distance/geodesic-distance.ts";
import { geodesicInverse } from "../../../../src/kernels/vector/geodesic.ts";
import { geodesicFinder } from "../../../../src/kernels/vector/nearest/geodesic-finder.ts";
import type { NearestRowsOptions } from "../../../../src/kernels/vector/nearest/nearest-rows.ts";
import { TIE } from "../../../../src/kernels/vector/nearest/nearest-set.ts";
import type { GeometryColumn } from "../../../../src/model/geometry.ts";
import { type Random, random } from "../../../../src/testing/random.ts";
import { columnOf } from "../../../helpers/vectors.ts";

type Triple = [left: number, right: number, distance: number];

function nearest(left: GeometryColumn, right: GeometryColumn, options: NearestRowsOptions = {}): Triple[] {
  const { starts, rows, distances } = geodesicFinder(right).find(left, options);
  const out: Triple[] = [];
  for (let i = 0; i + 1 < starts.length; i++)
    for (let at = starts[i]!; at < starts[i + 1]!; at++) out.push([i, rows[at]!, distances[at]!]);
  return out;
}

function byHand(
  left: GeometryColumn,
  right: GeometryColumn,
  { k = 1, maxDistance = Infinity }: NearestRowsOptions,
  distance: (i: number, j: number) => number,
): Triple[] {
  const out: Triple[] = [];
  for (let i = 0; i < left.types.length; i++) {
    const all: Triple[] = [];
    for (let j = 0; j < right.types.length; j++) all.push([i, j, distance(i, j)]);
    all.sort((a, b) => a[2] - b[2] || a[1] - b[1]);
    const last = all[k - 1]![2];
    out.push(...all.filter((one) => one[2] <= last * (1 + TIE) && one[2] <= maxDistance));
  }
  return out;
}

/** Places that are hard: all over the globe, around both poles, along the antimeridian, and doubles of each other. */
function places(next: Random, count: number): [number, number][] {
  const out: [number, number][] = [];
  while (out.length < count) {
    out.push(
      next.pick<[number, number]>([
        [next.between(-180, 180), next.between(-90, 90)],
        [next.between(-180, 180), 90 - next.next() ** 4 * 10],
        [next.between(-180, 180), -90 + next.next() ** 4 * 10],
        [180 + next.between(-1, 1), next.between(-30, 30)],
        [-180 + next.next(), next.between(-30, 30)],
        [next.between(-180, 180), 90],
        [next.pick([180, -180]), next.int(20)],
      ]),
    );
    if (next.next() < 0.1) out.push([...out[0]!]);
  }
  return out;
}

const point = ([lon, lat]: [number, number]): string => `POINT (${lon} ${lat})`;

describe("geodesicFinder", () => {
  it.each([1, 3])("is what measuring all pairs gives for points everywhere, k = %d", (k) => {
    const next = random(k);
    const from = places(next, 250);
    const to = places(next, 300);
    const [left, right] = [columnOf(...from.map(point)), columnOf(...to.map(point))];
    const distance = (i: number, j: number): number => geodesicInverse(...from[i]!, ...to[j]!).distance;
    for (const maxDistance of [Infinity, 200_000])
      expect(nearest(left, right, { k, maxDistance })).toEqual(
        byHand(left, right, { k, maxDistance }, distance),
      );
  });

  it("is what measuring all pairs gives for points far from all targets", () => {
    const next = random(9);
    const from = places(next, 60);
    const to = Array.from({ length: 40 }, (): [number, number] => [
      next.between(10, 12),
      next.between(50, 51),
    ]);
    const [left, right] = [columnOf(...from.map(point)), columnOf(...to.map(point))];
    const distance = (i: number, j: number): number => geodesicInverse(...from[i]!, ...to[j]!).distance;
    expect(nearest(left, right, { k: 2 })).toEqual(byHand(left, right, { k: 2 }, distance));
  });

  it("is what measuring all pairs gives for lines and polygons, to a micrometre", () => {
    const next = random(4);
    const shape = (): string => {
      const [lon, lat] = places(next, 1)[0]!;
      const size = next.pick([0.1, 2]);
      const at = (): string =>
        `${lon + next.between(-size, size) / Math.max(0.05, Math.cos((lat * Math.PI) / 180))} ${Math.max(-90, Math.min(90, lat + next.between(-size, size)))}`;
      const first = at();
      return next.pick([
        `POINT (${first})`,
        `LINESTRING (${first}, ${at()}, ${at()}, ${at()})`,
        `POLYGON ((${first}, ${at()}, ${at()}, ${first}))`,
        `MULTIPOINT (${first}, ${at()})`,
      ]);
    };
    const left = columnOf(...Array.from({ length: 40 }, shape));
    const right = columnOf(...Array.from({ length: 60 }, shape));
    const pairs = nearest(left, right, { ties: "first" });
    for (const [i, , distance] of pairs) {
      let least = Infinity;
      for (let j = 0; j < right.types.length; j++)
        least = Math.min(least, geodesicDistanceRows(left, i, right, j));
      expect(Math.abs(distance - least), `row ${i}`).toBeLessThan(1e-6);
    }
    expect(pairs).toHaveLength(40);
  });
});
