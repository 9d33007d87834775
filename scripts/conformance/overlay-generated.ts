import * as geometry from "tilth/geometry";
import type { Family, Tally } from "./family.ts";
import { byDimension, type Geos, geos } from "./geos.ts";
import { differs, size } from "./same-result.ts";
import { eachVector } from "./vectors.ts";
import { wktGeometry } from "./wkt-geojson.ts";

interface Expected {
  readonly wkt?: string;
  readonly type: string;
  readonly area: number;
  readonly length: number;
  readonly empty: boolean;
}

interface Pair {
  readonly id: string;
  readonly kind: string;
  readonly a: string;
  readonly b: string;
  readonly expected: Record<string, Expected>;
  readonly predicates: Record<string, boolean>;
  readonly relate: string;
  readonly distance: number;
}

interface Validity {
  readonly id: string;
  readonly a: string;
  readonly expected: boolean;
  readonly reason: string | null;
}

/** Random, structured and real pairs whose results GEOS gave; overlay, predicates, matrix, distance and validity. */
export const family: Family = {
  name: "overlay-generated",
  async run(dir) {
    const judge = await geos();
    return [
      ...(await eachVector<Pair>("overlay-generated", dir, "pairs.jsonl", (v, t) => pairCases(judge, v, t))),
      ...(await eachVector<Validity>("overlay-generated", dir, "validity.jsonl", validityCase)),
    ];
  },
};

const OVERLAYS = {
  intersection: geometry.intersection,
  union: geometry.union,
  difference: geometry.difference,
  symdifference: geometry.symmetricDifference,
} as const;

const PREDICATES = {
  intersects: geometry.intersects,
  disjoint: geometry.disjoint,
  contains: geometry.contains,
  within: geometry.within,
  covers: geometry.covers,
  coveredBy: geometry.coveredBy,
  touches: geometry.touches,
  crosses: geometry.crosses,
  overlaps: geometry.overlaps,
  equals: geometry.equals,
} as const;

async function pairCases(judge: Geos, pair: Pair, tally: Tally): Promise<void> {
  const a = wktGeometry(pair.a);
  const b = wktGeometry(pair.b);
  for (const [op, run] of Object.entries(OVERLAYS)) {
    await tally.check(`${pair.id} ${op}`, () => overlayDiffers(judge, pair, run(a, b), pair.expected[op]!));
  }
  for (const [name, run] of Object.entries(PREDICATES)) {
    const expected = pair.predicates[name];
    if (expected === undefined) continue;
    await tally.check(`${pair.id} ${name}`, () => {
      const found = run(a, b);
      return found === expected ? null : `${name} is ${found}; the matrix is ${geometry.relate(a, b)}`;
    });
  }
  const matrix = geometry.relate(a, b);
  if (matrix !== pair.relate && matrix === judge.relate(pair.a, pair.b))
    tally.skip("matrix of GEOS 3.11 where rounding decides; GEOS 3.13 gives ours");
  else {
    await tally.check(`${pair.id} relate`, () =>
      matrix === pair.relate ? null : `${matrix}, expected ${pair.relate}`,
    );
  }
  await tally.check(`${pair.id} distance`, () => {
    const found = geometry.distance(a, b, { surface: "plane" });
    const off = Math.abs(found - pair.distance);
    tally.error(pair.distance === 0 ? off : off / pair.distance);
    return off <= 1e-9 * pair.distance ? null : `distance ${found}, expected ${pair.distance}`;
  });
}

function overlayDiffers(
  judge: Geos,
  pair: Pair,
  found: geometry.Geometry,
  expected: Expected,
): string | null {
  const inputs = [wktGeometry(pair.a), wktGeometry(pair.b)];
  const { extent, largest } = size(inputs);
  const { polygons, lines, points } = byDimension(found);
  // Slivers below this width may be dropped or kept for near-coincident pairs.
  const width = pair.kind === "near-coincident" ? 1e-9 * extent : 0;
  if (expected.wkt !== undefined && pair.kind !== "near-coincident")
    return differs(judge, found, wktGeometry(expected.wkt), inputs);
  if (polygons.length > 0) {
    const why = judge.invalid(polygons);
    if (why !== null) return `not valid: ${why}`;
  }
  const area = judge.area(polygons);
  const perimeter = judge.perimeter(polygons);
  const limit = Math.max(
    1e-7 * expected.area,
    Math.max(perimeter, expected.length) * Math.max(width, 1e-9 * extent, 1e-13 * largest),
  );
  if (!(Math.abs(area - expected.area) <= limit)) return `area ${area}, expected ${expected.area}`;
  // Slivers of no area have a long outline: polygons are compared by area alone.
  if (pair.kind === "near-coincident" || /Polygon/.test(expected.type)) return null;
  const length =
    perimeter + geometry.length({ type: "MultiLineString", coordinates: lines }, { surface: "plane" });
  if (!(Math.abs(length - expected.length) <= 1e-7 * expected.length + 1e-8 * extent))
    return `length ${length}, expected ${expected.length}`;
  const empty = polygons.length + lines.length + points.length === 0;
  return empty === expected.empty ? null : empty ? "empty" : "not empty";
}

async function validityCase(vector: Validity, tally: Tally): Promise<void> {
  await tally.check(vector.id, () => {
    const found = geometry.validityReason(wktGeometry(vector.a));
    if ((found === null) !== vector.expected) return found === null ? "valid" : `not valid: ${found.reason}`;
    if (found === null || vector.reason === null) return null;
    return kind(found.reason) === kind(vector.reason) ? null : `${found.reason}, expected ${vector.reason}`;
  });
}

/** Which kind of fault: libraries meet the faults of a geometry in different orders, and name some alike. */
function kind(reason: string): string {
  if (/self-intersection|nested shells|nested holes|holes are nested/i.test(reason))
    return "rings cross or overlap";
  if (/outside/i.test(reason)) return "hole outside";
  if (/disconnected/i.test(reason)) return "interior disconnected";
  if (/too few/i.test(reason)) return "too few points";
  if (/closed/i.test(reason)) return "not closed";
  return "coordinate";
}
