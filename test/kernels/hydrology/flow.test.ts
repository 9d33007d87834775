import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codeTable, decodeDirections } from "../../../src/kernels/hydrology/direction-codes.ts";
import { fillDepressions } from "../../../src/kernels/hydrology/fill-depressions.ts";
import { flowAccumulation, openCatchments } from "../../../src/kernels/hydrology/flow-accumulation.ts";
import { flowDirections } from "../../../src/kernels/hydrology/flow-direction.ts";
import { flowSteps, NO_GROUND, neighbourOffsets, PIT } from "../../../src/kernels/hydrology/frame.ts";
import { streamStretches } from "../../../src/kernels/hydrology/stream-lines.ts";
import { strahlerOrder } from "../../../src/kernels/hydrology/stream-order.ts";
import { labelBasins, labelWatersheds } from "../../../src/kernels/hydrology/watershed.ts";
import { arrows, directionsOf, framed, rowsOf, unitSizes } from "./grids.ts";

const _ = Number.NaN;

describe("directions", () => {
  test("go down the steepest way, by distance", () => {
    const { frame, heights } = framed([
      [9, 9, 9],
      [9, 5, 3.5],
      [9, 9, 3],
    ]);
    // 1.5 over 1 is steeper than 2 over the square root of 2.
    expect(arrows(frame, flowDirections(heights, frame, unitSizes(frame)))[1]![1]).toBe(">");
    const long = { x: new Float64Array(3).fill(2), y: new Float64Array(3).fill(1) };
    expect(arrows(frame, flowDirections(heights, frame, long))[1]![1]).toBe("┘");
  });

  test("of equal slopes the first clockwise from east is taken", () => {
    const { frame, heights } = framed([
      [5, 1, 5],
      [1, 2, 5],
      [5, 1, 5],
    ]);
    expect(arrows(frame, flowDirections(heights, frame, unitSizes(frame)))[1]![1]).toBe("v");
  });

  test("cells at the edge leave only without a lower neighbour, or always", () => {
    const { frame, heights } = framed([
      [3, 2, 1],
      [3, 2, 1],
      [3, 2, _],
    ]);
    expect(arrows(frame, flowDirections(heights, frame, unitSizes(frame)))).toEqual([">>o", ">>o", ">┐ "]);
    expect(arrows(frame, flowDirections(heights, frame, unitSizes(frame), true))).toEqual([
      "ooo",
      "ooo",
      "oo ",
    ]);
  });

  test("level ground drains away from higher ground and towards its way out", () => {
    const { frame, heights } = framed([
      [9, 9, 9, 9, 9, 9, 9],
      [9, 5, 5, 5, 5, 5, 9],
      [9, 5, 5, 5, 5, 5, 4],
      [9, 5, 5, 5, 5, 5, 9],
      [9, 9, 9, 9, 9, 9, 9],
    ]);
    const drawn = arrows(frame, flowDirections(heights, frame, unitSizes(frame)));
    // The middle row carries the water; the rows beside it turn to it.
    expect(drawn.slice(1, 4).map((row) => row.slice(1, 6))).toEqual(["┘┘┘>┘", ">>>>>", "┐┐┐>┐"]);
  });

  test("a level plateau without higher ground drains to its edges", () => {
    const { frame, heights } = framed(Array.from({ length: 5 }, () => [7, 7, 7, 7, 7]));
    const directions = flowDirections(heights, frame, unitSizes(frame));
    // Corners of the inner square are as near to two ways out: the first of east, south, west, north is taken.
    expect(arrows(frame, directions)).toEqual(["ooooo", "o<^>o", "o<>>o", "ovv>o", "ooooo"]);
  });

  test("depressions that were kept are pits, all of their level ground", () => {
    const { frame, heights } = framed([
      [9, 9, 9, 9],
      [9, 1, 1, 9],
      [9, 9, 9, 9],
    ]);
    expect(arrows(frame, flowDirections(heights, frame, unitSizes(frame)))[1]).toBe(">..<");
  });

  test("codes go out and come back, on mirrored grids too", () => {
    const { frame, directions } = directionsOf(["e se s", "NW . w", "- ne n"]);
    for (const codes of ["esri", "grass"] as const)
      for (const south of [false, true])
        for (const west of [false, true]) {
          const table = codeTable(codes, { south, west }, -9999);
          const values = Float64Array.from(directions, (byte) =>
            byte === NO_GROUND ? Number.NaN : table[byte]!,
          );
          const back = decodeDirections(values, frame, codes, { south, west });
          // s in the first row goes on to w, ne and n point at ground: all others stay.
          expect(rowsOf(frame, back)).toEqual(rowsOf(frame, directions));
        }
    const table = codeTable("esri", { south: false, west: false }, 255);
    expect(Array.from(table.subarray(0, 8))).toEqual([1, 2, 4, 8, 16, 32, 64, 128]);
    const grass = codeTable("grass", { south: false, west: false }, -9999);
    expect(Array.from(grass.subarray(0, 8))).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    expect(Array.from(grass.subarray(8, 17))).toEqual([-8, -7, -6, -5, -4, -3, -2, -1, 0]);
    expect(codeTable("esri", { south: true, west: false }, 255)[2]).toBe(64);
  });

  test("a number that is no code is refused with its place", () => {
    const { frame, heights } = framed([[1, 2, 3]]);
    expect(() => decodeDirections(heights, frame, "esri", { south: false, west: false })).toThrow(
      "holds 3 at column 2, row 0, which is no ESRI code",
    );
  });
});

describe("accumulation", () => {
  test("counts each cell and all above it", () => {
    const { frame, directions } = directionsOf(["s s s", "e s w", "e S w"]);
    expect(rowsOf(frame, flowAccumulation(directions, frame, new Float64Array(3).fill(1)))).toEqual([
      [1, 1, 1],
      [2, 6, 2],
      [1, 9, 1],
    ]);
    expect(rowsOf(frame, flowAccumulation(directions, frame, Float64Array.of(1, 10, 100)))[2]![1]).toBe(333);
  });

  test("water in a circle is an error that names a cell of it", () => {
    const { frame, directions } = directionsOf(["e s", "n w"]);
    const ones = new Float64Array(2).fill(1);
    expect(() => flowAccumulation(directions, frame, ones)).toThrow(
      "water runs in a circle upstream of column 0, row 0",
    );
    expect(() => labelBasins(directions, frame)).toThrow("circle");
    const streams = Uint8Array.from(directions, (byte) => (byte === NO_GROUND ? 0 : 1));
    expect(() => strahlerOrder(directions, frame, streams)).toThrow("circle");
    expect(() => streamStretches(directions, frame, streams)).toThrow("circle");
  });

  test("catchments that may reach beyond the raster are known", () => {
    const { frame, directions } = directionsOf([
      "e e e e E",
      "e e e e E",
      "e . w w w",
      "e e e e E",
      "- e e e E",
    ]);
    expect(rowsOf(frame, openCatchments(directions, frame))).toEqual([
      [1, 1, 1, 1, 1],
      [1, 1, 1, 1, 1],
      [1, 1, 1, 1, 1],
      [1, 1, 1, 1, 1],
      [0, 1, 1, 1, 1],
    ]);
    const inner = directionsOf(["S W S", "s . s", "S S S"]);
    expect(rowsOf(inner.frame, openCatchments(inner.directions, inner.frame))[1]).toEqual([1, 0, 1]);
  });
});

describe("watersheds", () => {
  test("end at the next point downstream", () => {
    const { frame, directions } = directionsOf(["e e e e E", "n n n n n", "e e e e E"]);
    const labels = new Int32Array(directions.length);
    const stride = frame.width + 2;
    labels[stride + 2] = 1;
    labels[stride + 4] = 2;
    labelWatersheds(directions, frame, labels);
    expect(rowsOf(frame, labels)).toEqual([
      [1, 1, 2, 2, 0],
      [1, 1, 2, 2, 0],
      [0, 0, 0, 0, 0],
    ]);
  });

  test("basins are numbered by where their water leaves", () => {
    const { frame, directions } = directionsOf(["e E s W w", "- . e e E"]);
    const { labels, count } = labelBasins(directions, frame);
    expect(count).toBe(4);
    expect(rowsOf(frame, labels)).toEqual([
      [1, 1, 4, 2, 2],
      [0, 3, 4, 4, 4],
    ]);
  });
});

describe("streams", () => {
  // Heads meet in pairs; one more comes in on the left, which changes nothing; then two of the second order meet.
  const tree = directionsOf([
    "s - s - s - s",
    "e s w - e s w",
    "e s - - - s -",
    "- e s - s w -",
    "- - e s w - -",
    "- - - S - - -",
  ]);
  const streams = Uint8Array.from(tree.directions, (byte) => (byte === NO_GROUND ? 0 : 1));

  test("have the order of Strahler", () => {
    expect(rowsOf(tree.frame, strahlerOrder(tree.directions, tree.frame, streams))).toEqual([
      [1, 0, 1, 0, 1, 0, 1],
      [1, 2, 1, 0, 1, 2, 1],
      [1, 2, 0, 0, 0, 2, 0],
      [0, 2, 2, 0, 2, 2, 0],
      [0, 0, 2, 3, 2, 0, 0],
      [0, 0, 0, 3, 0, 0, 0],
    ]);
  });

  test("are cut at heads, confluences and ends", () => {
    const { count, starts, cells, next, exit } = streamStretches(tree.directions, tree.frame, streams);
    const stride = tree.frame.width + 2;
    const place = (cell: number): string => `${(cell % stride) - 1},${Math.floor(cell / stride) - 1}`;
    const drawn = Array.from({ length: count }, (_, i) =>
      Array.from(cells.subarray(starts[i]!, starts[i + 1]!), place).join(" "),
    );
    expect(drawn).toEqual([
      "0,0 0,1 1,1",
      "2,0 2,1 1,1",
      "4,0 4,1 5,1",
      "6,0 6,1 5,1",
      "1,1 1,2",
      "5,1 5,2 5,3 4,3 4,4 3,4",
      "0,2 1,2",
      "1,2 1,3 2,3 2,4 3,4",
      "3,4 3,5",
    ]);
    expect(Array.from(next)).toEqual([4, 4, 5, 5, 7, 8, 7, 8, -1]);
    expect(Array.from(exit)).toEqual([-1, -1, -1, -1, -1, -1, -1, -1, 2]);
  });
});

const anyRaster = fc
  .tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 8 }))
  .chain(([width, height, most]) =>
    fc.array(
      fc.array(
        fc.oneof(
          { weight: 15, arbitrary: fc.integer({ min: 0, max: most }) },
          { weight: 1, arbitrary: fc.constant(_) },
        ),
        { minLength: width, maxLength: width },
      ),
      { minLength: height, maxLength: height },
    ),
  );

test("on any filled raster water never climbs, never stays, and every cell is accounted for once", () => {
  fc.assert(
    fc.property(anyRaster, fc.boolean(), (rows, outward) => {
      const { frame, heights } = framed(rows);
      fillDepressions(heights, frame);
      const directions = flowDirections(heights, frame, unitSizes(frame), outward);
      const offsets = neighbourOffsets(frame);
      const steps = flowSteps(frame);
      const sums = flowAccumulation(directions, frame, new Float64Array(frame.height).fill(1));
      const { labels, count } = labelBasins(directions, frame);
      let ground = 0;
      let left = 0;
      const basins = new Map<number, number>();
      for (let cell = 0; cell < directions.length; cell++) {
        const byte = directions[cell]!;
        if (Number.isNaN(heights[cell]!)) {
          expect(byte).toBe(NO_GROUND);
          continue;
        }
        ground++;
        expect(byte).toBeLessThan(PIT);
        basins.set(labels[cell]!, (basins.get(labels[cell]!) ?? 0) + 1);
        if (byte >= 8) {
          expect(heights[cell + offsets[byte - 8]!]).toBeNaN();
          left += sums[cell]!;
        } else {
          const to = cell + steps[byte]!;
          expect(heights[to]).toBeLessThanOrEqual(heights[cell]!);
          expect(sums[to]).toBeGreaterThan(sums[cell]!);
          expect(labels[to]).toBe(labels[cell]);
        }
      }
      expect(left).toBe(ground);
      expect(basins.size).toBe(count);
      for (let cell = 0; cell < directions.length; cell++)
        if (directions[cell]! >= 8 && directions[cell]! < PIT)
          expect(basins.get(labels[cell]!)).toBe(sums[cell]);
    }),
    { seed: 7, numRuns: 500 },
  );
});

test("orders equal the definition followed upstream, and stretches cover every stream step once", () => {
  fc.assert(
    fc.property(anyRaster, fc.integer({ min: 1, max: 5 }), (rows, threshold) => {
      const { frame, heights } = framed(rows);
      fillDepressions(heights, frame);
      const directions = flowDirections(heights, frame, unitSizes(frame));
      const sums = flowAccumulation(directions, frame, new Float64Array(frame.height).fill(1));
      const streams = Uint8Array.from(sums, (sum) => (sum >= threshold ? 1 : 0));
      const steps = flowSteps(frame);
      const donorsOf = (cell: number): number[] => {
        const donors: number[] = [];
        for (let from = 0; from < directions.length; from++)
          if (
            streams[from] === 1 &&
            steps[directions[from]!] !== 0 &&
            from + steps[directions[from]!]! === cell
          )
            donors.push(from);
        return donors;
      };
      const orderOf = (cell: number): number => {
        const orders = donorsOf(cell)
          .map(orderOf)
          .sort((a, b) => b - a);
        if (orders.length === 0) return 1;
        return orders[0] === orders[1] ? orders[0]! + 1 : orders[0]!;
      };
      const order = strahlerOrder(directions, frame, streams);
      for (let cell = 0; cell < order.length; cell++)
        expect(order[cell]).toBe(streams[cell] === 1 ? orderOf(cell) : 0);
      const { count, starts, cells } = streamStretches(directions, frame, streams);
      const walked: string[] = [];
      for (let i = 0; i < count; i++)
        for (let k = starts[i]!; k + 1 < starts[i + 1]!; k++) walked.push(`${cells[k]}>${cells[k + 1]}`);
      const expected: string[] = [];
      for (let cell = 0; cell < order.length; cell++) {
        const to = cell + steps[directions[cell]!]!;
        if (streams[cell] === 1 && to !== cell && streams[to] === 1) expected.push(`${cell}>${to}`);
      }
      expect(walked.sort()).toEqual(expected.sort());
    }),
    { seed: 8, numRuns: 200 },
  );
});
