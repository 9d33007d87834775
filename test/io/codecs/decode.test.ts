import { randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { reverseBits, unpackBits, widenHalf, widenTriple } from "../../../src/io/codecs/bits.ts";
import { CodecError } from "../../../src/io/codecs/codec-error.ts";
import { decodeDeflate, decodeDeflateUpTo } from "../../../src/io/codecs/deflate.ts";
import { decodeLzw } from "../../../src/io/codecs/lzw.ts";
import { decodePackBits } from "../../../src/io/codecs/packbits.ts";
import { undoFloating, undoHorizontal } from "../../../src/io/codecs/predictor.ts";
import { decodeZstd } from "../../../src/io/codecs/zstd.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("PackBits", () => {
  test("expands literal runs, repeats and no-ops (TIFF 6.0, section 9)", () => {
    const packed = bytes(
      0xfe,
      0xaa,
      0x02,
      0x80,
      0x00,
      0x2a,
      0xfd,
      0xaa,
      0x80,
      0x03,
      0x80,
      0x00,
      0x2a,
      0x22,
      0xf7,
      0xaa,
    );
    const plain = "aaaaaa80002aaaaaaaaa80002a22aaaaaaaaaaaaaaaaaaaa";
    expect(Buffer.from(decodePackBits(packed, 24)).toString("hex")).toBe(plain);
  });

  test("leaves what is beyond the expected bytes, and says when there are too few", () => {
    expect(decodePackBits(bytes(0xf7, 1, 5), 4)).toEqual(bytes(1, 1, 1, 1));
    expect(() => decodePackBits(bytes(0xf7, 1), 11)).toThrow("PackBits data ends after 10 of 11 bytes");
    expect(() => decodePackBits(bytes(5, 1, 2), 6)).toThrow(CodecError);
  });
});

/** Codes of 9 bits and growing, written by hand: enough of LZW to make both kinds of streams. */
function lzw(data: Uint8Array, old: boolean): Uint8Array {
  const bits: number[] = [];
  let width = 9;
  const put = (code: number): void => {
    for (let k = 0; k < width; k++) bits.push((code >> (old ? k : width - 1 - k)) & 1);
  };
  let table = new Map<string, number>();
  let next = 258;
  put(256);
  let held = "";
  for (const byte of data) {
    const longer = held === "" ? `${byte}` : `${held},${byte}`;
    if (!longer.includes(",") || table.has(longer)) {
      held = longer;
      continue;
    }
    put(held.includes(",") ? table.get(held)! : Number(held));
    table.set(longer, next++);
    held = `${byte}`;
    if (next === (1 << width) + (old ? 1 : 0) && width < 12) width++;
    if (next === 4094) {
      put(256);
      table = new Map();
      next = 258;
      width = 9;
    }
  }
  if (held !== "") put(held.includes(",") ? table.get(held)! : Number(held));
  const out = new Uint8Array(Math.ceil(bits.length / 8) + 4);
  bits.forEach((bit, i) => {
    out[i >> 3]! |= bit << (old ? i & 7 : 7 - (i & 7));
  });
  return out;
}

describe("LZW", () => {
  test("expands the example of the specification", () => {
    // 7 7 7 8 8 7 7 6 6 as Clear 7 258 8 8 258 6 6 End.
    const codes = [256, 7, 258, 8, 8, 258, 6, 6, 257];
    const text = codes.map((code) => code.toString(2).padStart(9, "0")).join("");
    const packed = Uint8Array.from(text.padEnd(88, "0").match(/.{8}/g)!, (byte) => Number.parseInt(byte, 2));
    expect(decodeLzw(packed, 9)).toEqual(bytes(7, 7, 7, 8, 8, 7, 7, 6, 6));
    expect(() => decodeLzw(packed, 10)).toThrow("LZW data ends after 9 of 10 bytes");
  });

  test.each([
    ["of today", false],
    ["of before 1988", true],
  ])("undoes streams %s", (_, old) => {
    const noisy = Uint8Array.from({ length: 20_000 }, (__, i) => (i % 7 < 3 ? 1 : (i * i * 31) >> 5) & 255);
    const flat = new Uint8Array(70_000).fill(3);
    for (const data of [noisy, flat])
      expect(Buffer.compare(decodeLzw(lzw(data, old), data.length), data)).toBe(0);
  });

  test("names a code that is not in the table", () => {
    // Clear, 65, then code 400.
    expect(() => decodeLzw(bytes(0x80, 0x10, 0x72, 0x00, 0x00), 9)).toThrow(/is not in the table/);
  });

  test("ends on any input, with bytes or with a CodecError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(5000), (data, expected) => {
        try {
          expect(decodeLzw(data, expected)).toHaveLength(expected);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
        }
      }),
    );
  });
});

describe("Deflate", () => {
  const plain = Uint8Array.from({ length: 200_000 }, (_, i) => (i >> 6) & 255);
  const packed = deflateSync(plain);

  test.each([false, true])("inflates to the expected bytes, in the pool: %s", async (parallel) => {
    expect(Buffer.compare(await decodeDeflate(packed, plain.length, parallel), plain)).toBe(0);
    const first = await decodeDeflate(packed, 50_000, parallel);
    expect(Buffer.compare(first, plain.subarray(0, 50_000))).toBe(0);
    await expect(async () => decodeDeflate(packed, 200_001, parallel)).rejects.toThrow(
      "Deflate data ends after 200000 of 200001 bytes",
    );
    const broken = Uint8Array.from(packed);
    broken[40]! ^= 0xff;
    await expect(async () => decodeDeflate(broken, 200_000, parallel)).rejects.toThrow(CodecError);
  });

  test("forgives a missing end when all bytes are there", async () => {
    expect(await decodeDeflate(packed.subarray(0, -4), plain.length, false)).toHaveLength(plain.length);
  });

  test("of unknown length stops at its bound", () => {
    expect(decodeDeflateUpTo(packed, 200_000)).toHaveLength(200_000);
    expect(() => decodeDeflateUpTo(packed, 199_999)).toThrow(CodecError);
  });
});

describe("ZSTD", () => {
  // "tilth " forty times, by zstd 1.5.4 -19.
  const packed = Buffer.from("KLUv/SDwbQAAMHRpbHRoIAEA51ClCA==", "base64");

  test("expands a frame", async () => {
    const out = await decodeZstd(packed, 240, false);
    expect(Buffer.from(out).toString("latin1")).toBe("tilth ".repeat(40));
  });

  test("does not believe the window: the highest level claims 128 MiB for a handful of bytes", async () => {
    for (const exponent of [27, 31]) {
      const window = (exponent - 10) << 3;
      const frame = bytes(0x28, 0xb5, 0x2f, 0xfd, 0x00, window, (3 << 3) | 1, 0, 0, 7, 8, 9);
      expect([...(await decodeZstd(frame, 3, false))]).toEqual([7, 8, 9]);
    }
  });

  test("takes one frame of several, and stops at its bound", async () => {
    const repeat = (count: number, last: number): number[] => [
      ((count << 3) & 0xff) | 2 | last,
      (count >> 5) & 0xff,
      count >> 13,
      7,
    ];
    const header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88];
    const one = bytes(...header, ...repeat(4, 1), ...header, ...repeat(4, 1));
    expect(await decodeZstd(one, 4, false)).toEqual(bytes(7, 7, 7, 7));
    const bomb = new Array<number[]>(1000).fill(repeat(131_072, 0)).flat();
    await expect(decodeZstd(bytes(...header, ...bomb, ...repeat(1, 1)), 200_000, false)).rejects.toThrow(
      /ZSTD data is damaged/,
    );
  });

  test("refuses what claims too much before it decodes", async () => {
    await expect(decodeZstd(packed, 100, false)).rejects.toThrow(/claims \d+ bytes, expected at most 100/);
    await expect(decodeZstd(bytes(1, 2, 3, 4, 5, 6), 1000, false)).rejects.toThrow(
      /does not start with a frame/,
    );
  });
});

describe("predictors", () => {
  test("2 adds up along rows, band by band, at every width", () => {
    const eight = bytes(1, 2, 3, 250, 10, 5, 5, 5);
    undoHorizontal(eight, 8, 4, 1);
    expect(eight).toEqual(bytes(1, 3, 6, 0, 10, 15, 20, 25));
    const pairs = bytes(1, 100, 1, 100, 1, 100);
    undoHorizontal(pairs, 8, 6, 2);
    expect(pairs).toEqual(bytes(1, 100, 2, 200, 3, 44));
    const sixteen = Uint16Array.of(65_535, 2, 3);
    undoHorizontal(sixteen, 16, 3, 1);
    expect(sixteen).toEqual(Uint16Array.of(65_535, 1, 4));
    const words = Uint32Array.of(4_294_967_295, 2, 3);
    undoHorizontal(words, 32, 3, 1);
    expect(words).toEqual(Uint32Array.of(4_294_967_295, 1, 4));
  });

  test("2 carries from the low to the high half of 64-bit samples", () => {
    const samples = BigUint64Array.of(0xffff_ffffn, 1n, 0xffff_ffff_ffff_ffffn);
    undoHorizontal(new Uint32Array(samples.buffer), 64, 3, 1);
    expect(samples).toEqual(BigUint64Array.of(0xffff_ffffn, 0x1_0000_0000n, 0xffff_ffffn));
  });

  test.each([2, 4, 8])("3 puts the bytes of %i-byte floats back together", (size) => {
    const width = 5;
    const plain = randomBytes(2 * width * size);
    const coded = new Uint8Array(plain.length);
    for (let row = 0; row < 2; row++) {
      const at = row * width * size;
      for (let i = 0; i < width; i++)
        for (let k = 0; k < size; k++) coded[at + k * width + i] = plain[at + i * size + (size - 1 - k)]!;
      for (let i = width * size - 1; i > 0; i--) coded[at + i] = coded[at + i]! - coded[at + i - 1]!;
    }
    expect(Buffer.compare(undoFloating(coded, size, width, 1), plain)).toBe(0);
  });
});

describe("bits", () => {
  test("are unpacked from the highest, rows at whole bytes", () => {
    const one = new Uint8Array(6);
    unpackBits(bytes(0b10100000, 0b01100000), 1, 3, 2, false, one);
    expect(one).toEqual(bytes(1, 0, 1, 0, 1, 1));
    const twelve = new Uint16Array(3);
    unpackBits(bytes(0xab, 0xcd, 0xef, 0x12, 0x30), 12, 3, 1, false, twelve);
    expect(twelve).toEqual(Uint16Array.of(0xabc, 0xdef, 0x123));
    const signed = new Int8Array(2);
    unpackBits(bytes(0xf7), 4, 2, 1, true, signed);
    expect(signed).toEqual(Int8Array.of(-1, 7));
    const wide = new Uint32Array(2);
    unpackBits(bytes(0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 4), 31, 2, 1, false, wide);
    expect(wide).toEqual(Uint32Array.of(0x7fff_ffff, 1));
  });

  test("change places under fill order 2", () => {
    expect(reverseBits(bytes(0b1000_0000, 0b0001_0011))).toEqual(bytes(0b0000_0001, 0b1100_1000));
  });

  test("of half floats widen exactly", () => {
    const out = new Float32Array(8);
    widenHalf(
      Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00),
      new Uint32Array(out.buffer),
    );
    expect(Array.from(out)).toEqual([1, -2, 65_504, 2 ** -24, -0, Infinity, -Infinity, Number.NaN]);
  });

  test("of 24-bit floats widen exactly, in either byte order", () => {
    const out = new Float32Array(4);
    widenTriple(bytes(0, 0, 0x3f, 0, 0x80, 0xc0, 0, 0, 0x7f, 1, 0, 0), true, new Uint32Array(out.buffer));
    expect(Array.from(out)).toEqual([1, -3, Infinity, 2 ** -78]);
    const other = new Float32Array(1);
    widenTriple(bytes(0x3f, 0, 0), false, new Uint32Array(other.buffer));
    expect(other[0]).toBe(1);
  });
});
