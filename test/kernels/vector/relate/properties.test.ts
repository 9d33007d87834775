import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newMatrix } from "../../../../src/kernels/vector/relate/matrix.ts";
import { holds, PREDICATES, testRows } from "../../../../src/kernels/vector/relate/predicates.ts";
import {
  locatePoint,
  prepareRelate,
  relatePrepared,
  testPrepared,
} from "../../../../src/kernels/vector/relate/prepared.ts";
import { quickIntersects, UNKNOWN } from "../../../../src/kernels/vector/relate/quick.ts";
import { relateRows } from "../../../../src/kernels/vector/relate/relate.ts";
import { loadShape, Shape } from "../../../../src/kernels/vector/relate/shape.ts";
import { findInvalid } from "../../../../src/kernels/vector/validity.ts";
import { type GeometryColumn, rowBounds } from "../../../../src/model/geometry.ts";
import { columnOf } from "../../../helpers/vectors.ts";
import { relateByDefinition } from "./witness.ts";

type Pair = readonly [number, number];

const list = (points: readonly Pair[]): string => points.map(([x, y]) => `${x} ${y}`).join(",");
const ring = (points: readonly Pair[]): string => `(${list([...points, points[0]!])})`;

/** Geometries on a lattice of few points, so that they touch, overlap and share edges all the time. */
function lattice(size: number, oftenCollections: boolean): fc.Arbitrary<string> {
  const point = fc.tuple(fc.nat(size), fc.nat(size));
  const line = fc.array(point, { minLength: 2, maxLength: 5 }).map(list);
  const around = fc
    .tuple(point, fc.array(point, { minLength: 3, maxLength: 8 }))
    .map(([[cx, cy], points]): Pair[] => {
      // Sorted by angle about a point that is none of theirs: mostly a star, which is mostly valid.
      const angle = ([x, y]: Pair): number => Math.atan2(y - cy - 0.3, x - cx - 0.4);
      return [...points].sort((p, q) => angle(p) - angle(q));
    });
  const free = fc.array(point, { minLength: 3, maxLength: 6 });
  const polygon = fc
    .tuple(fc.oneof(around, free), fc.option(fc.array(point, { minLength: 3, maxLength: 4 })))
    .map(([shell, hole]) => [ring(shell), hole === null ? "" : ring(hole)])
    .map(([shell, hole]) => {
      const whole = `(${shell},${hole})`;
      return hole !== "" && isValid(`POLYGON ${whole}`) ? whole : `(${shell})`;
    })
    .filter((text) => isValid(`POLYGON ${text}`));
  const polygons = fc
    .array(polygon, { minLength: 1, maxLength: 3 })
    .map((all) => (isValid(`MULTIPOLYGON (${all.join(",")})`) ? all : all.slice(0, 1)));
  const member = fc.oneof(
    point.map((p) => `POINT (${list([p])})`),
    fc.array(point, { minLength: 1, maxLength: 4 }).map((points) => `MULTIPOINT (${list(points)})`),
    line.map((points) => `LINESTRING (${points})`),
    fc.array(line, { minLength: 1, maxLength: 3 }).map((all) => `MULTILINESTRING ((${all.join("),(")}))`),
    polygon.map((text) => `POLYGON ${text}`),
    polygons.map((all) => `MULTIPOLYGON (${all.join(",")})`),
  );
  const collection = fc
    .array(member, { maxLength: 3 })
    .map((all) => (all.length === 0 ? "GEOMETRYCOLLECTION EMPTY" : `GEOMETRYCOLLECTION (${all.join(",")})`));
  return oftenCollections ? collection : fc.oneof({ weight: 5, arbitrary: member }, collection);
}

function isValid(text: string): boolean {
  return findInvalid(columnOf(text), 0) === null;
}

function transposed(matrix: string): string {
  return [0, 3, 6, 1, 4, 7, 2, 5, 8].map((k) => matrix[k]).join("");
}

const runs = (numRuns: number): fc.Parameters<unknown> => ({ numRuns, seed: 20260923 });

describe("the matrix of two geometries", () => {
  for (const [name, size, collections, count] of [
    ["on a lattice of 16 points", 3, false, 500],
    ["on a lattice of 64 points", 7, false, 300],
    ["that are collections", 4, true, 300],
    ["that are collections on a lattice of 9 points", 2, true, 400],
  ] as const) {
    it(`is what the definition says, of geometries ${name}`, () => {
      fc.assert(
        fc.property(lattice(size, collections), lattice(size, collections), (a, b) => {
          const columns = columnOf(a, b);
          expect(relateRows(columns, 0, columns, 1)).toBe(relateByDefinition(columns, 0, columns, 1));
        }),
        runs(count),
      );
    });
  }

  it("is transposed when they change places", () => {
    fc.assert(
      fc.property(lattice(5, false), lattice(5, false), (a, b) => {
        const columns = columnOf(a, b);
        expect(relateRows(columns, 1, columns, 0)).toBe(transposed(relateRows(columns, 0, columns, 1)));
      }),
      runs(1000),
    );
  });

  it("does not change when both are moved by amounts that coordinates hold exactly", () => {
    const shift = fc.constantFrom(1, -7, 2 ** 20, -(2 ** 40), 0.125);
    fc.assert(
      fc.property(lattice(5, false), lattice(5, false), shift, shift, (a, b, dx, dy) => {
        const columns = columnOf(a, b);
        const moved = mapped(columns, (x, y) => [x + dx, y + dy]);
        expect(relateRows(moved, 0, moved, 1)).toBe(relateRows(columns, 0, columns, 1));
      }),
      runs(500),
    );
  });

  it("does not change when edges get many vertices, so that indices are used", () => {
    fc.assert(
      fc.property(lattice(4, false), lattice(4, false), fc.constantFrom(1, 64, 128), (a, b, times) => {
        const columns = columnOf(a, b);
        const expected = relateRows(columns, 0, columns, 1);
        const dense = columnOf(...[a, b].map((text, k) => densified(text, k === 0 ? 128 : times)));
        expect(relateRows(dense, 0, dense, 1)).toBe(expected);
        expect(relateRows(dense, 1, dense, 0)).toBe(transposed(expected));
        const prepared = prepareRelate(dense, 0);
        expect(relatePrepared(prepared, dense, 1)).toBe(expected);
        for (const predicate of PREDICATES) {
          const answer = testRows(predicate, columns, 0, columns, 1);
          expect([predicate, testRows(predicate, dense, 0, dense, 1)]).toEqual([predicate, answer]);
          expect([predicate, testPrepared(prepared, predicate, dense, 1)]).toEqual([predicate, answer]);
        }
        const bounds = rowBounds(dense);
        const quick = quickIntersects(dense, 0, bounds, dense, 1, bounds);
        if (quick !== UNKNOWN) expect(quick === 1).toBe(testRows("intersects", columns, 0, columns, 1));
      }),
      runs(200),
    );
  });

  it("does not change when the plane is scaled to the limits of doubles", () => {
    fc.assert(
      fc.property(
        lattice(5, false),
        lattice(5, false),
        fc.constantFrom(-1040, -600, 500, 1000),
        (a, b, e) => {
          const columns = columnOf(a, b);
          const scaled = mapped(columns, (x, y) => [
            x * 2 ** (e / 2) * 2 ** (e / 2),
            y * 2 ** (e / 2) * 2 ** (e / 2),
          ]);
          expect(relateRows(scaled, 0, scaled, 1)).toBe(relateRows(columns, 0, columns, 1));
        },
      ),
      runs(300),
    );
  });

  it("of a geometry with itself is that of equal ones", () => {
    fc.assert(
      fc.property(lattice(5, false), (a) => {
        const columns = columnOf(a);
        expect(relateRows(columns, 0, columns, 0)).toMatch(/^[F012]FF[F]?[F01]?FFF2$/);
        expect(testRows("equals", columns, 0, columns, 0)).toBe(true);
      }),
      runs(300),
    );
  });
});

describe("predicates", () => {
  it("say what the matrix says, prepared or not", () => {
    const matrix = newMatrix();
    const [left, right] = [new Shape(), new Shape()];
    fc.assert(
      fc.property(lattice(4, false), lattice(4, false), (a, b) => {
        const columns = columnOf(a, b);
        const text = relateRows(columns, 0, columns, 1);
        for (let k = 0; k < 9; k++) matrix.values[k] = text[k] === "F" ? -1 : Number(text[k]);
        loadShape(left, columns, 0);
        loadShape(right, columns, 1);
        const prepared = prepareRelate(columns, 0);
        expect(relatePrepared(prepared, columns, 1)).toBe(text);
        for (const predicate of PREDICATES) {
          let expected = holds(predicate, matrix, left.dimension, right.dimension);
          // A line of no length has the points of a point, and is still no point.
          if (predicate === "equals" && left.nominal !== right.nominal) expected = false;
          expect([predicate, testRows(predicate, columns, 0, columns, 1)]).toEqual([predicate, expected]);
          expect([predicate, testPrepared(prepared, predicate, columns, 1)]).toEqual([predicate, expected]);
        }
      }),
      runs(1500),
    );
  });

  it("come in pairs", () => {
    fc.assert(
      fc.property(lattice(4, false), lattice(4, false), (a, b) => {
        const c = columnOf(a, b);
        expect(testRows("intersects", c, 0, c, 1)).toBe(!testRows("disjoint", c, 0, c, 1));
        expect(testRows("within", c, 0, c, 1)).toBe(testRows("contains", c, 1, c, 0));
        expect(testRows("coveredBy", c, 0, c, 1)).toBe(testRows("covers", c, 1, c, 0));
        for (const predicate of ["intersects", "touches", "crosses", "overlaps", "equals"] as const)
          expect(testRows(predicate, c, 0, c, 1)).toBe(testRows(predicate, c, 1, c, 0));
      }),
      runs(800),
    );
  });

  it("answer for any numbers, valid or not, finite or not", () => {
    const number = fc.oneof(
      { weight: 6, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
      { weight: 3, arbitrary: fc.integer({ min: -3, max: 3 }) },
      fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 5e-324, Number.MAX_VALUE),
    );
    const text = fc
      .tuple(
        fc.constantFrom(
          "LINESTRING (%)",
          "POLYGON ((%))",
          "MULTIPOINT (%)",
          "GEOMETRYCOLLECTION (POLYGON ((%)))",
        ),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })), {
          minLength: 1,
          maxLength: 9,
        }),
        fc.array(number, { minLength: 10, maxLength: 10 }),
      )
      .map(([form, points, numbers]): GeometryColumn => {
        const column = columnOf(form.replace("%", list(points)));
        return mapped(column, (x, y) => [numbers[x]!, numbers[y]!]);
      });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(relateRows(a, 0, b, 0)).toMatch(/^[F012]{8}2$/);
        const prepared = prepareRelate(a, 0);
        for (const predicate of PREDICATES) {
          expect(typeof testRows(predicate, a, 0, b, 0)).toBe("boolean");
          expect(typeof testPrepared(prepared, predicate, b, 0)).toBe("boolean");
        }
      }),
      runs(1500),
    );
  });
});

describe("a prepared polygon with many edges", () => {
  it("places points as the plain walk does", () => {
    const spikes = Array.from({ length: 400 }, (_, k): Pair => {
      const angle = (k / 400) * 2 * Math.PI;
      const radius = k % 2 === 0 ? 100 : 40 + (k % 7);
      return [Math.round(radius * Math.cos(angle)), Math.round(radius * Math.sin(angle))];
    });
    const columns = columnOf(`POLYGON (${ring(spikes)})`);
    const prepared = prepareRelate(columns, 0);
    const places = { "-1": 0, "0": 0, "1": 0 };
    for (let x = -101; x <= 101; x += 1) {
      for (let y = -101; y <= 101; y += 3) {
        const place = locatePoint(prepared, x, y);
        const matrix = relateRows(columns, 0, columnOf(`POINT (${x} ${y})`), 0);
        expect(place).toBe(matrix[0] === "0" ? 1 : matrix[3] === "0" ? 0 : -1);
        places[`${place}`]++;
      }
    }
    expect(Object.values(places).every((n) => n > 10)).toBe(true);
    expect(locatePoint(prepared, Number.NaN, 0)).toBe(-1);
  });
});

/** The same points with all coordinates times 128, and edges divided into pieces. */
function densified(text: string, pieces: number): string {
  return text.replace(/[\d][\d ,]*/g, (run) => {
    const points = run.split(",").map((pair) =>
      pair
        .trim()
        .split(" ")
        .map((number) => 128 * Number(number)),
    );
    const isLine = points.length > 1 && !text.slice(0, text.indexOf(run)).endsWith("MULTIPOINT (");
    const out: string[] = [];
    for (const [k, [x, y]] of points.entries()) {
      const [px, py] = points[Math.max(0, k - 1)]!;
      for (let i = isLine && k > 0 ? 1 : pieces; i <= pieces; i++)
        out.push(`${px! + ((x! - px!) * i) / pieces} ${py! + ((y! - py!) * i) / pieces}`);
    }
    return out.join(",");
  });
}

function mapped(column: GeometryColumn, move: (x: number, y: number) => Pair): GeometryColumn {
  const xy = new Float64Array(column.xy.length);
  for (let v = 0; v < xy.length; v += 2) {
    const [x, y] = move(column.xy[v]!, column.xy[v + 1]!);
    xy[v] = x;
    xy[v + 1] = y;
  }
  return { ...column, xy };
}
