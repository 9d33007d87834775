import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HILBERT_MAX, hilbertOrder, hilbertValue, hilbertValues } from "../../../src/io/hilbert.ts";
import { Spill } from "../../../src/io/spill.ts";

describe("hilbertValue", () => {
  it("walks the four quarters from the lower left to the lower right", () => {
    const quarter = 2 ** 30;
    const corners = [
      [0, 0],
      [0, HILBERT_MAX],
      [HILBERT_MAX, HILBERT_MAX],
      [HILBERT_MAX, 0],
    ] as const;
    expect(corners.map(([x, y]) => Math.floor(hilbertValue(x, y) / quarter))).toEqual([0, 1, 2, 3]);
    expect(hilbertValue(0, 0)).toBe(0);
    expect(hilbertValue(HILBERT_MAX, 0)).toBe(2 ** 32 - 1);
  });

  it("visits every cell once, each beside the one before", () => {
    // A corner of 64 x 64 cells is a whole piece of the curve.
    const cells: [number, number][] = [];
    for (let x = 0; x < 64; x++) for (let y = 0; y < 64; y++) cells[hilbertValue(x, y)] = [x, y];
    expect(cells.length).toBe(64 * 64);
    for (let i = 1; i < cells.length; i++) {
      const steps = Math.abs(cells[i]![0] - cells[i - 1]![0]) + Math.abs(cells[i]![1] - cells[i - 1]![1]);
      expect(steps).toBe(1);
    }
  });
});

describe("hilbertOrder", () => {
  it("sorts by falling value, keeps ties in order and puts empty boxes last", () => {
    const box = fc.oneof(
      fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })).map(([x, y]) => [x, y, x, y]),
      fc.constant([Infinity, Infinity, -Infinity, -Infinity]),
    );
    fc.assert(
      fc.property(fc.array(box, { maxLength: 60 }), (list) => {
        const boxes = Float64Array.from(list.flat());
        const values = hilbertValues(boxes, list.length);
        const key = (i: number): number => (list[i]![0] === Infinity ? -1 : values[i]!);
        const expected = list.map((_, i) => i).sort((a, b) => key(b) - key(a) || a - b);
        expect([...hilbertOrder(boxes)]).toEqual(expected);
      }),
    );
  });
});

describe("Spill", () => {
  it("gives back pieces in any order, from memory and from its file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tilth-spill-"));
    for (const memoryBytes of [1e9, 1000]) {
      const spill = new Spill(join(folder, "out"), memoryBytes);
      const pieces = Array.from({ length: 200 }, (_, i) => new Uint8Array((i * 37) % 90).fill(i));
      const offsets = new Float64Array(200);
      const sizes = Uint32Array.from(pieces, ({ length }) => length);
      for (const [i, piece] of pieces.entries()) {
        offsets[i] = spill.length;
        await spill.append(piece);
      }
      const order = Uint32Array.from(pieces, (_, i) => (i * 77) % 200);
      const expected = Buffer.concat([...order.slice(10, 190)].map((i) => pieces[i]!));
      expect(expected.equals(await spill.gather(offsets, sizes, order, 10, 190))).toBe(true);
      expect(readdirSync(folder).length).toBe(memoryBytes > 1e6 ? 0 : 1);
      await spill.close();
      expect(readdirSync(folder)).toEqual([]);
    }
    await rm(folder, { recursive: true });
  });
});
