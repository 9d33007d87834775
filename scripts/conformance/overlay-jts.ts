import * as geometry from "tilth/geometry";
import type { Family, Tally } from "./family.ts";
import { byDimension, type Geos, geos } from "./geos.ts";
import { differs, size } from "./same-result.ts";
import { eachVector } from "./vectors.ts";
import { wktGeometry } from "./wkt-geojson.ts";

type Geometry = geometry.Geometry;

interface Alternative {
  readonly expected: string | boolean | number;
}

interface Vector {
  readonly id: string;
  readonly a: string;
  readonly b?: string;
  readonly op: string;
  readonly args: readonly (string | number)[];
  readonly expected: string;
  readonly alt?: readonly Alternative[];
  readonly grid?: number;
  readonly inputs_valid?: boolean;
  readonly float_exact?: boolean;
  readonly geos311_agrees?: boolean | null;
  readonly tags?: readonly string[];
}

/** The JTS and GEOS test suites; see the README beside the vectors for how results are compared. */
export const family: Family = {
  name: "overlay-jts",
  async run(dir) {
    const judge = await geos();
    return [
      ...(await eachVector<Vector>("overlay-jts", dir, "overlay.jsonl", (v, t) => overlayCase(judge, v, t))),
      ...(await eachVector<RobustVector>("overlay-jts", dir, "robust-area.jsonl", (v, t) =>
        robustCase(judge, v, t),
      )),
      ...(await eachVector<Vector>("overlay-jts", dir, "predicates.jsonl", predicateCase)),
      ...(await eachVector<Vector>("overlay-jts", dir, "validity.jsonl", validityCase)),
      ...(await eachVector<Vector>("overlay-jts", dir, "measures.jsonl", measureCase)),
      ...(await eachVector<Vector>("overlay-jts", dir, "extras.jsonl", (v, t) => extraCase(judge, v, t))),
    ];
  },
};

const OVERLAYS = {
  intersection: geometry.intersection,
  union: geometry.union,
  difference: geometry.difference,
  symdifference: geometry.symmetricDifference,
} as const;

function operands(vector: Vector): Geometry[] {
  return vector.args
    .filter((name) => name === "A" || name === "B")
    .map((name) => wktGeometry((name === "A" ? vector.a : vector.b)!));
}

/** Every value that passes. */
function accepted<T>(vector: Vector): T[] {
  return [vector.expected, ...(vector.alt ?? []).map(({ expected }) => expected)] as T[];
}

async function overlayCase(judge: Geos, vector: Vector, tally: Tally): Promise<void> {
  const run = OVERLAYS[vector.op as keyof typeof OVERLAYS];
  const [a, b] = operands(vector);
  const grid = vector.float_exact === true ? undefined : vector.grid;
  const compare = (): string | null => {
    const found = b === undefined ? geometry.unaryUnion(a!, { grid }) : run(a!, b, { grid });
    if (vector.inputs_valid === false) return null;
    let why: string | null = null;
    for (const text of accepted<string>(vector)) {
      const off = differs(judge, found, wktGeometry(text), b === undefined ? [a!] : [a!, b]);
      if (off === null) return null;
      why ??= off;
    }
    return why;
  };
  if (vector.float_exact === true || vector.inputs_valid === false) {
    await tally.check(vector.id, compare);
    return;
  }
  // Not asked of a floating-point library. What passes nevertheless counts; what does not is said.
  let why: string | null;
  try {
    why = compare();
  } catch (error) {
    why = String(error);
  }
  if (why === null) await tally.check(vector.id, () => null);
  else if (grid !== undefined) tally.skip("expectation of a fixed grid that ours does not give");
  else tally.skip("expectation that GEOS 3.11 in floating point does not give either");
}

interface RobustVector {
  readonly id: string;
  readonly a: string;
  readonly b: string;
  readonly areas: Record<string, number>;
}

async function robustCase(judge: Geos, vector: RobustVector, tally: Tally): Promise<void> {
  const a = wktGeometry(vector.a);
  const b = wktGeometry(vector.b);
  const limit = 1e-6 * (vector.areas["a"]! + vector.areas["b"]!);
  const results = {
    intersection: () => geometry.intersection(a, b),
    union: () => geometry.union(a, b),
    a_minus_b: () => geometry.difference(a, b),
    b_minus_a: () => geometry.difference(b, a),
    symdifference: () => geometry.symmetricDifference(a, b),
  };
  for (const [op, run] of Object.entries(results)) {
    await tally.check(`${vector.id} ${op}`, () => {
      const { polygons } = byDimension(run());
      const area = judge.area(polygons);
      const off = Math.abs(area - vector.areas[op]!);
      if (!(off <= limit)) return `area ${area}, expected ${vector.areas[op]}`;
      if (polygons.length === 0) return null;
      const why = judge.invalid(polygons);
      return why === null ? null : `not valid: ${why}`;
    });
  }
}

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

async function predicateCase(vector: Vector, tally: Tally): Promise<void> {
  let exact = true;
  const compare = (): string | null => {
    const [a, b] = operands(vector) as [Geometry, Geometry];
    let found: boolean;
    if (vector.op === "relate") found = geometry.relate(a, b, String(vector.args[2]));
    else if (vector.op === "isWithinDistance")
      found = geometry.dwithin(a, b, Number(vector.args[2]), { surface: "plane" });
    else found = PREDICATES[vector.op as keyof typeof PREDICATES](a, b);
    if (accepted<boolean>(vector).includes(found)) return null;
    const matrix = vector.op === "isWithinDistance" ? "" : `; the matrix is ${geometry.relate(a, b)}`;
    exact = false;
    return `${vector.op} ${vector.args.slice(2).join()} is ${found}${matrix}`;
  };
  // A point that the suite wants on a line that the doubles of the case miss, or a matrix of an invalid polygon: GEOS
  // does not give it either.
  if (vector.geos311_agrees === false && vector.tags?.includes("collection") !== true) {
    const why = compare();
    if (!exact) tally.skip("the suite's word, where GEOS 3.11 answers as we do");
    else await tally.check(vector.id, () => why);
  } else await tally.check(vector.id, compare);
}

async function validityCase(vector: Vector, tally: Tally): Promise<void> {
  await tally.check(vector.id, () => {
    const text = vector.args[0] === "B" ? vector.b! : vector.a;
    // A lone ring is judged as the shell of a polygon: the rules are the same.
    const a = wktGeometry(text, vector.op === "isValid" ? "polygon" : "line");
    const found = vector.op === "isValid" ? geometry.isValid(a) : geometry.isSimple(a);
    return accepted<boolean>(vector).includes(found) ? null : `${vector.op} is ${found}`;
  });
}

async function measureCase(vector: Vector, tally: Tally): Promise<void> {
  let found = Number.NaN;
  const compare = (): string | null => {
    const inputs = operands(vector);
    const plane = { surface: "plane" } as const;
    const tolerance = vector.op === "distance" ? 1e-9 : 1e-6;
    if (vector.op === "distance") found = geometry.distance(inputs[0]!, inputs[1]!, plane);
    else {
      const merged = inputs.length === 1 ? geometry.unaryUnion(inputs[0]!) : geometry.union(...pair(inputs));
      found =
        vector.op === "unionArea" ? geometry.area(merged, plane) : geometry.length(linesOf(merged), plane);
    }
    for (const value of accepted<number | string>(vector)) {
      const expected = value === "inf" ? Infinity : Number(value);
      if (found === expected) return null;
      // No distance at all is 0 in one version of the suites and infinite in another.
      if (expected === 0 && found === Infinity && vector.tags?.includes("empty") === true) return null;
      const off = Math.abs(found - expected) / Math.max(Math.abs(expected), Number.MIN_VALUE);
      // Sums are printed with few digits, some cut off instead of rounded.
      if (off <= tolerance || (vector.op !== "distance" && Math.abs(found - expected) < lastDigit(value))) {
        tally.error(off);
        return null;
      }
    }
    return `${vector.op} is ${found}, expected ${vector.expected}`;
  };
  const values = accepted<number>(vector).map(Number);
  const why = compare();
  // Of lines that lie within rounding of each other, the length depends on how far a version draws them together.
  if (
    why !== null &&
    vector.op === "unionLength" &&
    found > Math.min(...values) &&
    found < Math.max(...values)
  )
    tally.skip("length between those that two versions of the suite expect");
  else await tally.check(vector.id, () => why);
}

/** One unit of the last digit that a number is printed with. */
function lastDigit(value: number | string): number {
  const [digits, exponent = "0"] = String(value).toLowerCase().split("e");
  return 10 ** (Number(exponent) - (digits!.split(".")[1]?.length ?? 0));
}

function pair(inputs: readonly Geometry[]): [Geometry, Geometry] {
  return [inputs[0]!, inputs[1]!];
}

function linesOf(merged: Geometry): Geometry {
  return { type: "MultiLineString", coordinates: byDimension(merged).lines } as Geometry;
}

async function extraCase(judge: Geos, vector: Vector, tally: Tally): Promise<void> {
  await tally.check(vector.id, () => {
    const a = wktGeometry(vector.a);
    const argument = Number(vector.args[1]);
    let found: Geometry;
    switch (vector.op) {
      case "equalsExact": {
        const equal = geometry.equalsExact(a, wktGeometry(vector.b!), Number(vector.args[2] ?? 0));
        return accepted<boolean>(vector).includes(equal) ? null : `equalsExact is ${equal}`;
      }
      case "centroid":
        found = geometry.centroid(a);
        break;
      case "interiorPoint":
        return interiorPointDiffers(a, vector);
      case "boundary":
        found = geometry.boundary(a);
        break;
      case "convexHull":
        found = geometry.convexHull(a);
        break;
      case "simplifyDP":
        found = geometry.simplify(a, argument, { preserveTopology: false });
        break;
      case "simplifyTP":
        found = geometry.simplify(a, argument, { preserveTopology: true });
        break;
      default:
        return `no operation ${vector.op}`;
    }
    let why: string | null = null;
    for (const text of accepted<string>(vector)) {
      const off = differs(judge, found, wktGeometry(text), [a]);
      if (off === null) return null;
      why ??= off;
    }
    return why;
  });
}

/** The interior point as the suite has it, or another point inside: which one is a choice of the library. */
function interiorPointDiffers(a: Geometry, vector: Vector): string | null {
  const found = geometry.pointOnSurface(a);
  const [point] = byDimension(found).points;
  const [wanted] = byDimension(wktGeometry(vector.expected)).points;
  if (point === undefined || wanted === undefined)
    return point === wanted ? null : `${JSON.stringify(found)}, expected ${vector.expected}`;
  if (Math.hypot(point[0]! - wanted[0]!, point[1]! - wanted[1]!) <= 1e-8 * size([a]).extent) return null;
  return geometry.contains(a, found) || (byDimension(a).polygons.length === 0 && geometry.covers(a, found))
    ? null
    : `${JSON.stringify(found)} is not inside`;
}
