import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { openGeoTiff } from "../../../src/io/geotiff/read.ts";
import { isGeoError } from "../../../src/model/errors.ts";
import { HAS_SHARED, shared } from "../../helpers/shared.ts";
import { basicTags, buildTiff, type RawTag } from "./tiff-builder.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Mutations in all; the same on every run. */
const MUTATIONS = 2000;
const SLOWEST_MS = 5000;

/** Numbers from 0 to below 1, from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const INTERESTING = [
  0, 1, 2, 3, 7, 8, 42, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff,
];

/** One to four changes: a byte, a run of bytes, an interesting number anywhere or in the header, a cut, a copy. */
function mutate(valid: Uint8Array, random: () => number): Uint8Array {
  let file = Uint8Array.from(valid);
  const pick = (below: number): number => Math.floor(random() * below);
  for (let change = 1 + pick(4); change > 0; change--) {
    const view = new DataView(file.buffer);
    switch (pick(6)) {
      case 0:
        file[pick(file.length)] = pick(256);
        break;
      case 1: {
        const at = pick(file.length);
        file.fill(pick(256), at, at + pick(64));
        break;
      }
      case 2:
      case 3: {
        // Half of these go where directories usually lie: at the start or at the end.
        const near = Math.min(file.length, 600);
        const at =
          random() < 0.5 ? (random() < 0.5 ? pick(near) : file.length - 1 - pick(near)) : pick(file.length);
        const value = INTERESTING[pick(INTERESTING.length)]!;
        if (random() < 0.5 && at + 4 <= file.length) view.setUint32(at, value, random() < 0.8);
        else if (at + 2 <= file.length) view.setUint16(at, value & 0xffff, random() < 0.8);
        break;
      }
      case 4:
        if (file.length > 16 && random() < 0.4) file = file.slice(0, 8 + pick(file.length - 8));
        break;
      default: {
        const from = pick(file.length);
        const length = Math.min(pick(200), file.length - from);
        file.copyWithin(pick(file.length), from, from + length);
      }
    }
    if (file.length === 0) file = new Uint8Array(1);
  }
  return file;
}

/** Whatever the header claims: windows at the corners and in the middle, all overviews, all bands. */
async function readSome(file: Uint8Array): Promise<void> {
  const source = await openGeoTiff(memoryBytes(file, "fuzzed.tif"));
  const levels = [source, ...source.info.overviews.slice(0, 3).map((_, k) => source.overview(k))];
  for (const level of levels) {
    const { width, height } = level.grid;
    const [w, h] = [Math.min(width, 200), Math.min(height, 200)];
    for (const [col, row] of [
      [0, 0],
      [width - w, height - h],
      [Math.floor((width - w) / 2), Math.floor((height - h) / 2)],
    ] as const)
      await level.read({ col, row, width: w, height: h });
  }
  await source.close();
}

function seeds(): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const pixels = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i) >> 4);
  const rgb: RawTag[] = [
    ...basicTags(64, 64, { bits: [8, 8, 8], compression: 8, photometric: 2 }),
    [317, 3, [2]],
  ];
  files.set(
    "strips",
    buildTiff([{ tags: [...rgb, [278, 3, [64]]], blocks: [deflateSync(pixels)] }], { littleEndian: false }),
  );
  const tiles: RawTag[] = [...basicTags(64, 64), [322, 3, [32]], [323, 3, [32]], [42113, 2, "255"]];
  const tile = pixels.subarray(0, 1024);
  files.set(
    "tiles",
    buildTiff([{ tags: tiles, blocks: [tile, new Uint8Array(0), tile, tile] }], { big: true }),
  );
  if (!HAS_SHARED) return files;
  for (const name of [
    "c_lerc_float32_tile.tif",
    "c_lzw_uint16_strip.tif",
    "c_packbits_int32_tile.tif",
    "c_zstd_int16_tile.tif",
    "cog_webmercator.tif",
    "l_jpeg_ycbcr.tif",
    "m_internal_mask.tif",
    "n_12bit.tif",
    "p3_deflate_float64_pixel_tile.tif",
  ])
    files.set(name, new Uint8Array(readFileSync(shared("conformance/geotiff/files", name))));
  return files;
}

describe("mutated files", () => {
  const files = [...seeds()];

  test.each(files)("%s is read before it is mutated", async (_, file) => {
    await readSome(file);
  });

  test.each(files)("%s gives pixels or a GeoError, soon and within bounds", async (name, file) => {
    const random = randomFrom(name.length * 7919 + file.length);
    const outcomes = { pixels: 0, errors: 0 };
    for (let k = 0; k < Math.ceil(MUTATIONS / files.length); k++) {
      const mutant = mutate(file, random);
      if (k % 8 === 0) collect();
      const before = process.memoryUsage();
      const start = performance.now();
      try {
        await readSome(mutant);
        outcomes.pixels++;
      } catch (error) {
        if (!isGeoError(error))
          throw new Error(`mutation ${k} of ${name}: ${String((error as Error).stack)}`);
        outcomes.errors++;
      }
      expect(performance.now() - start, `time of mutation ${k}`).toBeLessThan(SLOWEST_MS);
      // Garbage counts too, so this is more than the peak.
      const after = process.memoryUsage();
      const grown = after.external - before.external + after.heapUsed - before.heapUsed;
      expect(grown, `memory of mutation ${k}`).toBeLessThan(10 * mutant.length + 64 * 2 ** 20);
    }
    expect(outcomes.pixels).toBeGreaterThan(0);
    expect(outcomes.errors).toBeGreaterThan(0);
  });
});
