import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toWkt } from "../../../../src/io/wkt.ts";
import { type OverlayOperation, overlayRows } from "../../../../src/kernels/vector/overlay/overlay.ts";
import { unionRows } from "../../../../src/kernels/vector/overlay/union.ts";
import { findInvalid } from "../../../../src/kernels/vector/validity.ts";
import { type GeometryColumn, typeDimension } from "../../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../../src/model/geometry-builder.ts";
import {
  anyLines,
  anyPolygons,
  anyShape,
  column,
  moved,
  rectangles,
  spoiling,
  starPolygon,
} from "./arbitrary.ts";

const OPERATIONS: readonly OverlayOperation[] = [
  "intersection",
  "union",
  "difference",
  "symmetric-difference",
];

function overlay(operation: OverlayOperation, a: GeometryColumn, b: GeometryColumn): GeometryColumn {
  const builder = new GeometryBuilder();
  overlayRows(operation, a, 0, b, 0, builder);
  return builder.finish();
}

/** Area of the polygons, by the vertices as they are: shells run counter-clockwise, holes clockwise. */
function area({ rings, xy }: GeometryColumn): number {
  let sum = 0;
  for (let r = 0; r + 1 < rings.length; r++) {
    const x0 = xy[2 * rings[r]!]!;
    const y0 = xy[2 * rings[r]! + 1]!;
    if (rings[r + 1]! - rings[r]! < 4) continue;
    if (xy[2 * rings[r + 1]! - 2] !== x0 || xy[2 * rings[r + 1]! - 1] !== y0) continue;
    for (let v = rings[r]! + 1; v + 1 < rings[r + 1]!; v++) {
      sum += ((xy[2 * v]! - x0) * (xy[2 * v + 3]! - y0) - (xy[2 * v + 2]! - x0) * (xy[2 * v + 1]! - y0)) / 2;
    }
  }
  return sum;
}

/** The polygons alone. */
function polygonsOf(a: GeometryColumn): GeometryColumn {
  if (typeDimension(a.types[0]!) === 2) return a;
  const builder = new GeometryBuilder();
  builder.begin(6);
  if (a.collections !== null) {
    for (let k = 0; k < a.collections.types.length; k++) {
      if (typeDimension(a.collections.types[k]!) !== 2) continue;
      const p = a.collections.members[k]!;
      builder.part();
      for (let r = a.parts[p]!; r < a.parts[p + 1]!; r++) {
        builder.ring();
        builder.vertices2d(a.xy, a.rings[r]!, a.rings[r + 1]! - a.rings[r]!);
      }
    }
  }
  builder.end();
  return builder.finish();
}

const isEmpty = (a: GeometryColumn): boolean => a.xy.length === 0;

/** The lattice is 10 wide, stars reach 6 farther: areas are right to some 1e-13. */
const NOTHING = 1e-11;

describe("overlays of any input", () => {
  it("never throw, and are valid, whatever is overlaid", () => {
    fc.assert(
      fc.property(anyShape, anyShape, spoiling, fc.boolean(), (s, t, spoil, both) => {
        const a = column(moved(s, spoil));
        const b = column(both ? moved(t, spoil) : t);
        for (const operation of OPERATIONS) expect(findInvalid(overlay(operation, a, b), 0)).toBeNull();
        const builder = new GeometryBuilder();
        unionRows(a, [0], builder);
        expect(findInvalid(builder.finish(), 0)).toBeNull();
      }),
      { numRuns: 800, seed: 20 },
    );
  });

  it("have areas that add up, valid or not", () => {
    fc.assert(
      fc.property(anyPolygons, anyPolygons, (s, t) => {
        const a = column(s);
        const b = column(t);
        const common = area(polygonsOf(overlay("intersection", a, b)));
        const aOnly = area(overlay("difference", a, b));
        const bOnly = area(overlay("difference", b, a));
        const all = overlay("union", a, a);
        expect(Math.abs(common + aOnly - area(all))).toBeLessThan(NOTHING * 100);
        expect(Math.abs(common + aOnly + bOnly - area(overlay("union", a, b)))).toBeLessThan(NOTHING * 100);
        expect(Math.abs(aOnly + bOnly - area(overlay("symmetric-difference", a, b)))).toBeLessThan(
          NOTHING * 100,
        );
      }),
      { numRuns: 200, seed: 21 },
    );
  });

  it("leave nothing in common between what is cut off and the mask", () => {
    fc.assert(
      fc.property(anyPolygons, anyPolygons, (s, t) => {
        const b = column(t);
        const rest = overlay("difference", column(s), b);
        expect(area(polygonsOf(overlay("intersection", rest, b)))).toBeLessThan(NOTHING);
      }),
      { numRuns: 300, seed: 22 },
    );
  });

  it("leave nothing when a clipped polygon or line is erased by its mask", () => {
    fc.assert(
      fc.property(fc.oneof(starPolygon, anyPolygons, anyLines), anyPolygons, (s, t) => {
        const b = column(t);
        const clipped = overlay("intersection", column(s), b);
        const rest = overlay("difference", clipped, b);
        // What rounding can leave is thinner than the rounding of two vertices.
        expect(area(polygonsOf(rest))).toBeLessThan(1e-13);
      }),
      { numRuns: 400, seed: 23 },
    );
  });

  it("stay within the mask, and within what was clipped", () => {
    fc.assert(
      fc.property(starPolygon, anyPolygons, (s, t) => {
        const a = column(s);
        const b = column(t);
        const clipped = polygonsOf(overlay("intersection", a, b));
        expect(area(overlay("difference", clipped, b))).toBeLessThan(NOTHING);
        expect(area(overlay("difference", clipped, a))).toBeLessThan(NOTHING);
      }),
      { numRuns: 500, seed: 24 },
    );
  });

  it("give the same again: a union with itself, an intersection with itself, bit for bit", () => {
    fc.assert(
      fc.property(anyShape, anyPolygons, (s, t) => {
        const once = overlay("union", column(s), column(t));
        if (isEmpty(once)) return;
        expect(toWkt(overlay("union", once, once), 0)).toBe(toWkt(once, 0));
        expect(toWkt(overlay("intersection", once, once), 0)).toBe(toWkt(once, 0));
        expect(isEmpty(overlay("difference", once, once))).toBe(true);
        expect(isEmpty(overlay("symmetric-difference", once, once))).toBe(true);
      }),
      { numRuns: 400, seed: 25 },
    );
  });

  it("are the same whichever polygons come first", () => {
    fc.assert(
      fc.property(anyPolygons, anyPolygons, (s, t) => {
        const a = column(s);
        const b = column(t);
        for (const operation of ["union", "symmetric-difference"] as const)
          expect(area(overlay(operation, a, b))).toBeCloseTo(area(overlay(operation, b, a)), 10);
        expect(area(polygonsOf(overlay("intersection", a, b)))).toBeCloseTo(
          area(polygonsOf(overlay("intersection", b, a))),
          10,
        );
      }),
      { numRuns: 200, seed: 26 },
    );
  });

  it("scale with their input by powers of two, bit for bit", () => {
    fc.assert(
      fc.property(
        anyShape,
        anyShape,
        fc.constantFrom(2 ** -40, 2, 2 ** 60, 2 ** 500, 2 ** -400),
        (s, t, k) => {
          const grown = (x: number, y: number): [number, number] => [x * k, y * k];
          for (const operation of OPERATIONS) {
            const expected = overlay(operation, column(s), column(t));
            const found = overlay(operation, column(moved(s, grown)), column(moved(t, grown)));
            expect(found.xy).toEqual(expected.xy.map((value) => value * k));
            expect(found.rings).toEqual(expected.rings);
            expect(found.types).toEqual(expected.types);
          }
        },
      ),
      { numRuns: 300, seed: 27 },
    );
  });

  it("move with their input by whole numbers, bit for bit where nothing is rounded", () => {
    // Rectangles on a lattice: all crossings are whole numbers, wherever they lie.
    fc.assert(
      fc.property(rectangles, rectangles, fc.constantFrom(64, -1024, 2 ** 40), (s, t, far) => {
        const away = (x: number, y: number): [number, number] => [x + far, y - far];
        for (const operation of OPERATIONS) {
          const expected = overlay(operation, column(s), column(t));
          const found = overlay(operation, column(moved(s, away)), column(moved(t, away)));
          expect(found.types).toEqual(expected.types);
          expect(found.rings).toEqual(expected.rings);
          expect(found.xy).toEqual(expected.xy.map((value, i) => value + (i % 2 === 0 ? far : -far)));
        }
      }),
      { numRuns: 400, seed: 28 },
    );
  });

  it("move with their input up to the rounding of new vertices", () => {
    fc.assert(
      fc.property(anyPolygons, anyPolygons, fc.constantFrom(64, -1024, 2 ** 20), (s, t, far) => {
        const whole = (x: number, y: number): [number, number] => [Math.round(x), Math.round(y)];
        const away = (x: number, y: number): [number, number] => [Math.round(x) + far, Math.round(y) - far];
        for (const operation of OPERATIONS) {
          const expected = overlay(operation, column(moved(s, whole)), column(moved(t, whole)));
          const found = overlay(operation, column(moved(s, away)), column(moved(t, away)));
          expect(area(polygonsOf(found))).toBeCloseTo(area(polygonsOf(expected)), 6);
        }
      }),
      { numRuns: 100, seed: 29 },
    );
  });
});
