import {
  type CollectionMembers,
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  type GeometryType,
} from "./geometry.ts";

/**
 * Builds a {@link GeometryColumn} row by row with amortised growth and no objects per geometry.
 *
 *     builder.begin(POLYGON); builder.part(); builder.ring(); builder.vertex(x, y); ...; builder.end();
 *
 * Points and lines: `part()` opens a ring too if none is opened by hand. Rows of a collection:
 * `begin(GEOMETRY_COLLECTION)`, then `member(type)` before the parts of each member.
 */
export class GeometryBuilder {
  #types = new Uint8Array(64);
  #rows = 0;
  #geometries = new Int32Array(65);
  #parts = new Int32Array(65);
  #partCount = 0;
  #rings = new Int32Array(65);
  #ringCount = 0;
  #xy = new Float64Array(256);
  #vertices = 0;
  #z: Float64Array | null = null;
  #m: Float64Array | null = null;
  #memberRows: number[] | null = null;
  #memberTypes: number[] = [];
  #memberParts: number[] = [];
  #ringOpen = false;

  /** Finished rows. */
  get rows(): number {
    return this.#rows;
  }

  /** Vertices so far; a measure of the memory in use. */
  get vertices(): number {
    return this.#vertices;
  }

  /** Open a row. `begin(0)` followed by `end()` is a null geometry. */
  begin(type: GeometryType): void {
    if (this.#rows === this.#types.length) {
      this.#types = grow(this.#types, new Uint8Array(2 * this.#rows));
      this.#geometries = grow(this.#geometries, new Int32Array(2 * this.#rows + 1));
    }
    this.#types[this.#rows] = type;
    if (type === GEOMETRY_COLLECTION && this.#memberRows === null) {
      this.#memberRows = new Array<number>(this.#rows + 1).fill(0);
    }
  }

  /** Open a member of the collection that is open. */
  member(type: GeometryType): void {
    this.#memberTypes.push(type);
    this.#memberParts.push(this.#partCount);
  }

  /** Open a part: one point, one line or one polygon. */
  part(): void {
    this.#partCount++;
    if (this.#partCount === this.#parts.length)
      this.#parts = grow(this.#parts, new Int32Array(2 * this.#partCount));
    this.#parts[this.#partCount] = this.#ringCount;
    this.#ringOpen = false;
  }

  /** Open a ring of the part that is open. */
  ring(): void {
    this.#ringCount++;
    if (this.#ringCount === this.#rings.length)
      this.#rings = grow(this.#rings, new Int32Array(2 * this.#ringCount));
    this.#rings[this.#ringCount] = this.#vertices;
    this.#parts[this.#partCount] = this.#ringCount;
    this.#ringOpen = true;
  }

  /** Add a vertex to the ring that is open. `z` and `m` are NaN when absent. */
  vertex(x: number, y: number, z: number = Number.NaN, m: number = Number.NaN): void {
    if (!this.#ringOpen) this.ring();
    const v = this.#vertices++;
    if (2 * v === this.#xy.length) this.#growVertices(2 * v);
    this.#xy[2 * v] = x;
    this.#xy[2 * v + 1] = y;
    if (!Number.isNaN(z)) {
      this.#z ??= new Float64Array(this.#xy.length / 2).fill(Number.NaN);
      this.#z[v] = z;
    }
    if (!Number.isNaN(m)) {
      this.#m ??= new Float64Array(this.#xy.length / 2).fill(Number.NaN);
      this.#m[v] = m;
    }
    this.#rings[this.#ringCount] = this.#vertices;
  }

  /** Add `count` vertices at once from a flat array. */
  vertices2d(xy: ArrayLike<number>, start: number, count: number): void {
    if (!this.#ringOpen) this.ring();
    const first = this.#vertices;
    this.#vertices += count;
    if (2 * this.#vertices > this.#xy.length)
      this.#growVertices(Math.max(2 * this.#xy.length, 2 * this.#vertices) / 2);
    const out = this.#xy;
    for (let i = 0; i < 2 * count; i++) out[2 * first + i] = xy[2 * start + i]!;
    this.#rings[this.#ringCount] = this.#vertices;
  }

  /** Close the row. */
  end(): void {
    this.#rows++;
    this.#geometries[this.#rows] = this.#partCount;
    this.#memberRows?.push(this.#memberTypes.length);
    this.#ringOpen = false;
  }

  /** Add a null geometry. */
  null(): void {
    this.begin(0);
    this.end();
  }

  /** Copy row `row` of another column, bit for bit. */
  copy(from: GeometryColumn, row: number): void {
    const { types, geometries, parts, rings, xy, z, m, collections } = from;
    this.begin(types[row] as GeometryType);
    let member = collections === null ? 0 : collections.rows[row]!;
    const memberEnd = collections === null ? 0 : collections.rows[row + 1]!;
    for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
      while (member < memberEnd && collections!.members[member]! <= p)
        this.member(collections!.types[member++] as GeometryType);
      this.part();
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        this.ring();
        if (z === null && m === null) this.vertices2d(xy, rings[r]!, rings[r + 1]! - rings[r]!);
        else {
          for (let v = rings[r]!; v < rings[r + 1]!; v++) {
            this.vertex(
              xy[2 * v]!,
              xy[2 * v + 1]!,
              z === null ? Number.NaN : z[v]!,
              m === null ? Number.NaN : m[v]!,
            );
          }
        }
      }
    }
    while (member < memberEnd) this.member(collections!.types[member++] as GeometryType);
    this.end();
  }

  /** The column, in arrays of exact length. The builder is empty afterwards. */
  finish(): GeometryColumn {
    const rows = this.#rows;
    let collections: CollectionMembers | null = null;
    if (this.#memberRows !== null) {
      collections = {
        rows: Int32Array.from(this.#memberRows),
        types: Uint8Array.from(this.#memberTypes),
        members: Int32Array.from([...this.#memberParts, this.#partCount]),
      };
    }
    const column: GeometryColumn = {
      types: this.#types.slice(0, rows),
      geometries: this.#geometries.slice(0, rows + 1),
      parts: this.#parts.slice(0, this.#partCount + 1),
      rings: this.#rings.slice(0, this.#ringCount + 1),
      xy: this.#xy.slice(0, 2 * this.#vertices),
      z: this.#z === null ? null : this.#z.slice(0, this.#vertices),
      m: this.#m === null ? null : this.#m.slice(0, this.#vertices),
      collections,
    };
    this.#rows = 0;
    this.#partCount = 0;
    this.#ringCount = 0;
    this.#vertices = 0;
    this.#z = null;
    this.#m = null;
    this.#memberRows = null;
    this.#memberTypes = [];
    this.#memberParts = [];
    this.#ringOpen = false;
    return column;
  }

  #growVertices(vertices: number): void {
    this.#xy = grow(this.#xy, new Float64Array(2 * vertices));
    if (this.#z !== null) this.#z = grow(this.#z, new Float64Array(vertices).fill(Number.NaN));
    if (this.#m !== null) this.#m = grow(this.#m, new Float64Array(vertices).fill(Number.NaN));
  }
}

function grow<T extends Uint8Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from as never);
  return to;
}
