import { GeoError } from "../../model/errors.ts";
import type { JsonCursor } from "./json-cursor.ts";

/** Most attributes a layer may have; no real layer has a tenth of it. */
export const MAX_COLUMNS = 10_000;

const encoder = new TextEncoder();

/**
 * Names of attributes and their positions. Features of a file mostly list their members in the same order, so the
 * expected name is compared byte by byte before anything is decoded.
 */
export class KeyTable {
  readonly names: string[] = [];
  readonly #bytes: Uint8Array[] = [];
  readonly #index = new Map<string, number>();
  #next = 0;

  constructor(names: readonly string[] = []) {
    for (const name of names) this.#add(name);
  }

  /** Begin an object: the first name is expected first. */
  rewind(): void {
    this.#next = 0;
  }

  /** Position of the key that the cursor read last; -1 when it is not known. */
  find(cursor: JsonCursor): number {
    if (!cursor.escaped) {
      for (let tries = 0, k = this.#next; tries < 2 && k < this.names.length; tries++, k++) {
        if (same(this.#bytes[k]!, cursor.bytes, cursor.start, cursor.stop)) {
          this.#next = k + 1;
          return k;
        }
      }
    }
    const known = this.#index.get(cursor.text());
    if (known === undefined) return -1;
    this.#next = known + 1;
    return known;
  }

  /** {@link find}, adding what is not known. */
  findOrAdd(cursor: JsonCursor): number {
    const known = this.find(cursor);
    if (known >= 0) return known;
    if (this.names.length >= MAX_COLUMNS) {
      throw new GeoError(
        "LIMIT",
        `${cursor.url} has features with more than ${MAX_COLUMNS} different attributes`,
        { what: "attributes", needed: MAX_COLUMNS + 1, allowed: MAX_COLUMNS, path: cursor.url },
        { hint: "Put values into one attribute instead of making each value a name of its own." },
      );
    }
    this.#next = this.names.length + 1;
    return this.#add(cursor.text());
  }

  #add(name: string): number {
    const position = this.names.length;
    this.#index.set(name, position);
    this.names.push(name);
    this.#bytes.push(encoder.encode(name));
    return position;
  }
}

function same(name: Uint8Array, bytes: Uint8Array, start: number, stop: number): boolean {
  if (name.length !== stop - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}
