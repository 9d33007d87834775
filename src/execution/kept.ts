/** Data that many calls share, by a name that is unique in the process that made it. */
export interface Kept<T> {
  readonly key: number;
  readonly value: T;
}

/** Prepared things kept in a thread. A job seldom has more than one region or index at work. */
const LIMIT = 4;

const prepared = new Map<number, unknown>();

/**
 * What `prepare` makes of kept data: made once in each thread and remembered, the last few at least. One piece of kept
 * data is for one use.
 */
export function prepareOnce<T, P>(kept: Kept<T>, prepare: (value: T) => P): P {
  const { key, value } = kept;
  let found = prepared.get(key) as P | undefined;
  if (found === undefined) found = prepare(value);
  // Put last again, so that the first of the map is the one longest unused.
  prepared.delete(key);
  prepared.set(key, found);
  if (prepared.size > LIMIT) prepared.delete(prepared.keys().next().value!);
  return found;
}

/** The same data with its typed arrays in shared memory; other values as they are. */
export function share<T>(value: T): T {
  return mapArrays(value, (array) => {
    if (array.buffer instanceof SharedArrayBuffer) return array;
    const buffer = new SharedArrayBuffer(array.byteLength);
    new Uint8Array(buffer).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return new (array.constructor as new (buffer: SharedArrayBuffer) => ArrayBufferView)(buffer);
  });
}

/**
 * The same data without views of larger buffers: sending a view to a thread would send all of its buffer.
 *
 * @param buffers  Takes the buffers that hold nothing else and may be handed over instead of copied.
 */
export function compact<T>(value: T, buffers?: Set<ArrayBuffer>): T {
  return mapArrays(value, (array) => {
    if (array.buffer instanceof SharedArrayBuffer) return array;
    const whole = array.byteLength === array.buffer.byteLength ? array : copyOf(array);
    buffers?.add(whole.buffer as ArrayBuffer);
    return whole;
  });
}

function copyOf(array: ArrayBufferView): ArrayBufferView {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice();
  return new (array.constructor as new (buffer: ArrayBufferLike) => ArrayBufferView)(bytes.buffer);
}

/** A copy of plain objects and lists in which every typed array is replaced by what `map` gives for it. */
function mapArrays<T>(value: T, map: (array: ArrayBufferView) => ArrayBufferView): T {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return map(value) as T;
  if (Array.isArray(value)) {
    // Long lists of numbers or text hold no arrays.
    return typeof value[0] === "object" ? (value.map((item) => mapArrays(item, map)) as T) : value;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) copy[key] = mapArrays(item, map);
  return copy as T;
}
