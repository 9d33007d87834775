import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OUTSIDE, type Outline, outlines, sieve } from "../../src/testing/landscape/outlines.ts";

const _ = OUTSIDE;

/** Twice the area, holes taken off; in quarter cells. */
function area(outline: Outline): number {
  let sum = 0;
  for (const ring of outline.flat()) {
    for (let i = 0; i + 1 < ring.length; i++)
      sum += ring[i]![0] * ring[i + 1]![1] - ring[i + 1]![0] * ring[i]![1];
  }
  return sum;
}

describe("outlines", () => {
  it("turns a block of cells into an octagon", () => {
    const shapes = outlines(Int32Array.of(0, 0, 0, 0), 2, 2);
    expect(shapes.get(0)).toEqual([
      [
        [
          [1, 0],
          [3, 0],
          [4, 1],
          [4, 3],
          [3, 4],
          [1, 4],
          [0, 3],
          [0, 1],
          [1, 0],
        ],
      ],
    ]);
  });

  it("joins cells that touch at a corner", () => {
    const [parts] = [outlines(Int32Array.of(0, _, _, 0), 2, 2).get(0)!];
    expect(parts).toHaveLength(1);
  });

  it("gives holes to the shell around them", () => {
    const shapes = outlines(Int32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0), 3, 3);
    expect(shapes.get(0)!.map((rings) => rings.length)).toEqual([2]);
    expect(shapes.get(1)!.map((rings) => rings.length)).toEqual([1]);
  });

  it("tiles: regions fill the raster but for its corners, and no ring meets itself", () => {
    const side = 9;
    const labels = fc.array(fc.integer({ min: 0, max: 3 }), {
      minLength: side * side,
      maxLength: side * side,
    });
    fc.assert(
      fc.property(labels, (values) => {
        let sum = 0;
        for (const outline of outlines(Int32Array.from(values), side, side).values()) {
          sum += area(outline);
          for (const ring of outline.flat()) {
            const places = ring.slice(1).map(([x, y]) => `${x},${y}`);
            expect(new Set(places).size).toBe(places.length);
          }
        }
        expect(sum).toBe(2 * (2 * side) ** 2 - 4);
      }),
    );
  });

  it("keeps rings simple where there is nothing", () => {
    const labels = fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 49, maxLength: 49 });
    fc.assert(
      fc.property(labels, (values) => {
        for (const outline of outlines(Int32Array.from(values), 7, 7).values()) {
          for (const ring of outline.flat()) {
            const places = ring.slice(1).map(([x, y]) => `${x},${y}`);
            expect(new Set(places).size).toBe(places.length);
          }
        }
      }),
    );
  });
});

describe("sieve", () => {
  it("gives small pieces to the neighbour they share most sides with", () => {
    const labels = Int32Array.of(0, 0, 0, 0, 1, 0, 2, 2, 2);
    sieve(labels, 3, 3, 2);
    expect([...labels]).toEqual([0, 0, 0, 0, 0, 0, 2, 2, 2]);
  });
});
