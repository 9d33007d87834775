import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { pagedBytes } from "../../../src/io/bytes/cached.ts";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import { openBytes } from "../../../src/io/bytes/open.ts";
import { mergeRanges } from "../../../src/io/bytes/ranges.ts";
import { readExactly } from "../../../src/io/bytes/read.ts";
import type { ByteSource } from "../../../src/io/bytes/source.ts";

const folder = mkdtempSync(join(tmpdir(), "tilth-bytes-"));
afterAll(() => rmSync(folder, { recursive: true }));
const content = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31) & 255);
const path = join(folder, "some.bin");
writeFileSync(path, content);

describe("a source of bytes", () => {
  const sources: [string, () => Promise<ByteSource>][] = [
    ["a file", () => openBytes(path)],
    ["memory", async () => memoryBytes(content)],
    ["memory behind pages", async () => pagedBytes(memoryBytes(content), 1000, 4)],
  ];
  test.each(sources)("gives any range of %s, and less only at the end", async (_, open) => {
    const source = await open();
    expect(source.size).toBe(content.length);
    await fc.assert(
      fc.asyncProperty(fc.nat(110_000), fc.nat(20_000), async (offset, length) => {
        const expected = content.subarray(Math.min(offset, content.length), offset + length);
        expect(Buffer.compare(await source.read(offset, length), expected)).toBe(0);
      }),
      { numRuns: 100, seed: 4 },
    );
    await source.close();
    await source.close();
  });

  test("of a Buffer gives no Buffers: their slices would not copy", async () => {
    const buffer = Buffer.from(content);
    for (const source of [memoryBytes(buffer), pagedBytes(memoryBytes(buffer), 1000, 4)]) {
      const bytes = await source.read(990, 20);
      const copy = bytes.slice();
      expect([bytes.constructor, copy.byteLength, copy.buffer.byteLength]).toEqual([Uint8Array, 20, 20]);
      await source.close();
    }
  });

  test("keeps the pages it has read", async () => {
    const asked: number[] = [];
    const inner = memoryBytes(content);
    const counting: ByteSource = {
      ...inner,
      read(offset, length) {
        asked.push(offset);
        return inner.read(offset, length);
      },
    };
    const source = pagedBytes(counting, 1000, 4);
    for (const offset of [0, 10, 990, 1500, 20]) await source.read(offset, 20);
    expect(asked).toEqual([0, 1000]);
  });

  test("says which file is missing, and which is a folder", async () => {
    await expect(openBytes(join(folder, "none.tif"))).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(openBytes(folder)).rejects.toMatchObject({ code: "UNREADABLE" });
  });

  test("refuses a claim beyond the end before it allocates", async () => {
    const source = memoryBytes(content, "short.tif");
    expect(await readExactly(source, 99_990, 10, "the end")).toHaveLength(10);
    await expect(readExactly(source, 99_990, 11, "the end")).rejects.toMatchObject({
      code: "INVALID_FORMAT",
    });
    await expect(readExactly(source, 0, 2 ** 52, "the claim")).rejects.toThrow(
      /short\.tif.*the claim.*100000 bytes/,
    );
    await expect(readExactly(source, Number.NaN, 1, "nothing")).rejects.toMatchObject({
      code: "INVALID_FORMAT",
    });
  });
});

describe("merging ranges", () => {
  test("reads over small gaps and splits at the limit", () => {
    const parts = [
      { offset: 300, length: 50 },
      { offset: 0, length: 100 },
      { offset: 110, length: 90 },
    ];
    expect(mergeRanges(parts, 10, 1000).map(({ offset, length }) => [offset, length])).toEqual([
      [0, 200],
      [300, 50],
    ]);
    expect(mergeRanges(parts, 100, 250)).toHaveLength(2);
    expect(mergeRanges([], 10, 10)).toEqual([]);
  });

  test("covers every part once, also where parts overlap", () => {
    const range = fc.record({ offset: fc.nat(5000), length: fc.integer({ min: 1, max: 300 }) });
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 40 }),
        fc.nat(200),
        fc.integer({ min: 1, max: 2000 }),
        (parts, gap, limit) => {
          const merged = mergeRanges(parts, gap, limit);
          expect(merged.flatMap((range) => range.parts)).toHaveLength(parts.length);
          for (const { offset, length, parts: inside } of merged) {
            for (const part of inside) {
              expect(part.offset).toBeGreaterThanOrEqual(offset);
              expect(part.offset + part.length).toBeLessThanOrEqual(offset + length);
            }
            if (inside.length > 1) expect(length).toBeLessThanOrEqual(limit);
          }
        },
      ),
    );
  });
});
