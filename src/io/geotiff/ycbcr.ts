/** How YCbCr numbers become RGB (TIFF 6.0, section 21): tags 529 and 532. */
export interface YCbCrRules {
  /** Weights of red, green and blue in luma. */
  readonly luma: readonly [red: number, green: number, blue: number];
  /** Black and white of Y, Cb and Cr, in that order. */
  readonly reference: readonly number[];
}

/** What holds when the tags are absent: ITU-R BT.601, full range. */
export const DEFAULT_YCBCR: YCbCrRules = {
  luma: [0.299, 0.587, 0.114],
  reference: [0, 255, 128, 255, 128, 255],
};

/**
 * Uncompressed YCbCr to RGB, 8 bits: units of `h x v` luma samples and one pair of chroma samples. Chroma is
 * repeated, not interpolated, and the arithmetic is 16-bit fixed point with rounding, as in libtiff.
 *
 * @returns `rows * width * 3` samples.
 */
export function convertYCbCr(
  raw: Uint8Array,
  width: number,
  rows: number,
  [h, v]: readonly [number, number],
  rules: YCbCrRules,
): Uint8Array {
  const out = new Uint8Array(width * rows * 3);
  const table = makeTables(rules);
  const unit = h * v + 2;
  const unitsAcross = Math.ceil(width / h);
  for (let row = 0; row < rows; row++) {
    const unitRow = Math.floor(row / v) * unitsAcross;
    const inUnit = (row % v) * h;
    for (let col = 0; col < width; col++) {
      const at = (unitRow + Math.floor(col / h)) * unit;
      const y = table.y[raw[at + inUnit + (col % h)]!]!;
      const cb = raw[at + unit - 2]!;
      const cr = raw[at + unit - 1]!;
      const to = 3 * (row * width + col);
      out[to] = clamp(y + table.redOfCr[cr]!);
      out[to + 1] = clamp(y + ((table.greenOfCb[cb]! + table.greenOfCr[cr]!) >> 16));
      out[to + 2] = clamp(y + table.blueOfCb[cb]!);
    }
  }
  return out;
}

interface Tables {
  readonly y: Int32Array;
  readonly redOfCr: Int32Array;
  readonly blueOfCb: Int32Array;
  readonly greenOfCr: Int32Array;
  readonly greenOfCb: Int32Array;
}

function makeTables({ luma: [red, green, blue], reference }: YCbCrRules): Tables {
  const fixed = (value: number): number => Math.floor(value * 65_536 + 0.5);
  const f1 = 2 - 2 * red;
  const f3 = 2 - 2 * blue;
  const d1 = fixed(f1);
  const d2 = -fixed((red * f1) / green);
  const d3 = fixed(f3);
  const d4 = -fixed((blue * f3) / green);
  const [y0 = 0, y1 = 255, cb0 = 128, cb1 = 255, cr0 = 128, cr1 = 255] = reference;
  const code = (c: number, black: number, white: number, range: number): number =>
    Math.trunc(((c - Math.trunc(black)) * range) / (white - black !== 0 ? white - black : 1));
  const tables: Tables = {
    y: new Int32Array(256),
    redOfCr: new Int32Array(256),
    blueOfCb: new Int32Array(256),
    greenOfCr: new Int32Array(256),
    greenOfCb: new Int32Array(256),
  };
  for (let i = 0; i < 256; i++) {
    const x = i - 128;
    const cr = code(x, cr0 - 128, cr1 - 128, 127);
    const cb = code(x, cb0 - 128, cb1 - 128, 127);
    tables.redOfCr[i] = (d1 * cr + 32_768) >> 16;
    tables.blueOfCb[i] = (d3 * cb + 32_768) >> 16;
    tables.greenOfCr[i] = d2 * cr;
    tables.greenOfCb[i] = d4 * cb + 32_768;
    tables.y[i] = code(i, y0, y1, 255);
  }
  return tables;
}

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value));
}
