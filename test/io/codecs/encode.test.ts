import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deflateBytes } from "../../../src/io/codecs/deflate-encode.ts";
import { encodeFloat16 } from "../../../src/io/codecs/float16-encode.ts";
import { lzwBytes } from "../../../src/io/codecs/lzw-encode.ts";
import { differenceRows, floatPlanes } from "../../../src/io/codecs/predictor-encode.ts";
import { assertZstd, canZstd, zstdBytes } from "../../../src/io/codecs/zstd-encode.ts";

/** The decoder of TIFF 6.0 section 13, as its pseudocode says it: slow and plain. */
function plainLzw(bytes: Uint8Array): number[] {
  let bit = 0;
  const next = (width: number): number => {
    let code = 0;
    for (let i = 0; i < width; i++, bit++) code = (code << 1) | ((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1);
    return code;
  };
  const out: number[] = [];
  let table: number[][] = [];
  let width = 9;
  let old = -1;
  for (let code = next(9); code !== 257; code = next(width)) {
    if (code === 256) {
      table = Array.from({ length: 258 }, (_, i) => (i < 256 ? [i] : []));
      width = 9;
      old = next(width);
      if (old === 257) break;
      out.push(...table[old]!);
      continue;
    }
    const before = table[old]!;
    const text = code < table.length ? table[code]! : [...before, before[0]!];
    out.push(...text);
    table.push([...before, text[0]!]);
    if (table.length === 511 || table.length === 1023 || table.length === 2047) width++;
    old = code;
  }
  return out;
}

describe("lzwBytes", () => {
  it("gives the codes that the TIFF specification gives for its example", () => {
    // Section 13: 7 7 7 8 8 7 7 6 6 becomes Clear 7 258 8 8 258 6 6 End.
    const codes = [256, 7, 258, 8, 8, 258, 6, 6, 257];
    const bits = codes.map((code) => code.toString(2).padStart(9, "0")).join("");
    const expected = bits.match(/.{1,8}/g)!.map((byte) => Number.parseInt(byte.padEnd(8, "0"), 2));
    expect([...lzwBytes(Uint8Array.of(7, 7, 7, 8, 8, 7, 7, 6, 6))]).toEqual(expected);
  });

  it("writes nothing as a clear and an end code", () => {
    expect(plainLzw(lzwBytes(new Uint8Array(0)))).toEqual([]);
  });

  it("comes back unchanged whatever the bytes", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3000 }).map((values) => Uint8Array.from(values)),
    );
    fc.assert(
      fc.property(bytes, (data) => {
        expect(plainLzw(lzwBytes(data))).toEqual([...data]);
      }),
    );
  });

  it("comes back unchanged when the data end near a change of width or a full table", () => {
    // Noise fills the table one entry a byte: lengths around each change of width and around the clear code.
    let state = 1;
    const noise = Uint8Array.from({ length: 8000 }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 16;
    });
    const edges = [254, 766, 1790, 3836, 7680];
    for (const edge of edges) {
      for (let length = edge - 6; length < edge + 6; length++) {
        const data = noise.subarray(0, length);
        expect(plainLzw(lzwBytes(data)), `${length} bytes`).toEqual([...data]);
      }
    }
  });
});

describe("deflateBytes", () => {
  it("comes back unchanged at every level and for every size of sample", async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => ((i * i) >> 7) & 255);
    for (const level of [1, 6, 9]) {
      for (const sampleBytes of [1, 4]) {
        expect(new Uint8Array(inflateSync(await deflateBytes(bytes, { level, sampleBytes })))).toEqual(bytes);
      }
    }
  });

  it("holds incompressible bytes", async () => {
    let state = 7;
    const noise = Uint8Array.from({ length: 300_000 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    });
    expect(new Uint8Array(inflateSync(await deflateBytes(noise)))).toEqual(noise);
  });
});

describe("zstdBytes", () => {
  it.runIf(canZstd())("comes back unchanged", async () => {
    const zlib = (await import("node:zlib")) as unknown as { zstdDecompressSync(bytes: Uint8Array): Buffer };
    const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i >> 5) & 255);
    expect(new Uint8Array(zlib.zstdDecompressSync(await zstdBytes(bytes)))).toEqual(bytes);
  });

  it.runIf(!canZstd())("says which Node is needed", () => {
    expect(() => assertZstd()).toThrowError(
      expect.objectContaining({ code: "UNSUPPORTED", message: expect.stringContaining("22.15") }),
    );
  });
});

describe("differenceRows", () => {
  it("takes from each sample the one of the pixel to the left, row by row, and wraps", () => {
    const bytes = Uint8Array.of(10, 20, 30, /* next row */ 5, 4, 255);
    differenceRows(bytes, 3, 1, 1);
    expect([...bytes]).toEqual([10, 10, 10, 5, 255, 251]);
  });

  it("keeps bands apart", () => {
    const bytes = Uint8Array.of(1, 100, 3, 90, 6, 70);
    differenceRows(bytes, 6, 2, 1);
    expect([...bytes]).toEqual([1, 100, 2, 246, 3, 236]);
  });

  it("borrows across the words of 64-bit samples", () => {
    const values = BigUint64Array.of(0x1_0000_0000n, 0xffff_ffffn, 0n, 2n ** 63n);
    const bytes = new Uint8Array(values.buffer.slice(0));
    differenceRows(bytes, 4, 1, 8);
    const expected = [0x1_0000_0000n, 2n ** 64n - 1n, 2n ** 64n - 0xffff_ffffn, 2n ** 63n];
    expect([...new BigUint64Array(bytes.buffer)]).toEqual(expected);
  });

  it("is undone by adding up, for every size of sample", () => {
    const sizes = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array } as const;
    const sample = fc.record({
      size: fc.constantFrom(1 as const, 2 as const, 4 as const),
      columns: fc.integer({ min: 1, max: 9 }),
      bands: fc.integer({ min: 1, max: 3 }),
      values: fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { minLength: 54, maxLength: 54 }),
    });
    fc.assert(
      fc.property(sample, ({ size, columns, bands, values }) => {
        const original = sizes[size].from(values.slice(0, 2 * columns * bands).map((v) => v % 256 ** size));
        const work = original.slice();
        differenceRows(new Uint8Array(work.buffer), columns * bands, bands, size);
        for (let row = 0; row < 2; row++) {
          for (let i = row * columns * bands + bands; i < (row + 1) * columns * bands; i++) {
            work[i] = work[i]! + work[i - bands]!;
          }
        }
        expect(work).toEqual(original);
      }),
    );
  });
});

describe("floatPlanes", () => {
  it("sorts the bytes of a row by significance, then takes differences", () => {
    // 1.0 = 3f 80 00 00, -2.0 = c0 00 00 00
    const bytes = new Uint8Array(Float32Array.of(1, -2).buffer);
    floatPlanes(bytes, 2, 1, 4);
    const planes = [0x3f, 0xc0, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00];
    expect([...bytes]).toEqual(planes.map((byte, i) => (byte - (planes[i - 1] ?? 0)) & 255));
  });
});

describe("encodeFloat16", () => {
  const decode = (bits: number): number => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  };
  const encode = (value: number): number => {
    const out = new Uint16Array(1);
    encodeFloat16(Float32Array.of(value), out);
    return out[0]!;
  };

  it("gives back every half-precision number", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = decode(bits);
      const back = encode(value);
      if (Number.isNaN(value)) expect(decode(back)).toBeNaN();
      else if (back !== bits) expect.fail(`${value} became ${back}, not ${bits}`);
    }
  });

  it("rounds to the nearest, and halfway to the even one", () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const low = decode(bits);
      const high = decode(bits + 1);
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      if (encode(middle) !== even) expect.fail(`${middle} became ${encode(middle)}, not ${even}`);
      const below = low + (high - low) * 0.49;
      const above = low + (high - low) * 0.51;
      if (encode(below) !== bits || encode(above) !== bits + 1) expect.fail(`near ${middle}`);
    }
  });

  it("lets what is too large become infinity and what is too small zero", () => {
    expect([encode(65519), encode(65520), encode(-1e9), encode(2 ** -26), encode(-0)]).toEqual([
      0x7bff, 0x7c00, 0xfc00, 0, 0x8000,
    ]);
  });
});
