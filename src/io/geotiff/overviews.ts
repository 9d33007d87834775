import { integerRange, isComplex, isFloat, type SampleArray, type SampleType } from "../../model/raster.ts";

/**
 * How four pixels become one.
 *
 * - `nearest`: the top-left one, whatever it holds.
 * - `average`: mean of the observed ones; whole numbers are rounded half away from zero.
 * - `mode`: the most frequent observed one; of equally frequent ones the smallest.
 */
export type OverviewMethod = "nearest" | "average" | "mode";

/**
 * Pixels of one tile, band by band. Rows are `side` pixels apart; only the top-left `width` x `height`
 * pixels count, the rest is padding.
 */
export interface TilePixels {
  readonly side: number;
  width: number;
  height: number;
  /** One array per band, length `side * side` (twice that for complex types). */
  readonly bands: readonly SampleArray[];
  /** 0 = not observed; length `side * side`. `null` when the raster has no mask. */
  readonly mask: Uint8Array | null;
}

type NumberArray = Exclude<SampleArray, BigInt64Array | BigUint64Array>;

export interface HalveOptions {
  readonly type: SampleType;
  readonly method: OverviewMethod;
  /** Sample that means "not observed", rounded to `type`; `null` when there is none that `type` can hold. */
  readonly nodata: number | bigint | null;
  /** Position of the alpha band, -1 for none: neither nodata nor mask say anything about it. */
  readonly alpha: number;
}

/**
 * Halves tiles for overviews: each 2 x 2 pixels of a tile become one pixel of the level above. A last odd
 * column or row is halved alone. Holds scratch rows; make one for a raster and use it for all its tiles.
 *
 * A pixel is observed when its mask is not 0, its sample is not nodata and not NaN. A pixel without an
 * observed source becomes nodata, or NaN (float without nodata and mask), or 0, with mask 0. An average that
 * happens to be the nodata value becomes the next value instead, so that data never turn into holes.
 */
export class Halver {
  readonly #options: HalveOptions;
  readonly #fill: number;
  /** Stands in for an average that equals nodata. */
  readonly #instead: number;
  readonly #upper: Float64Array;
  readonly #lower: Float64Array;
  readonly #out: Float64Array;

  constructor(side: number, hasMask: boolean, options: HalveOptions) {
    const { type, nodata } = options;
    this.#options = options;
    this.#fill = nodata !== null ? Number(nodata) : isFloat(type) && !hasMask ? NaN : 0;
    this.#instead = nodata === null ? NaN : besides(type, Number(nodata));
    // One more than a row: an odd last column is doubled.
    this.#upper = new Float64Array(side + 1);
    this.#lower = new Float64Array(side + 1);
    this.#out = new Float64Array(side >>> 1);
  }

  /** Halve `from` into `to`, its top-left pixel at `(col, row)` there. `side` of both must be equal. */
  halve(from: TilePixels, to: TilePixels, col: number, row: number): void {
    const { type, method } = this.#options;
    for (let b = 0; b < from.bands.length; b++) {
      const source = from.bands[b]!;
      const target = to.bands[b]!;
      const alpha = b === this.#options.alpha;
      const nodata = alpha ? null : this.#options.nodata;
      const mask = alpha ? null : from.mask;
      if (method === "nearest" || isComplex(type)) nearest(source, target, from, col, row);
      else if (source instanceof BigInt64Array || source instanceof BigUint64Array) {
        this.#halveBig(source, target as typeof source, from, col, row, nodata, mask);
      } else if (method === "average" && source instanceof Uint8Array && mask === null) {
        this.#averageBytes(source, target as Uint8Array, from, col, row, nodata);
      } else this.#halveNumbers(source, target as NumberArray, from, col, row, nodata, mask);
    }
    if (from.mask !== null) {
      if (method === "nearest") nearest(from.mask, to.mask!, from, col, row);
      else anyObserved(from.mask, to.mask!, from, col, row);
    }
  }

  #averageBytes(
    source: Uint8Array,
    target: Uint8Array,
    from: TilePixels,
    col: number,
    row: number,
    hole: number | bigint | null,
  ): void {
    const { side, width, height } = from;
    const nodata = hole === null ? -1 : Number(hole);
    const instead = this.#instead;
    const pairs = width >>> 1;
    for (let y = 0; y < height; y += 2) {
      let upper = y * side;
      let lower = y + 1 < height ? upper + side : upper;
      let to = (row + (y >>> 1)) * side + col;
      if (nodata === -1) {
        for (let x = 0; x < pairs; x++) {
          const sum = source[upper]! + source[upper + 1]! + source[lower]! + source[lower + 1]!;
          target[to++] = (sum + 2) >>> 2;
          upper += 2;
          lower += 2;
        }
        if (pairs * 2 < width) target[to] = (source[upper]! + source[lower]! + 1) >>> 1;
      } else {
        for (let x = 0; x < width; x += 2) {
          const right = x + 1 < width ? 1 : 0;
          const a = source[upper]!;
          const b = source[upper + right]!;
          const c = source[lower]!;
          const d = source[lower + right]!;
          let count = 0;
          let sum = 0;
          if (a !== nodata) {
            sum += a;
            count++;
          }
          if (b !== nodata) {
            sum += b;
            count++;
          }
          if (c !== nodata) {
            sum += c;
            count++;
          }
          if (d !== nodata) {
            sum += d;
            count++;
          }
          if (count === 0) target[to++] = nodata;
          else {
            const mean = ((2 * sum + count) / (2 * count)) | 0;
            target[to++] = mean === nodata ? instead : mean;
          }
          upper += 2;
          lower += 2;
        }
      }
    }
  }

  /** Any type but 64-bit integers: rows are widened to doubles, which is exact, with NaN for "not observed". */
  #halveNumbers(
    source: NumberArray,
    target: NumberArray,
    from: TilePixels,
    col: number,
    row: number,
    nodata: number | bigint | null,
    mask: Uint8Array | null,
  ): void {
    const { side, width, height } = from;
    const { type, method } = this.#options;
    const upper = this.#upper;
    const lower = this.#lower;
    const out = this.#out;
    const half = (width + 1) >>> 1;
    for (let y = 0; y < height; y += 2) {
      widen(source, y * side, width, nodata, mask, upper);
      widen(source, (y + 1 < height ? y + 1 : y) * side, width, nodata, mask, lower);
      if (method === "mode") modeRows(upper, lower, out, half, this.#fill);
      else {
        averageRows(upper, lower, out, half, this.#fill);
        if (!isFloat(type)) roundRow(out, half);
        if (nodata !== null) this.#avoidNodata(Number(nodata), upper, lower, out, half);
      }
      target.set(out.subarray(0, half), (row + (y >>> 1)) * side + col);
    }
  }

  #avoidNodata(
    nodata: number,
    upper: Float64Array,
    lower: Float64Array,
    out: Float64Array,
    half: number,
  ): void {
    const single = this.#options.type === "float32" || this.#options.type === "float16";
    for (let x = 0; x < half; x++) {
      if ((single ? Math.fround(out[x]!) : out[x]) !== nodata) continue;
      const u = 2 * x;
      const anyObserved =
        !Number.isNaN(upper[u]) ||
        !Number.isNaN(upper[u + 1]) ||
        !Number.isNaN(lower[u]) ||
        !Number.isNaN(lower[u + 1]);
      if (anyObserved) out[x] = this.#instead;
    }
  }

  /** 64-bit integers, exactly and slowly. */
  #halveBig<T extends BigInt64Array | BigUint64Array>(
    source: T,
    target: T,
    from: TilePixels,
    col: number,
    row: number,
    hole: number | bigint | null,
    mask: Uint8Array | null,
  ): void {
    const { side, width, height } = from;
    const { method } = this.#options;
    const nodata = hole === null ? null : BigInt(hole);
    const values: bigint[] = [];
    for (let y = 0; y < height; y += 2) {
      for (let x = 0; x < width; x += 2) {
        values.length = 0;
        for (const dy of y + 1 < height ? [0, side] : [0]) {
          for (const dx of x + 1 < width ? [0, 1] : [0]) {
            const at = y * side + x + dx + dy;
            if (source[at] !== nodata && (mask === null || mask[at] !== 0)) values.push(source[at]!);
          }
        }
        const to = (row + (y >>> 1)) * side + col + (x >>> 1);
        if (values.length === 0) target[to] = nodata ?? 0n;
        else if (method === "mode") target[to] = modeBig(values);
        else {
          const mean = averageBig(values);
          target[to] = mean === nodata ? BigInt(this.#instead) : mean;
        }
      }
    }
  }
}

/** One row as doubles, NaN for "not observed"; a last odd column is doubled behind its end. */
function widen(
  source: NumberArray,
  start: number,
  width: number,
  nodata: number | bigint | null,
  mask: Uint8Array | null,
  out: Float64Array,
): void {
  out.set(source.subarray(start, start + width));
  if (nodata !== null) {
    const hole = Number(nodata);
    for (let x = 0; x < width; x++) if (out[x] === hole) out[x] = NaN;
  }
  if (mask !== null) for (let x = 0; x < width; x++) if (mask[start + x] === 0) out[x] = NaN;
  out[width] = out[width - 1]!;
}

/** Three array shapes for all sample types: only sizes matter when pixels are picked. */
function nearest(source: SampleArray, target: SampleArray, from: TilePixels, col: number, row: number): void {
  const { side, width, height } = from;
  const sampleBytes = source.byteLength / (side * side);
  if (sampleBytes === 1) nearest8(view8(source), view8(target), side, width, height, row * side + col);
  else if (sampleBytes === 2) {
    nearest16(view16(source), view16(target), side, width, height, row * side + col);
  } else {
    const words = sampleBytes / 4;
    nearest32(view32(source), view32(target), side, width, height, row * side + col, words);
  }
}

function view8(array: SampleArray): Uint8Array {
  return array instanceof Uint8Array
    ? array
    : new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function view16(array: SampleArray): Uint16Array {
  return new Uint16Array(array.buffer, array.byteOffset, array.byteLength / 2);
}

function view32(array: SampleArray): Uint32Array {
  return new Uint32Array(array.buffer, array.byteOffset, array.byteLength / 4);
}

function nearest8(
  source: Uint8Array,
  target: Uint8Array,
  side: number,
  width: number,
  height: number,
  at: number,
): void {
  for (let y = 0; y < height; y += 2) {
    let to = at + (y >>> 1) * side;
    const end = y * side + width;
    for (let i = y * side; i < end; i += 2) target[to++] = source[i]!;
  }
}

function nearest16(
  source: Uint16Array,
  target: Uint16Array,
  side: number,
  width: number,
  height: number,
  at: number,
): void {
  for (let y = 0; y < height; y += 2) {
    let to = at + (y >>> 1) * side;
    const end = y * side + width;
    for (let i = y * side; i < end; i += 2) target[to++] = source[i]!;
  }
}

function nearest32(
  source: Uint32Array,
  target: Uint32Array,
  side: number,
  width: number,
  height: number,
  at: number,
  words: number,
): void {
  for (let y = 0; y < height; y += 2) {
    let to = (at + (y >>> 1) * side) * words;
    const end = (y * side + width) * words;
    for (let i = y * side * words; i < end; i += 2 * words) {
      for (let word = 0; word < words; word++) target[to++] = source[i + word]!;
    }
  }
}

function anyObserved(mask: Uint8Array, target: Uint8Array, from: TilePixels, col: number, row: number): void {
  const { side, width, height } = from;
  for (let y = 0; y < height; y += 2) {
    let upper = y * side;
    let lower = y + 1 < height ? upper + side : upper;
    let to = (row + (y >>> 1)) * side + col;
    for (let x = 0; x < width; x += 2) {
      const right = x + 1 < width ? 1 : 0;
      target[to++] =
        (mask[upper]! | mask[upper + right]! | mask[lower]! | mask[lower + right]!) === 0 ? 0 : 255;
      upper += 2;
      lower += 2;
    }
  }
}

function averageRows(
  upper: Float64Array,
  lower: Float64Array,
  out: Float64Array,
  half: number,
  fill: number,
): void {
  for (let x = 0; x < half; x++) {
    const a = upper[2 * x]!;
    const b = upper[2 * x + 1]!;
    const c = lower[2 * x]!;
    const d = lower[2 * x + 1]!;
    const sum = a + b + c + d;
    if (!Number.isNaN(sum)) {
      out[x] = sum / 4;
      continue;
    }
    let count = 0;
    let observed = 0;
    if (!Number.isNaN(a)) {
      observed += a;
      count++;
    }
    if (!Number.isNaN(b)) {
      observed += b;
      count++;
    }
    if (!Number.isNaN(c)) {
      observed += c;
      count++;
    }
    if (!Number.isNaN(d)) {
      observed += d;
      count++;
    }
    out[x] = count === 0 ? fill : observed / count;
  }
}

/** Half away from zero. */
function roundRow(out: Float64Array, half: number): void {
  for (let x = 0; x < half; x++) {
    const value = out[x]!;
    out[x] = value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
  }
}

function modeRows(
  upper: Float64Array,
  lower: Float64Array,
  out: Float64Array,
  half: number,
  fill: number,
): void {
  for (let x = 0; x < half; x++) {
    const a = upper[2 * x]!;
    const b = upper[2 * x + 1]!;
    const c = lower[2 * x]!;
    const d = lower[2 * x + 1]!;
    // Times each value is met; NaN equals nothing, so it counts 0.
    const ofA = (!Number.isNaN(a) ? 1 : 0) + (a === b ? 1 : 0) + (a === c ? 1 : 0) + (a === d ? 1 : 0);
    if (ofA > 2) {
      out[x] = a;
      continue;
    }
    const ofB = (!Number.isNaN(b) ? 1 : 0) + (b === a ? 1 : 0) + (b === c ? 1 : 0) + (b === d ? 1 : 0);
    const ofC = (!Number.isNaN(c) ? 1 : 0) + (c === a ? 1 : 0) + (c === b ? 1 : 0) + (c === d ? 1 : 0);
    const ofD = (!Number.isNaN(d) ? 1 : 0) + (d === a ? 1 : 0) + (d === b ? 1 : 0) + (d === c ? 1 : 0);
    let best = fill;
    let times = 0;
    if (ofA > times) {
      best = a;
      times = ofA;
    }
    if (ofB > times || (ofB === times && b < best)) {
      best = b;
      times = ofB;
    }
    if (ofC > times || (ofC === times && c < best)) {
      best = c;
      times = ofC;
    }
    if (ofD > times || (ofD === times && d < best)) {
      best = d;
      times = ofD;
    }
    out[x] = times === 0 ? fill : best;
  }
}

function modeBig(values: readonly bigint[]): bigint {
  let best = values[0]!;
  let times = 0;
  for (const value of values) {
    const met = values.filter((other) => other === value).length;
    if (met > times || (met === times && value < best)) {
      best = value;
      times = met;
    }
  }
  return best;
}

function averageBig(values: readonly bigint[]): bigint {
  const sum = values.reduce((total, value) => total + value, 0n);
  const count = BigInt(values.length);
  // Division truncates towards zero, so half the divisor is added away from zero.
  return (2n * sum + (sum < 0n ? -count : count)) / (2n * count);
}

/** The value next to `nodata` that `type` can hold. */
function besides(type: SampleType, nodata: number): number {
  const range = integerRange(type);
  if (range !== null) return nodata >= Number(range[1]) ? nodata - 1 : nodata + 1;
  const [digits, least] = type === "float16" ? [10, -14] : type === "float32" ? [23, -126] : [52, -1022];
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, nodata);
  const exponent = ((view.getUint16(0) >>> 4) & 0x7ff) - 1023;
  // Towards zero, so that the largest number has a neighbour too; zero itself goes up.
  const step = 2 ** (Math.max(exponent, least!) - digits!);
  return nodata > 0 ? nodata - step : nodata + step;
}
