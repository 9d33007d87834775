import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { openFlatGeobuf } from "../../../src/io/flatgeobuf/read.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import { random } from "../../../src/testing/random.ts";
import { describeShared, shared } from "../../helpers/shared.ts";

const SEEDS = [
  "gen_polygons",
  "gen_multipolygons_noindex",
  "gen_mixed_noindex",
  "gen_lines",
  "gen_polygonzm",
  "alldatatypes",
  "gen_index_300",
  "unknown_feature_count",
];
const MUTATIONS = 2000;

describeShared("damaged FlatGeobuf files", () => {
  it(`give a table or a GeoError, soon, for ${MUTATIONS} mutations`, async () => {
    const files = SEEDS.map((name) => readFileSync(shared(`conformance/formats/flatgeobuf/${name}.fgb`)));
    const next = random(20231);
    const int = (below: number): number => Math.floor(next.next() * below);
    let read = 0;
    let refused = 0;
    for (let round = 0; round < MUTATIONS; round++) {
      const bytes = new Uint8Array(files[round % files.length]!);
      const view = new DataView(bytes.buffer);
      for (let k = 1 + int(6); k > 0; k--) {
        // Half of the hits go to the header and the index, where the claims are.
        const at = int(next.next() < 0.5 ? Math.min(1200, bytes.length) : bytes.length);
        const kind = int(5);
        if (kind === 0) bytes[at] = int(256);
        else if (kind === 1) bytes[at] = [0, 1, 127, 128, 255][int(5)]!;
        else if (at + 4 > bytes.length) continue;
        else if (kind === 2) view.setUint32(at, [0, 1, 0x7fffffff, 0x80000000, 0xffffffff][int(5)]!, true);
        else if (kind === 3) view.setInt32(at, view.getInt32(at, true) + int(17) - 8, true);
        else bytes.copyWithin(at, int(bytes.length), int(bytes.length));
      }
      const cut = next.next() < 0.15 ? bytes.slice(0, int(bytes.length)) : bytes;
      const started = performance.now();
      try {
        const source = await openFlatGeobuf(memoryBytes(cut, "fuzz.fgb"));
        const bounds = next.next() < 0.4 ? ([0, 0, 80, 20] as const) : undefined;
        let vertices = 0;
        for await (const batch of source.batches({ bounds })) vertices += batch.geometry!.xy.length / 2;
        // Nothing can come out that was not in the file.
        expect(vertices).toBeLessThanOrEqual(cut.length / 8);
        read++;
      } catch (error) {
        if (!isGeoError(error)) throw new Error(`round ${round}`, { cause: error });
        expect(error.message).toContain("fuzz.fgb");
        refused++;
      }
      expect(performance.now() - started, `round ${round}`).toBeLessThan(2000);
    }
    expect(read).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(200);
  }, 25_000);
});
