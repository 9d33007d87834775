import { deltaBinaryUnpack } from "hyparquet/src/delta.js";
import { byteStreamSplit } from "hyparquet/src/encoding.js";
import { DamagedPage } from "./damaged.ts";

// Encodings of Parquet: https://parquet.apache.org/docs/file-format/data-pages/encodings/

/** Values of a page in the order they are stored, nulls left out. */
export type Values =
  | { readonly kind: "int32"; readonly array: Int32Array }
  | { readonly kind: "int64"; readonly array: BigInt64Array }
  | { readonly kind: "float64"; readonly array: Float64Array }
  | { readonly kind: "boolean"; readonly array: Uint8Array }
  | ByteValues;

/** Text or bytes: value `i` is `bytes[starts[i] .. ends[i] - 1]`. */
export interface ByteValues {
  readonly kind: "bytes";
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

export type PhysicalType =
  | "BOOLEAN"
  | "INT32"
  | "INT64"
  | "INT96"
  | "FLOAT"
  | "DOUBLE"
  | "BYTE_ARRAY"
  | "FIXED_LEN_BYTE_ARRAY";

/** Bytes of one value of a type of fixed size. */
function widthOf(type: PhysicalType, typeLength: number): number {
  switch (type) {
    case "INT32":
    case "FLOAT":
      return 4;
    case "INT64":
    case "DOUBLE":
      return 8;
    case "INT96":
      return 12;
    default:
      return typeLength;
  }
}

/**
 * Runs and bit-packed groups mixed: `count` numbers of `width` bits (0 to 32) from `bytes[at .. end - 1]`.
 * Claims of the bytes beyond `count` are cut off.
 */
export function readHybrid(
  bytes: Uint8Array,
  at: number,
  end: number,
  width: number,
  out: Uint8Array | Int32Array,
): void {
  const count = out.length;
  if (width === 0) return;
  if (width > 32) throw new DamagedPage(`${width} bits a value`);
  const mask = width === 32 ? 0xffffffff : 2 ** width - 1;
  let seen = 0;
  while (seen < count) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end || shift > 28) throw new DamagedPage("runs end too early");
      const byte = bytes[at++]!;
      header += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    if (header % 2 === 1) {
      const wanted = Math.min(((header - 1) / 2) * 8, count - seen);
      if (at + Math.ceil((wanted * width) / 8) > end) throw new DamagedPage("packed values end too early");
      unpack(bytes, at, width, mask, out, seen, wanted);
      seen += wanted;
      at += ((header - 1) / 2) * width;
    } else {
      const length = Math.min(header / 2, count - seen);
      const size = (width + 7) >> 3;
      if (at + size > end) throw new DamagedPage("a run ends too early");
      let value = 0;
      for (let k = 0; k < size; k++) value += bytes[at + k]! * 2 ** (8 * k);
      out.fill(value, seen, seen + length);
      seen += length;
      at += size;
    }
  }
}

function unpack(
  bytes: Uint8Array,
  start: number,
  width: number,
  mask: number,
  out: Uint8Array | Int32Array,
  from: number,
  count: number,
): void {
  const size = bytes.length;
  if (width <= 24) {
    for (let i = 0; i < count; i++) {
      const bit = i * width;
      const at = start + (bit >>> 3);
      let word = bytes[at]!;
      if (at + 1 < size) word |= bytes[at + 1]! << 8;
      if (at + 2 < size) word |= bytes[at + 2]! << 16;
      if (at + 3 < size) word |= bytes[at + 3]! << 24;
      out[from + i] = (word >>> (bit & 7)) & mask;
    }
    return;
  }
  for (let i = 0; i < count; i++) {
    const bit = i * width;
    const at = start + Math.floor(bit / 8);
    let word = 0;
    for (let k = 0; k < 5 && at + k < size; k++) word += bytes[at + k]! * 2 ** (8 * k);
    out[from + i] = Math.floor(word / 2 ** (bit % 8)) % (mask + 1);
  }
}

/** `count` values one after the other, as in PLAIN pages and dictionaries. */
export function readPlain(
  bytes: Uint8Array,
  at: number,
  type: PhysicalType,
  typeLength: number,
  count: number,
): Values {
  if (type === "BOOLEAN") {
    if (at + Math.ceil(count / 8) > bytes.length) throw new DamagedPage("values end too early");
    const array = new Uint8Array(count);
    for (let i = 0; i < count; i++) array[i] = (bytes[at + (i >> 3)]! >> (i & 7)) & 1;
    return { kind: "boolean", array };
  }
  if (type === "BYTE_ARRAY") {
    if (count * 4 > bytes.length - at) throw new DamagedPage(`${count} values do not fit`);
    const starts = new Uint32Array(count);
    const ends = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      if (at + 4 > bytes.length) throw new DamagedPage("values end too early");
      const length =
        (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
      at += 4;
      if (length > bytes.length - at) throw new DamagedPage(`a value of ${length} bytes does not fit`);
      starts[i] = at;
      at += length;
      ends[i] = at;
    }
    return { kind: "bytes", bytes, starts, ends };
  }
  const width = widthOf(type, typeLength);
  if (!(width > 0) || count * width > bytes.length - at) throw new DamagedPage(`${count} values do not fit`);
  if (type === "INT96" || type === "FIXED_LEN_BYTE_ARRAY") return fixedBytes(bytes, at, width, count);
  // Copied, because values in a page are rarely aligned.
  return numbers(type, new Uint8Array(bytes.subarray(at, at + count * width)).buffer);
}

function numbers(type: PhysicalType, buffer: ArrayBufferLike): Values {
  switch (type) {
    case "INT32":
      return { kind: "int32", array: new Int32Array(buffer) };
    case "INT64":
      return { kind: "int64", array: new BigInt64Array(buffer) };
    case "FLOAT":
      return { kind: "float64", array: Float64Array.from(new Float32Array(buffer)) };
    default:
      return { kind: "float64", array: new Float64Array(buffer) };
  }
}

function fixedBytes(bytes: Uint8Array, at: number, width: number, count: number): ByteValues {
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    starts[i] = at + i * width;
    ends[i] = at + (i + 1) * width;
  }
  return { kind: "bytes", bytes, starts, ends };
}

/** Values by their place in a dictionary. */
export function lookUp(dictionary: Values, places: Int32Array): Values {
  const size = dictionary.kind === "bytes" ? dictionary.starts.length : dictionary.array.length;
  for (let i = 0; i < places.length; i++) {
    // Unsigned, so that huge places do not look negative.
    if (places[i]! >>> 0 >= size) throw new DamagedPage(`place ${places[i]} in a dictionary of ${size}`);
  }
  switch (dictionary.kind) {
    case "bytes": {
      const starts = new Uint32Array(places.length);
      const ends = new Uint32Array(places.length);
      for (let i = 0; i < places.length; i++) {
        starts[i] = dictionary.starts[places[i]!]!;
        ends[i] = dictionary.ends[places[i]!]!;
      }
      return { kind: "bytes", bytes: dictionary.bytes, starts, ends };
    }
    case "int64": {
      const array = new BigInt64Array(places.length);
      for (let i = 0; i < places.length; i++) array[i] = dictionary.array[places[i]!]!;
      return { kind: "int64", array };
    }
    case "int32": {
      const array = new Int32Array(places.length);
      for (let i = 0; i < places.length; i++) array[i] = dictionary.array[places[i]!]!;
      return { kind: "int32", array };
    }
    case "boolean": {
      const array = new Uint8Array(places.length);
      for (let i = 0; i < places.length; i++) array[i] = dictionary.array[places[i]!]!;
      return { kind: "boolean", array };
    }
    case "float64": {
      const array = new Float64Array(places.length);
      for (let i = 0; i < places.length; i++) array[i] = dictionary.array[places[i]!]!;
      return { kind: "float64", array };
    }
  }
}

/** Whole numbers as differences, packed in blocks. Returns the offset after them too. */
export function readDelta<T extends Int32Array | BigInt64Array>(
  bytes: Uint8Array,
  at: number,
  out: T,
): { array: T; end: number } {
  if (out.length === 0) return { array: out, end: at };
  checkDelta(bytes, at);
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: at };
  deltaBinaryUnpack(reader, out.length, out);
  return { array: out, end: reader.offset };
}

/** hyparquet makes room for as many block widths as the header says; a block has 4 as a rule, and few ever. */
function checkDelta(bytes: Uint8Array, start: number): void {
  let at = start;
  for (const limit of [1 << 24, 1 << 12]) {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length || shift > 28) throw new DamagedPage("differences end too early");
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    if (value < 1 || value > limit) throw new DamagedPage(`blocks of ${value}`);
  }
}

/** Lengths as differences, then all the bytes. */
export function readDeltaLengths(bytes: Uint8Array, at: number, count: number): ByteValues {
  const lengths = readDelta(bytes, at, new Int32Array(count));
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let next = lengths.end;
  for (let i = 0; i < count; i++) {
    const length = lengths.array[i]!;
    if (length < 0 || length > bytes.length - next)
      throw new DamagedPage(`a value of ${length} bytes does not fit`);
    starts[i] = next;
    next += length;
    ends[i] = next;
  }
  return { kind: "bytes", bytes, starts, ends };
}

/** Values that share their beginnings with the one before. `limit`: most bytes to make of them. */
export function readDeltaBytes(bytes: Uint8Array, at: number, count: number, limit: number): ByteValues {
  const prefixes = readDelta(bytes, at, new Int32Array(count));
  const suffixes = readDelta(bytes, prefixes.end, new Int32Array(count));
  let total = 0;
  let before = 0;
  let from = suffixes.end;
  for (let i = 0; i < count; i++) {
    const prefix = prefixes.array[i]!;
    const suffix = suffixes.array[i]!;
    if (prefix < 0 || prefix > before || suffix < 0 || suffix > bytes.length - from) {
      throw new DamagedPage("values do not fit together");
    }
    before = prefix + suffix;
    from += suffix;
    total += before;
  }
  if (total > limit) throw new DamagedPage(`${total} bytes of values from a page of ${bytes.length}`);
  const out = new Uint8Array(total);
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let to = 0;
  from = suffixes.end;
  for (let i = 0; i < count; i++) {
    const prefix = prefixes.array[i]!;
    const suffix = suffixes.array[i]!;
    starts[i] = to;
    if (prefix > 0) out.copyWithin(to, starts[i - 1]!, starts[i - 1]! + prefix);
    out.set(bytes.subarray(from, from + suffix), to + prefix);
    from += suffix;
    to += prefix + suffix;
    ends[i] = to;
  }
  return { kind: "bytes", bytes: out, starts, ends };
}

/** Numbers whose first bytes come first, then all second bytes, and so on. */
export function readByteStreamSplit(
  bytes: Uint8Array,
  at: number,
  type: PhysicalType,
  typeLength: number,
  count: number,
): Values {
  const width = widthOf(type, typeLength);
  if (!(width > 0) || count * width > bytes.length - at) throw new DamagedPage(`${count} values do not fit`);
  if (type === "FIXED_LEN_BYTE_ARRAY") {
    const out = new Uint8Array(count * width);
    for (let b = 0; b < width; b++)
      for (let i = 0; i < count; i++) out[i * width + b] = bytes[at + b * count + i]!;
    return fixedBytes(out, 0, width, count);
  }
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: at };
  const array = byteStreamSplit(reader, count, type, typeLength) as Float32Array;
  return numbers(type, array.buffer);
}
