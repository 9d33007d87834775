// Parquet's headers are in Thrift's compact protocol. They are decoded by hyparquet, which trusts the sizes it
// finds; this walks over the same bytes first, so that nothing is made room for that is not there.
// Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md

/** Deepest nesting that Parquet's own structures reach is far below this. */
const MAX_DEPTH = 24;

/**
 * Walk over one structure at `start` without decoding it.
 *
 * @returns `end`: the offset after it; -1 when it is damaged, -2 when it goes on after the end of `bytes`.
 * `structs`: structures in it, a measure of the memory that decoding takes.
 */
export function skipStruct(bytes: Uint8Array, start: number): { end: number; structs: number } {
  const walker = new Walker(bytes, start);
  const end = walker.struct(0);
  return { end, structs: walker.structs };
}

class Walker {
  structs = 0;
  readonly #bytes: Uint8Array;
  #at: number;
  /** Why walking stopped: 0 not stopped, -1 damaged, -2 at the end of the bytes. */
  #failed = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  struct(depth: number): number {
    if (depth > MAX_DEPTH) return this.#fail(-1);
    this.structs++;
    for (;;) {
      const head = this.#byte();
      if (this.#failed !== 0) return this.#failed;
      if ((head & 15) === 0) return this.#at;
      if (head >> 4 === 0) this.#varint();
      this.#value(head & 15, depth, false);
      if (this.#failed !== 0) return this.#failed;
    }
  }

  #value(type: number, depth: number, inList: boolean): void {
    switch (type) {
      case 1:
      case 2:
        // As a field, a boolean is its type; in a list it takes a byte.
        if (inList) this.#skip(1);
        return;
      case 3:
        this.#skip(1);
        return;
      case 4:
      case 5:
      case 6:
        this.#varint();
        return;
      case 7:
        this.#skip(8);
        return;
      case 8:
        this.#skip(this.#varint());
        return;
      case 9:
        this.#list(depth);
        return;
      case 12:
        this.struct(depth + 1);
        return;
      default:
        this.#fail(-1);
    }
  }

  #list(depth: number): void {
    const head = this.#byte();
    const count = head >> 4 === 15 ? this.#varint() : head >> 4;
    // Every element takes a byte at least.
    if (this.#failed !== 0) return;
    if (count > this.#bytes.length - this.#at) {
      this.#fail(-2);
      return;
    }
    for (let i = 0; i < count && this.#failed === 0; i++) this.#value(head & 15, depth + 1, true);
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) return this.#fail(-2);
    return this.#bytes[this.#at++]!;
  }

  /** An unsigned number; those beyond 2^53 only have to be passed over. */
  #varint(): number {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte();
      if (this.#failed !== 0) return 0;
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) return value;
    }
    this.#fail(-1);
    return 0;
  }

  #skip(length: number): void {
    if (this.#failed !== 0) return;
    if (length > this.#bytes.length - this.#at) this.#fail(-2);
    else this.#at += length;
  }

  #fail(reason: -1 | -2): number {
    if (this.#failed === 0) this.#failed = reason;
    return this.#failed;
  }
}
