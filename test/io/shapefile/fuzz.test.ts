import { expect, it } from "vitest";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import type { ByteSource } from "../../../src/io/bytes/source.ts";
import { openShapefile } from "../../../src/io/shapefile/read.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import { random } from "../../../src/testing/random.ts";
import { describeShared, shared } from "../../helpers/shared.ts";
import { shapefileParts } from "./files.ts";

const SEEDS = [
  "conformance/formats/shapefile/gen_polygons_utf8",
  "conformance/formats/shapefile/gen_multipolygons_utf8",
  "conformance/formats/shapefile/gen_lines_utf8",
  "conformance/formats/shapefile/gen_points_iso88591",
  "conformance/formats/shapefile/gen_multipoints_utf8",
  "conformance/formats/shapefile/gen_pointz_utf8",
  "conformance/formats/shapefile/polylinem",
  "data/nasty/vector/shp/polygonm_with_m",
  "data/nasty/vector/shp/multipointz_without_m",
];
const MUTATIONS = 2000;

describeShared("damaged Shapefiles", () => {
  it(`give a table or a GeoError, soon, for ${MUTATIONS} mutations`, async () => {
    const sets = await Promise.all(
      SEEDS.map(async (seed) => {
        const files: [string, Uint8Array][] = [];
        for (const [ending, part] of Object.entries(shapefileParts(shared(seed))) as [string, ByteSource][])
          files.push([ending, await part.read(0, part.size)]);
        return files;
      }),
    );
    const next = random(977);
    const int = (below: number): number => Math.floor(next.next() * below);
    let read = 0;
    let refused = 0;
    for (let round = 0; round < MUTATIONS; round++) {
      const parts: Record<string, ByteSource> = {};
      let size = 0;
      for (const [ending, original] of sets[round % sets.length]!) {
        // Files go missing, too; most rounds hit one or two of them.
        if (ending !== "shp" && next.next() < 0.05) continue;
        const bytes = next.next() < 0.6 ? mutated(original, int, next.next) : original;
        size += bytes.length;
        parts[ending] = memoryBytes(bytes, `fuzz.${ending}`);
      }
      const started = performance.now();
      try {
        const source = await openShapefile(parts as unknown as { shp: ByteSource });
        const bounds = next.next() < 0.3 ? ([0, 0, 80, 20] as const) : undefined;
        let vertices = 0;
        let cells = 0;
        for await (const batch of source.batches({ bounds })) {
          vertices += batch.geometry!.xy.length / 2;
          cells += batch.count * batch.columns.length;
        }
        // Nothing can come out that was not in the files.
        expect(vertices).toBeLessThanOrEqual(size / 4);
        expect(cells).toBeLessThanOrEqual(size);
        read++;
      } catch (error) {
        if (!isGeoError(error)) throw new Error(`round ${round}`, { cause: error });
        expect(error.message).toContain("fuzz.");
        refused++;
      }
      expect(performance.now() - started, `round ${round}`).toBeLessThan(2000);
    }
    expect(read).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(200);
  }, 25_000);
});

function mutated(original: Uint8Array, int: (below: number) => number, next: () => number): Uint8Array {
  const bytes = new Uint8Array(original);
  if (bytes.length === 0) return bytes;
  const view = new DataView(bytes.buffer);
  for (let k = 1 + int(5); k > 0; k--) {
    const at = int(next() < 0.5 ? Math.min(260, bytes.length) : bytes.length);
    const kind = int(5);
    if (kind === 0) bytes[at] = int(256);
    else if (kind === 1) bytes[at] = [0, 1, 32, 42, 255][int(5)]!;
    else if (at + 4 > bytes.length) continue;
    else if (kind === 2)
      view.setUint32(at, [0, 1, 0x7fffffff, 0x80000000, 0xffffffff][int(5)]!, next() < 0.5);
    else if (kind === 3) view.setInt32(at, view.getInt32(at, true) + int(17) - 8, true);
    else bytes.copyWithin(at, int(bytes.length), int(bytes.length));
  }
  return next() < 0.15 ? bytes.slice(0, int(bytes.length)) : bytes;
}
