/**
 * Thrown when offsets in a FlatBuffer leave the buffer. The readers of this folder turn it into a `GeoError` that
 * names the file.
 */
export class DamagedBuffer extends Error {}

/**
 * Reads one FlatBuffer (header or feature) that lies between two positions of a window. Every offset is checked
 * against these ends before it is followed, so a damaged file cannot send the reader elsewhere.
 *
 * Positions count in bytes from the start of the view. Field numbers are those of FlatGeobuf's schema, from 0.
 */
export class FlatBuffer {
  view: DataView;
  start: number = 0;
  end: number = 0;

  constructor(view: DataView, start: number = 0, end: number = view.byteLength) {
    this.view = view;
    this.start = start;
    this.end = end;
  }

  /** Position of the root table. */
  root(): number {
    return this.#follow(this.start);
  }

  /** Position of the list of fields of a table, checked once so that {@link FlatBuffer.slot} is cheap. */
  fields(table: number): number {
    if (table + 4 > this.end) throw new DamagedBuffer("a table lies outside");
    const list = table - this.view.getInt32(table, true);
    if (!(list >= this.start && list + 4 <= this.end))
      throw new DamagedBuffer("a list of fields lies outside");
    const size = this.view.getUint16(list, true);
    if (size < 4 || list + size > this.end) throw new DamagedBuffer("a list of fields lies outside");
    return list;
  }

  /** Position of a field's value of `size` bytes, or 0 when the table does not have it. */
  slot(table: number, fields: number, field: number, size: number): number {
    const entry = 4 + 2 * field;
    if (entry + 2 > this.view.getUint16(fields, true)) return 0;
    const offset = this.view.getUint16(fields + entry, true);
    if (offset === 0) return 0;
    if (table + offset + size > this.end) throw new DamagedBuffer("a value lies outside");
    return table + offset;
  }

  /** Position of the table in a field, or 0. */
  table(table: number, fields: number, field: number): number {
    const slot = this.slot(table, fields, field, 4);
    return slot === 0 ? 0 : this.#follow(slot);
  }

  /**
   * Position of the length of a vector whose items are `itemBytes` long, or 0. The items begin 4 bytes on; all of them
   * lie inside.
   */
  vector(table: number, fields: number, field: number, itemBytes: number): number {
    const slot = this.slot(table, fields, field, 4);
    if (slot === 0) return 0;
    const vector = this.#follow(slot);
    const length = this.view.getUint32(vector, true);
    if (vector + 4 + length * itemBytes > this.end)
      throw new DamagedBuffer(`a list of ${length} items is cut off`);
    return vector;
  }

  /** Items of a vector; 0 for a position of 0. */
  length(vector: number): number {
    return vector === 0 ? 0 : this.view.getUint32(vector, true);
  }

  /** Position of table `i` in a vector of tables. */
  item(vector: number, i: number): number {
    return this.#follow(vector + 4 + 4 * i);
  }

  /** Text of a field, or `null`. */
  text(table: number, fields: number, field: number): string | null {
    const vector = this.vector(table, fields, field, 1);
    if (vector === 0) return null;
    const { buffer, byteOffset } = this.view;
    return decoder.decode(new Uint8Array(buffer, byteOffset + vector + 4, this.length(vector)));
  }

  #follow(position: number): number {
    if (position + 4 > this.end) throw new DamagedBuffer("an offset lies outside");
    const target = position + this.view.getUint32(position, true);
    if (target + 4 > this.end || target === position) throw new DamagedBuffer("an offset leads outside");
    return target;
  }
}

const decoder = new TextDecoder();

/**
 * Writes small FlatBuffers from front to back: each table is followed by what it refers to, so that every offset
 * points forward, as the format asks. Used for headers; features have their own writer.
 */
export class FlatBufferWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** The finished buffer, its length a multiple of 8 counted with the 4 bytes of its size that precede it. */
  finish(): Uint8Array {
    this.#align(8, 4);
    return this.#bytes.slice(0, this.#length);
  }

  /** Write the offset of the root table, which must be the next thing written with {@link FlatBufferWriter.table}. */
  root(fields: readonly (FlatValue | null)[]): void {
    const slot = this.#room(4);
    this.#link(slot, () => this.#table(fields));
  }

  #table(fields: readonly (FlatValue | null)[]): number {
    let used = fields.length;
    while (used > 0 && fields[used - 1] === null) used--;
    // The list of fields comes first; the table starts on 8 bytes, so that its values lie at fixed places.
    this.#align(2, 0);
    const list = this.#room(4 + 2 * used);
    this.#align(8, 4);
    const table = this.#room(4);
    const slots: [slot: number, value: FlatValue][] = [];
    for (const [i, value] of fields.slice(0, used).entries()) {
      if (value === null) continue;
      const size = FLAT_SIZES[value.kind];
      this.#align(size, 4);
      const slot = this.#room(size);
      this.#view.setUint16(list + 4 + 2 * i, slot - table, true);
      slots.push([slot, value]);
    }
    this.#view.setUint16(list, 4 + 2 * used, true);
    this.#view.setUint16(list + 2, this.#length - table, true);
    this.#view.setInt32(table, table - list, true);
    for (const [slot, value] of slots) this.#value(slot, value);
    return table;
  }

  #value(slot: number, value: FlatValue): void {
    switch (value.kind) {
      case "u8":
        this.#view.setUint8(slot, value.value);
        return;
      case "u16":
        this.#view.setUint16(slot, value.value, true);
        return;
      case "i32":
        this.#view.setInt32(slot, value.value, true);
        return;
      case "u64":
        this.#view.setBigUint64(slot, BigInt(value.value), true);
        return;
      case "text":
        this.#link(slot, () => {
          const text = encoder.encode(value.value);
          this.#align(4, 0);
          const at = this.#room(4 + text.length + 1);
          this.#view.setUint32(at, text.length, true);
          this.#bytes.set(text, at + 4);
          return at;
        });
        return;
      case "doubles":
        this.#link(slot, () => {
          // The numbers, not their length, lie on 8 bytes, counted with the size in front of the buffer.
          while ((this.#length + 8) % 8 !== 0) this.#room(1);
          const at = this.#room(4 + 8 * value.value.length);
          this.#view.setUint32(at, value.value.length, true);
          for (const [i, number] of value.value.entries())
            this.#view.setFloat64(at + 4 + 8 * i, number, true);
          return at;
        });
        return;
      case "table":
        this.#link(slot, () => this.#table(value.value));
        return;
      case "tables":
        this.#link(slot, () => {
          this.#align(4, 0);
          const at = this.#room(4 + 4 * value.value.length);
          this.#view.setUint32(at, value.value.length, true);
          for (const [i, fields] of value.value.entries())
            this.#link(at + 4 + 4 * i, () => this.#table(fields));
          return at;
        });
    }
  }

  #link(slot: number, write: () => number): void {
    const target = write();
    this.#view.setUint32(slot, target - slot, true);
  }

  /** Pad so that the next byte, counted `shift` bytes on, lies on a multiple of `size`. */
  #align(size: number, shift: number): void {
    while ((this.#length + shift) % size !== 0) this.#room(1);
  }

  #room(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

const encoder = new TextEncoder();

/** A value of a table that {@link FlatBufferWriter} writes. */
export type FlatValue =
  | { readonly kind: "u8" | "u16" | "i32" | "u64"; readonly value: number }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "doubles"; readonly value: readonly number[] }
  | { readonly kind: "table"; readonly value: readonly (FlatValue | null)[] }
  | { readonly kind: "tables"; readonly value: readonly (readonly (FlatValue | null)[])[] };

const FLAT_SIZES: Readonly<Record<FlatValue["kind"], number>> = {
  u8: 1,
  u16: 2,
  i32: 4,
  u64: 8,
  text: 4,
  doubles: 4,
  table: 4,
  tables: 4,
};
