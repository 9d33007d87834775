import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { nodeFloating } from "../../../../src/kernels/vector/noding/floating.ts";
import { nodeSnapRounding } from "../../../../src/kernels/vector/noding/snap-rounding.ts";
import { nodeSnapping } from "../../../../src/kernels/vector/noding/snapping.ts";
import type { SegmentStrings } from "../../../../src/kernels/vector/noding/strings.ts";
import { findUnnoded } from "../../../../src/kernels/vector/noding/validate.ts";
import { describeShared, shared } from "../../../helpers/shared.ts";
import { isNoded, strings } from "./lines.ts";

describeShared("linework of pairs that broke overlay code", () => {
  const cases = (): { id: string; lines: SegmentStrings; size: number }[] =>
    readFileSync(shared("conformance", "overlay-jts", "robust-area.jsonl"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const { id, a, b } = JSON.parse(line) as { id: string; a: string; b: string };
        const lines = strings(...rings(a), ...rings(b));
        return { id, lines, size: Math.max(...lines.xy.map(Math.abs)) };
      });

  it("is noded in floating point, at the latest by snapping at a hundred millionth of a millionth of its size", () => {
    const rungs = { once: 0, again: 0, snapped: 0 };
    const failed: string[] = [];
    for (const { id, lines, size } of cases()) {
      const noded = nodeFloating(lines);
      expect(noded.clean).toBe(findUnnoded(noded) === -1);
      if (noded.xy.length < 400) expect(noded.clean).toBe(isNoded(noded));
      if (noded.clean) rungs.once++;
      else if (nodeFloating(noded).clean) rungs.again++;
      else {
        const snapped = nodeSnapping(lines, 1e-14 * size);
        if (snapped.clean || nodeSnapping(lines, 1e-13 * size).clean) rungs.snapped++;
        else failed.push(id);
      }
    }
    expect(failed).toEqual([]);
    expect(rungs.once + rungs.again + rungs.snapped).toBe(619);
    // Not more cases may need the higher rungs than do now.
    expect(rungs.once).toBeGreaterThanOrEqual(193);
    expect(rungs.once + rungs.again).toBeGreaterThanOrEqual(568);
  });

  it("is noded by snap rounding at fourteen digits and at six, every one", () => {
    for (const { lines, size } of cases()) {
      for (const bits of [46, 20]) {
        const noded = nodeSnapRounding(lines, 2 ** (Math.ceil(Math.log2(size)) - bits));
        expect(noded.clean).toBe(true);
        expect(findUnnoded(noded)).toBe(-1);
      }
    }
  });
});

/** Innermost lists of coordinates of a WKT text, flat. */
function rings(wkt: string): number[][] {
  return (wkt.match(/\([^()]+\)/g) ?? []).map((list) =>
    (list.match(/-?[\d.]+(?:[eE][-+]?\d+)?/g) ?? []).map(Number),
  );
}
