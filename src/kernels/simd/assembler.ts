/** What WebAssembly is called by the host; the types of the language do not have it without those of a browser. */
interface WebAssemblyHost {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      readonly run: (...args: number[]) => void;
    };
  };
}

/** A module at work: its memory, and its one function. */
export interface Emitted {
  readonly memory: ArrayBuffer;
  readonly run: (...args: number[]) => void;
}

/** Types of values, by their bytes. */
export const I32 = 0x7f;
export const F32 = 0x7d;
export const V128 = 0x7b;

/** Vector instructions: the number after the prefix 0xfd (WebAssembly core specification 2.0, 5.4.8). */
export const VECTOR = {
  load: 0,
  store: 11,
  const: 12,
  i8x16_splat: 15,
  i16x8_splat: 16,
  i32x4_splat: 17,
  f32x4_splat: 19,
  i8x16_eq: 35,
  i8x16_gt_s: 39,
  i16x8_eq: 45,
  i16x8_gt_s: 49,
  i32x4_eq: 55,
  i32x4_gt_s: 59,
  f32x4_eq: 65,
  f32x4_ne: 66,
  not: 77,
  and: 78,
  andnot: 79,
  or: 80,
  xor: 81,
  bitselect: 82,
  i8x16_add: 110,
  i8x16_sub: 113,
  i8x16_min_u: 119,
  i8x16_max_u: 121,
  i16x8_extend_low_i8x16_u: 137,
  i16x8_extend_high_i8x16_u: 138,
  i16x8_add: 142,
  i16x8_sub: 145,
  i16x8_min_s: 150,
  i16x8_min_u: 151,
  i16x8_max_s: 152,
  i16x8_max_u: 153,
  i32x4_extend_low_i16x8_s: 167,
  i32x4_extend_high_i16x8_s: 168,
  i32x4_extend_low_i16x8_u: 169,
  i32x4_extend_high_i16x8_u: 170,
  i32x4_add: 174,
  i32x4_sub: 177,
  f32x4_pmin: 234,
  f32x4_pmax: 235,
} as const;

export type VectorOp = keyof typeof VECTOR;

/** The body of a function, instruction by instruction. Variables are numbered: parameters first. */
export class Body {
  readonly bytes: number[] = [];
  readonly #parameters: number;
  readonly #locals: number[] = [];

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  /** A new variable, 0 at first. */
  local(type: number): number {
    this.#locals.push(type);
    return this.#parameters + this.#locals.length - 1;
  }

  get locals(): readonly number[] {
    return this.#locals;
  }

  get(variable: number): this {
    this.bytes.push(0x20, ...unsigned(variable));
    return this;
  }

  set(variable: number): this {
    this.bytes.push(0x21, ...unsigned(variable));
    return this;
  }

  /** Set and leave the value for the next instruction. */
  tee(variable: number): this {
    this.bytes.push(0x22, ...unsigned(variable));
    return this;
  }

  i32(value: number): this {
    this.bytes.push(0x41, ...signed(value));
    return this;
  }

  op(name: VectorOp): this {
    this.bytes.push(0xfd, ...unsigned(VECTOR[name]));
    return this;
  }

  /** 16 bytes as they are. */
  bits(bytes: Uint8Array): this {
    this.op("const").bytes.push(...bytes);
    return this;
  }

  /** 16 bytes at the address on the stack plus `offset`; alignment is a hint. */
  load(offset: number): this {
    this.op("load").bytes.push(4, ...unsigned(offset));
    return this;
  }

  store(offset: number): this {
    this.op("store").bytes.push(4, ...unsigned(offset));
    return this;
  }

  /** `body` again and again while `step` more bytes of `variable` are below `end`; it runs once at least. */
  repeat(variable: number, step: number, end: number, body: () => void): this {
    this.bytes.push(0x03, 0x40);
    body();
    this.get(variable).i32(step).bytes.push(0x6a);
    this.tee(variable).get(end).bytes.push(0x49, 0x0d, 0, 0x0b);
    return this;
  }
}

/**
 * A module of one function `run` and a memory of `bytes`, compiled; `null` where the host has no vector instructions.
 *
 * @param parameters  Types of the arguments.
 */
export function assemble(parameters: readonly number[], body: Body, bytes: number): Emitted | null {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly?: WebAssemblyHost };
  if (WebAssembly === undefined) return null;
  const locals = body.locals.flatMap((type) => [1, type]);
  const code = [...unsigned(body.locals.length), ...locals];
  for (const byte of body.bytes) code.push(byte);
  code.push(0x0b);
  const pages = Math.max(1, Math.ceil(bytes / 65_536));
  const module = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, [1, 0x60, parameters.length, ...parameters, 0]),
    section(3, [1, 0]),
    section(5, [1, 0, ...unsigned(pages)]),
    section(7, [2, ...named("memory"), 2, 0, ...named("run"), 0, 0]),
    section(10, [1, ...unsigned(code.length)], code),
  ].flat();
  try {
    const { memory, run } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(module))).exports;
    return { memory: memory.buffer, run };
  } catch {
    return null;
  }
}

function section(id: number, head: number[], rest: number[] = []): number[] {
  return [id, ...unsigned(head.length + rest.length)].concat(head, rest);
}

function named(text: string): number[] {
  return [text.length, ...[...text].map((letter) => letter.charCodeAt(0))];
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    const low = rest & 0x7f;
    const done = (rest >> 6 === 0 && (low & 0x40) === 0) || (rest >> 6 === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}
