import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finestCell, nodeSnapRounding } from "../../../../src/kernels/vector/noding/snap-rounding.ts";
import { findUnnoded } from "../../../../src/kernels/vector/noding/validate.ts";
import { HARD_LINES, isNoded, segmentSet, show, strings } from "./lines.ts";

describe("nodeSnapRounding", () => {
  it("puts vertices and crossings on the grid", () => {
    const noded = nodeSnapRounding(strings([0.2, 0.1, 3.8, 4.3], [0, 4, 5, 0]), 1);
    expect(show(noded)).toEqual(["0: 0 0, 2 2", "0: 2 2, 4 4", "1: 0 4, 2 2", "1: 2 2, 5 0"]);
    expect(noded.clean).toBe(true);
  });

  it("leads a line through the middle of every cell that holds a vertex, and no other", () => {
    const noded = nodeSnapRounding(strings([0, 0, 10, 1], [5, 1, 5, 9], [8, 0.3, 8, -7]), 1);
    // At x = 5 the line is at 0.5, the lower edge of the cell of (5, 1); at x = 8 at 0.8, above the cell of (8, 0).
    expect(show(noded)).toEqual(["0: 0 0, 5 1", "0: 5 1, 10 1", "1: 5 1, 5 9", "2: 8 0, 8 -7"]);
  });

  it("counts the left and lower edges and the lower left corner of a cell as its own", () => {
    const through = (x0: number, y0: number, x1: number, y1: number): boolean => {
      const noded = nodeSnapRounding(strings([x0, y0, x1, y1], [5, 5, 5, 5.25]), 1);
      return show(noded)
        .join()
        .split(/[:,] ?/)
        .includes("5 5");
    };
    expect(through(4.5, 0, 4.5, 9)).toBe(true);
    expect(through(5.5, 0, 5.5, 9)).toBe(false);
    expect(through(0, 4.5, 9, 4.5)).toBe(true);
    expect(through(0, 5.5, 9, 5.5)).toBe(false);
    // Through one corner only: lower left, upper right, upper left, lower right.
    expect(through(3.5, 5.5, 5.5, 3.5)).toBe(true);
    expect(through(4.5, 6.5, 6.5, 4.5)).toBe(false);
    expect(through(3.5, 4.5, 5.5, 6.5)).toBe(false);
    expect(through(4.5, 3.5, 6.5, 5.5)).toBe(false);
  });

  it("rounds halves up, below zero too, and never gives a negative zero", () => {
    const noded = nodeSnapRounding(strings([-0.5, 0.5, -1.5, 1.5]), 1);
    expect(show(noded)).toEqual(["0: 0 1, -1 2"]);
    expect([...noded.xy].some((c) => Object.is(c, -0))).toBe(false);
  });

  it("drops lines within one cell and makes lines that fall together duplicates", () => {
    const noded = nodeSnapRounding(strings([0, 0, 8, 0.2], [8, -0.2, 0, -0.1], [3, 3, 3.2, 3.3]), 1);
    expect(show(noded)).toEqual(["0: 0 0, 8 0", "1: 8 0, 0 0"]);
  });

  it("gives decimals for a decimal cell", () => {
    const noded = nodeSnapRounding(strings([12.34512, 0, 0.1 + 0.2, 7.0009]), 0.001);
    expect(show(noded)).toEqual(["0: 12.345 0, 0.3 7.001"]);
  });

  it("refuses cells that are no sizes, or too fine for the coordinates", () => {
    for (const cell of [0, -1, NaN, Infinity]) {
      expect(() => nodeSnapRounding(strings([0, 0, 1, 1]), cell)).toThrow(RangeError);
    }
    expect(() => nodeSnapRounding(strings([0, 0, 1e15, 1]), 0.25)).toThrow(/too fine/);
    expect(nodeSnapRounding(strings([0, 0, 1e15, 1]), finestCell(1e15)).clean).toBe(true);
    expect(nodeSnapRounding(strings([0, 0, 1e300, 1e290]), finestCell(1e300)).clean).toBe(true);
    expect(nodeSnapRounding(strings([0, 0, 5e-324, 1e-320]), finestCell(1e-320)).clean).toBe(true);
  });

  it("finds the cell of a crossing on an edge between cells exactly", () => {
    // They cross at x = 1.5 exactly, which belongs to the cell of 2; and at 1.5 - 1/3000000, which does not.
    const at = show(nodeSnapRounding(strings([0, -300, 3, 300], [-300, 0, 300, 0]), 1));
    expect(at).toContain("0: 0 -300, 2 0");
    const before = show(nodeSnapRounding(strings([0, -300, 3, 300.0002], [-300, 0, 300, 0]), 1));
    expect(before).toContain("0: 0 -300, 1 0");
  });

  const cells = [1, 0.25, 2 ** -30, 0.01, 0.3, 16];
  for (const [kind, lines] of Object.entries(HARD_LINES)) {
    it(`is always noded, on the grid, and within half a cell of every vertex: ${kind}`, () => {
      fc.assert(
        fc.property(lines, fc.constantFrom(...cells), (input, cell) => {
          const given = strings(...input);
          const size = Math.max(...given.xy.map(Math.abs));
          if (size / cell >= 2 ** 51) {
            expect(() => nodeSnapRounding(given, cell)).toThrow(RangeError);
            return;
          }
          const noded = nodeSnapRounding(given, cell);
          expect(noded.clean).toBe(true);
          expect(findUnnoded(noded)).toBe(-1);
          expect(isNoded(noded)).toBe(true);
          for (const c of noded.xy)
            expect(Math.abs(c / cell - Math.round(c / cell))).toBeLessThan(2 ** -51 * (1 + size / cell));
          const points = new Set<string>();
          for (let i = 0; i < noded.xy.length; i += 2)
            points.add(`${Math.round(noded.xy[i]! / cell)} ${Math.round(noded.xy[i + 1]! / cell)}`);
          for (const line of input) {
            const rounded = line.map(
              (c) => Math.floor(c / cell) + (c / cell - Math.floor(c / cell) >= 0.5 ? 1 : 0),
            );
            const isPoint = rounded.every((c, i) => c === rounded[i % 2]);
            if (isPoint) continue;
            for (let i = 0; i < line.length; i += 2)
              expect(points.has(`${rounded[i]} ${rounded[i + 1]}`)).toBe(true);
          }
        }),
        { seed: 41, numRuns: 200 },
      );
    });
  }

  it("gives the same bits again, and the same lines for strings the other way round", () => {
    fc.assert(
      fc.property(fc.oneof(...Object.values(HARD_LINES)), (input) => {
        const given = strings(...input);
        const cell = Math.max(0.25, finestCell(Math.max(...given.xy.map(Math.abs))));
        const noded = nodeSnapRounding(given, cell);
        expect(nodeSnapRounding(given, cell)).toEqual(noded);
        const reversed = input
          .map((line) => line.map((_, i) => line[line.length - 2 - i + 2 * (i % 2)]!))
          .reverse();
        expect(segmentSet(nodeSnapRounding(strings(...reversed), cell))).toEqual(segmentSet(noded));
      }),
      { seed: 42, numRuns: 300 },
    );
  });

  it("nodes hundreds of long lines through one another at any size of cell", () => {
    let state = 9;
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 22;
    };
    const lines = Array.from({ length: 150 }, () => [random(), random(), random(), random()]);
    for (const cell of [2 ** -20, 1, 32])
      expect(findUnnoded(nodeSnapRounding(strings(...lines), cell))).toBe(-1);
  });
});
