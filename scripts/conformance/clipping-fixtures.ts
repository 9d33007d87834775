import * as geometry from "tilth/geometry";
import type { Family, Tally } from "./family.ts";
import { byDimension, type Geos, geos } from "./geos.ts";
import { differs } from "./same-result.ts";
import { eachVector } from "./vectors.ts";

type Geometry = geometry.Geometry;

/** Fixtures of other clipping libraries, their expectations graded by GEOS. */
export const family: Family = {
  name: "clipping-fixtures",
  async run(dir) {
    const judge = await geos();
    const name = "clipping-fixtures";
    return [
      ...(await eachVector<Fixture>(name, dir, "overlay.jsonl", (v, t) => overlayCase(judge, v, t))),
      ...(await eachVector<Clipper>(name, dir, "clipper2.jsonl", (v, t) => clipperCase(judge, v, t))),
      ...(await eachVector<BooleanFixture>(name, dir, "turf-booleans.jsonl", booleanCase)),
      ...(await eachVector<Box>(name, dir, "bbox-clip.jsonl", (v, t) => boxCase(judge, v, t))),
    ];
  },
};

interface Fixture {
  readonly id: string;
  readonly source: string;
  readonly op: "union" | "intersection" | "difference" | "xor";
  readonly args: readonly Geometry[];
  readonly expected: Geometry | null;
  readonly geos_agrees?: boolean | null;
  readonly must_not_fail?: boolean;
  readonly expected_empty?: boolean;
}

const FOLDS = {
  union: geometry.union,
  intersection: geometry.intersection,
  difference: geometry.difference,
  xor: geometry.symmetricDifference,
} as const;

async function overlayCase(judge: Geos, fixture: Fixture, tally: Tally): Promise<void> {
  const compare = (): string | null => {
    // polygon-clipping takes holes off and reads rings by the non-zero rule, which is the structure method of repair.
    const read = (arg: Geometry): Geometry =>
      fixture.source === "polygon-clipping" && !geometry.isValid(arg)
        ? geometry.makeValid(arg, { method: "structure" })
        : arg;
    const [first, ...rest] = fixture.args.map(read);
    // A union of one geometry still merges its parts.
    let found = rest.length === 0 ? geometry.unaryUnion(first!) : first!;
    for (const next of rest) found = FOLDS[fixture.op](found, next);
    if (fixture.expected === null) {
      return fixture.expected_empty === true && byDimension(found).polygons.length > 0 ? "not empty" : null;
    }
    return differs(judge, polygonsOf(found), polygonsOf(fixture.expected), fixture.args);
  };
  if (fixture.geos_agrees === false) {
    let why: string | null;
    try {
      why = compare();
    } catch (error) {
      // Even where the expectation is in doubt nothing may be thrown.
      why = `threw ${String(error)}`;
    }
    if (why === null || why.startsWith("threw")) await tally.check(fixture.id, () => why);
    else tally.skip("expectation that GEOS disagrees with");
  } else await tally.check(fixture.id, compare);
}

function polygonsOf(geometry: Geometry): Geometry {
  return { type: "MultiPolygon", coordinates: byDimension(geometry).polygons } as Geometry;
}

type Path = readonly (readonly [number, number])[];

interface Clipper {
  readonly id: string;
  readonly cliptype: "union" | "intersection" | "difference" | "xor";
  readonly fillrule: "evenodd" | "nonzero" | "positive" | "negative";
  readonly expected_area: number;
  readonly subjects: readonly Path[] | null;
  readonly subjects_open: readonly Path[] | null;
  readonly clips: readonly Path[] | null;
  readonly geos_area?: number;
}

async function clipperCase(judge: Geos, vector: Clipper, tally: Tally): Promise<void> {
  if (vector.fillrule !== "evenodd") {
    tally.skip(`fill rule ${vector.fillrule}: polygons here follow the even-odd rule`);
    return;
  }
  await tally.check(vector.id, () => {
    const [subject, clip] = [vector.subjects, vector.clips].map((paths) =>
      // Rings of one polygon combine by the even-odd rule.
      geometry.makeValid({
        type: "Polygon",
        coordinates: (paths ?? []).filter((p) => p.length > 2).map(closed),
      }),
    );
    const found = FOLDS[vector.cliptype](subject!, clip!);
    const { polygons } = byDimension(found);
    const area = judge.area(polygons);
    if (polygons.length > 0) {
      const why = judge.invalid(polygons);
      if (why !== null) return `not valid: ${why}`;
    }
    if (vector.geos_area !== undefined && Math.abs(area - vector.geos_area) <= 1e-6 * vector.geos_area)
      return null;
    if (Math.abs(area - vector.expected_area) <= 0.005 * vector.expected_area) return null;
    return `area ${area}, expected ${vector.geos_area ?? vector.expected_area}`;
  });
}

function closed(path: Path): number[][] {
  return [...path, path[0]!].map(([x, y]) => [x, y]);
}

interface BooleanFixture {
  readonly id: string;
  readonly op: string;
  readonly a: Geometry;
  readonly b: Geometry;
  readonly geos: boolean | null;
  readonly expected: boolean;
  readonly geos_agrees: boolean | null;
}

const BOOLEANS = {
  contains: geometry.contains,
  within: geometry.within,
  touches: geometry.touches,
  crosses: geometry.crosses,
  disjoint: geometry.disjoint,
  intersects: geometry.intersects,
  overlaps: geometry.overlaps,
  equals: geometry.equals,
} as const;

/** What GEOS says counts; turf's word where GEOS says nothing. */
async function booleanCase(vector: BooleanFixture, tally: Tally): Promise<void> {
  const run = (): boolean =>
    vector.op === "isValid"
      ? geometry.isValid(vector.a)
      : BOOLEANS[vector.op as keyof typeof BOOLEANS](vector.a, vector.b);
  if (vector.geos_agrees === false && run() === vector.expected) {
    tally.skip("turf's word, where the reader of GEOS closes rings or drops coordinates");
    return;
  }
  await tally.check(vector.id, () => {
    const found = run();
    return found === (vector.geos ?? vector.expected) ? null : `${vector.op} is ${found}`;
  });
}

interface Box {
  readonly id: string;
  readonly geometry: Geometry;
  readonly bbox: readonly [number, number, number, number];
  readonly expected: Geometry;
}

async function boxCase(
  judge: Geos,
  { id, geometry: given, bbox, expected }: Box,
  tally: Tally,
): Promise<void> {
  await tally.check(id, () => {
    const [minX, minY, maxX, maxY] = bbox;
    const box: Geometry = {
      type: "Polygon",
      coordinates: [
        [
          [minX, minY],
          [maxX, minY],
          [maxX, maxY],
          [minX, maxY],
          [minX, minY],
        ],
      ],
    };
    return differs(judge, geometry.intersection(given, box), expected, [given, box]);
  });
}
