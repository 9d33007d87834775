import type { SampleArray } from "../../model/raster.ts";

/** Samples of one band of a window, in the type they are stored in but for 64-bit integers. */
export interface ClassSamples {
  readonly samples: Exclude<SampleArray, BigInt64Array | BigUint64Array>;
  /** NaN when there is none. */
  readonly nodata: number;
  /** 0: not observed; `null`: all are. */
  readonly mask: Uint8Array | null;
}

/** Classes more than this in one window are no classes but a measurement. */
export const MAX_CLASSES = 4096;

/** Whole numbers from -32768 to 65535 are looked up in a table, the rest in a map. */
const TABLE_START = 32768;
let table: Uint16Array | null = null;
let tableInUse = false;

/**
 * Numbers for the classes of a window, so that they can be counted in arrays. Bytes without a mask are their own numbers;
 * anything else is numbered as it is met, 0 being "not observed": nodata, NaN, or a mask of 0.
 */
export class ClassSlots {
  /** Numbers of the pixels asked for last. */
  keys: Uint8Array | Uint16Array;
  /** The same four bytes at a time, for numbers that are bytes in memory that allows it. */
  readonly words: Int32Array | null;
  /** Slots there can be. */
  readonly size: number;
  readonly #input: ClassSamples;
  readonly #bytes: boolean;
  readonly #values: number[] = [Number.NaN];
  readonly #table: Uint16Array;
  readonly #map = new Map<number, number>();
  #last: number = Number.NaN;
  #lastSlot = 0;

  /** @param width  Pixels asked for at once, at most. */
  constructor(input: ClassSamples, width: number) {
    this.#input = input;
    this.#bytes = input.samples instanceof Uint8Array && input.mask === null;
    this.size = this.#bytes ? 256 : MAX_CLASSES + 1;
    this.keys = this.#bytes ? (input.samples as Uint8Array) : new Uint16Array(width);
    const { buffer, byteOffset, byteLength } = this.keys;
    this.words =
      this.#bytes && byteOffset % 4 === 0 ? new Int32Array(buffer, byteOffset, byteLength >> 2) : null;
    if (this.#bytes || tableInUse) this.#table = this.#bytes ? EMPTY : new Uint16Array(TABLE_START + 65536);
    else {
      table ??= new Uint16Array(TABLE_START + 65536);
      this.#table = table;
      tableInUse = true;
    }
  }

  /** Value of a slot; NaN: not observed. */
  value(slot: number): number {
    if (!this.#bytes) return this.#values[slot]!;
    return slot === this.#input.nodata ? Number.NaN : slot;
  }

  /**
   * Number pixels `start .. end - 1` of the window. Returns where in {@link keys} the first of them is.
   * @throws RangeError when there are more than {@link MAX_CLASSES} values.
   */
  number(start: number, end: number): number {
    if (this.#bytes) return start;
    const { samples, nodata, mask } = this.#input;
    const keys = this.keys;
    const table = this.#table;
    let last = this.#last;
    let slot = this.#lastSlot;
    for (let i = start; i < end; i++) {
      if (mask !== null && mask[i] === 0) {
        keys[i - start] = 0;
        continue;
      }
      const value = samples[i]!;
      if (value !== last) {
        if (value === nodata || Number.isNaN(value)) {
          keys[i - start] = 0;
          continue;
        }
        const at = value + TABLE_START;
        slot =
          at >= 0 && at < table.length && Number.isInteger(at) ? table[at]! : (this.#map.get(value) ?? 0);
        if (slot === 0) slot = this.#add(value);
        last = value;
      }
      keys[i - start] = slot;
    }
    this.#last = last;
    this.#lastSlot = slot;
    return 0;
  }

  /** Give the table back. */
  release(): void {
    if (this.#table !== table) return;
    for (const value of this.#values) if (isListed(value)) table[value + TABLE_START] = 0;
    tableInUse = false;
  }

  #add(value: number): number {
    const slot = this.#values.length;
    if (slot > MAX_CLASSES) throw new RangeError(`more than ${MAX_CLASSES} values`);
    this.#values.push(value);
    if (isListed(value)) this.#table[value + TABLE_START] = slot;
    else this.#map.set(value, slot);
    return slot;
  }
}

const EMPTY = new Uint16Array(0);

function isListed(value: number): boolean {
  return Number.isInteger(value) && value >= -TABLE_START && value < 65536;
}
