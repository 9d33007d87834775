import { expect, it } from "vitest";
import { matchesPattern } from "../../../../src/kernels/vector/relate/patterns.ts";
import { PREDICATES, type Predicate, testRows } from "../../../../src/kernels/vector/relate/predicates.ts";
import {
  prepareRelate,
  relatePrepared,
  testPrepared,
} from "../../../../src/kernels/vector/relate/prepared.ts";
import { relateRows } from "../../../../src/kernels/vector/relate/relate.ts";
import { type Geometry, tableFromGeoJson } from "../../../../src/model/geojson.ts";
import type { GeometryColumn } from "../../../../src/model/geometry.ts";
import { describeShared } from "../../../helpers/shared.ts";
import { columnOf, vectors } from "../../../helpers/vectors.ts";

interface PredicateCase {
  id: string;
  a: string;
  b: string;
  op: string;
  args: string[];
  expected: boolean;
  alt?: boolean[];
  tags?: string[];
}

/** Expectations that are not met, and why. */
const DIFFERENT: ReadonlyMap<string, string> = new Map([
  ["j03341", "asks about the decimals 0.95 and 0.05, whose doubles lie inside of the triangle by 4e-17"],
  ["j08799", "a multipolygon that is not valid; j10059 expects another matrix for the same two geometries"],
  ["g0234", "an edge passes a vertex by less than rounding shows; GEOS 3.13 finds the exact matrix too"],
  ["g0239", "the same two vertices as g0234"],
]);

const isPredicate = (op: string): op is Predicate => (PREDICATES as readonly string[]).includes(op);

function gather(differing: string[]): string[] {
  return differing.filter((id) => !DIFFERENT.has(id));
}

describeShared("the predicates of the JTS and GEOS suites", () => {
  const cases = vectors<PredicateCase>("overlay-jts", "predicates.jsonl");

  it("hold, of rows and of prepared geometries", () => {
    const differing: string[] = [];
    let count = 0;
    for (const { id, a, b, op, args, expected, alt = [] } of cases) {
      if (!isPredicate(op)) continue;
      count++;
      const columns = columnOf(args[0] === "A" ? a : b, args[1] === "A" ? a : b);
      const answer = testRows(op, columns, 0, columns, 1);
      expect([id, testPrepared(prepareRelate(columns, 0), op, columns, 1)]).toEqual([id, answer]);
      if (answer !== expected && !alt.includes(answer)) differing.push(id);
    }
    expect(count).toBeGreaterThan(2000);
    expect(gather(differing)).toEqual([]);
  });

  it("and the patterns of their matrices fit", () => {
    const differing: string[] = [];
    let count = 0;
    for (const { id, a, b, op, args, expected } of cases) {
      if (op !== "relate") continue;
      count++;
      const columns = columnOf(args[0] === "A" ? a : b, args[1] === "A" ? a : b);
      const matrix = relateRows(columns, 0, columns, 1);
      expect([id, relatePrepared(prepareRelate(columns, 0), columns, 1)]).toEqual([id, matrix]);
      if (matchesPattern(matrix, args[2]!) !== expected) differing.push(id);
    }
    expect(count).toBeGreaterThan(200);
    expect(gather(differing)).toEqual([]);
  });
});

describeShared("generated and real pairs", () => {
  it("have the predicates and matrices of GEOS", () => {
    const differing = new Set<string>();
    for (const { id, a, b, predicates, relate } of vectors<{
      id: string;
      a: string;
      b: string;
      predicates: Record<string, boolean>;
      relate: string;
    }>("overlay-generated", "pairs.jsonl")) {
      const columns = columnOf(a, b);
      if (relateRows(columns, 0, columns, 1) !== relate) differing.add(id);
      for (const [op, expected] of Object.entries(predicates))
        if (testRows(op as Predicate, columns, 0, columns, 1) !== expected) differing.add(`${id} ${op}`);
    }
    expect(gather([...differing])).toEqual([]);
  });
});

describeShared("the boolean tests of turf", () => {
  it("have the answers of GEOS", () => {
    const differing: string[] = [];
    let count = 0;
    for (const { id, op, a, b, geos } of vectors<{
      id: string;
      op: string;
      a: Geometry;
      b: Geometry;
      geos: boolean | null;
    }>("clipping-fixtures", "turf-booleans.jsonl")) {
      if (!isPredicate(op) || geos === null) continue;
      count++;
      if (testRows(op, one(a), 0, one(b), 0) !== geos) differing.push(id);
    }
    expect(count).toBeGreaterThan(150);
    expect(gather(differing)).toEqual([]);
  });
});

function one(geometry: Geometry): GeometryColumn {
  return tableFromGeoJson([{ type: "Feature", geometry, properties: {} }], { crs: null }).geometry!;
}

describeShared("spatial joins by trying every pair", () => {
  it("find the expected pairs", () => {
    let count = 0;
    for (const file of ["small", "mid"]) {
      for (const { id, left, right, expected } of vectors<{
        id: string;
        left: { features: Feature[] };
        right: { features: Feature[] };
        expected?: Record<string, { inner: [number, number][] }>;
      }>("join", `${file}.jsonl`)) {
        if (expected === undefined || !Array.isArray(left.features) || !Array.isArray(right.features))
          continue;
        const [a, b] = [left, right].map(({ features }) => geometries(features));
        for (const [op, { inner }] of Object.entries(expected)) {
          if (!isPredicate(op)) continue;
          count++;
          const found: [number, number][] = [];
          for (let i = 0; i < a!.types.length; i++) {
            for (let j = 0; j < b!.types.length; j++) if (testRows(op, a!, i, b!, j)) found.push([i, j]);
          }
          expect([id, op, found]).toEqual([id, op, inner]);
        }
      }
    }
    expect(count).toBeGreaterThan(50);
  });
});

type Feature = {
  type: "Feature";
  geometry: (Geometry & { geometries?: Geometry[] }) | null;
  properties: null;
};

/** Some empty collections are written without their list of members. */
function geometries(features: readonly Feature[]): GeometryColumn {
  return tableFromGeoJson(
    features.map(({ geometry }) => ({
      type: "Feature" as const,
      geometry:
        geometry?.type === "GeometryCollection" && geometry.geometries === undefined
          ? { type: "GeometryCollection" as const, geometries: [] }
          : geometry,
      properties: {},
    })),
    { crs: null },
  ).geometry!;
}
