type GeometryColumn = import("../../src/model/geometry.ts").GeometryColumn;

/** A geometry to be compared: its type, then points, lines of points, or rings of points, as nested lists. */
export interface Shape {
  readonly type: string;
  readonly members: readonly Nested[] | readonly Shape[];
}
type Nested = number | readonly Nested[];

const NAMES = [
  "",
  "POINT",
  "LINESTRING",
  "POLYGON",
  "MULTIPOINT",
  "MULTILINESTRING",
  "MULTIPOLYGON",
  "GEOMETRYCOLLECTION",
] as const;

/** Row of a column as a shape; `null` for a null geometry. Vertices carry Z and M where the row has them. */
export function rowShape(column: GeometryColumn, row: number): Shape | null {
  const type = column.types[row]!;
  const first = column.geometries[row]!;
  const end = column.geometries[row + 1]!;
  if (type === 0) return null;
  if (type !== 7) return { type: NAMES[type]!, members: members(column, type, first, end) };
  const { rows, types, members: starts } = column.collections!;
  const shapes: Shape[] = [];
  for (let k = rows[row]!; k < rows[row + 1]!; k++) {
    const to = Math.min(starts[k + 1]!, end);
    shapes.push({ type: NAMES[types[k]!]!, members: members(column, types[k]!, starts[k]!, to) });
  }
  return { type: NAMES[7], members: shapes };
}

function members(column: GeometryColumn, type: number, first: number, end: number): Nested[] {
  const { parts, rings, xy, z, m } = column;
  const out: Nested[] = [];
  for (let p = first; p < end; p++) {
    const part: Nested[] = [];
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      const ring: Nested[] = [];
      for (let v = rings[r]!; v < rings[r + 1]!; v++) {
        const vertex = [xy[2 * v]!, xy[2 * v + 1]!];
        if (z !== null && !Number.isNaN(z[v]!)) vertex.push(z[v]!);
        if (m !== null && !Number.isNaN(m[v]!)) vertex.push(m[v]!);
        ring.push(vertex);
      }
      part.push(ring);
    }
    const dimension = (type - 1) % 3;
    // A point is its vertex, a line its ring, a polygon its rings.
    const item = dimension === 2 ? part : dimension === 1 ? part[0]! : (part[0] as Nested[])[0]!;
    if (type <= 3) return item as Nested[];
    out.push(item);
  }
  return out;
}

/** Surfaces of straight edges, and what they are in the model. */
const SURFACES: Readonly<Record<string, string>> = {
  TRIANGLE: "POLYGON",
  TIN: "MULTIPOLYGON",
  POLYHEDRALSURFACE: "MULTIPOLYGON",
};

/**
 * Well-known text as a shape. As in the model, surfaces are polygons, and members of collections inside collections are
 * members of the outer one. Names of dimensions are dropped: vertices tell.
 */
export function wktShape(text: string): Shape {
  const tokens = text.match(/[A-Z]+|[(),]|[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan|inf/gi) ?? [];
  let at = 0;
  const shape = (): Shape => {
    const name = tokens[at++]!.toUpperCase();
    const type = SURFACES[name] ?? name;
    while (/^(Z|M|ZM)$/i.test(tokens[at] ?? "")) at++;
    if (/^EMPTY$/i.test(tokens[at] ?? "")) {
      at++;
      return { type, members: [] };
    }
    if (type === "GEOMETRYCOLLECTION") {
      const members = list(shape).flatMap((one) => (one.type === type ? (one.members as Shape[]) : [one]));
      return { type, members };
    }
    const nested = list(() => item());
    // A point's one vertex stands for itself; points of a multipoint may lie in brackets of their own.
    if (type === "POINT") return { type, members: nested[0] as Nested[] };
    if (type === "MULTIPOINT") {
      return {
        type,
        members: nested.map((one) => (Array.isArray((one as Nested[])[0]) ? (one as Nested[])[0]! : one)),
      };
    }
    return { type, members: nested };
  };
  const list = <T>(read: () => T): T[] => {
    const out: T[] = [];
    at++; // the bracket
    for (;;) {
      out.push(read());
      if (tokens[at++] !== ",") return out;
    }
  };
  const item = (): Nested => {
    if (tokens[at] === "(") return list(item);
    const vertex: number[] = [];
    while (at < tokens.length && !/^[(),]$/.test(tokens[at]!)) vertex.push(Number(tokens[at++]));
    return vertex;
  };
  return shape();
}

/**
 * Why two shapes differ, or `null`. Numbers of the text were printed by GDAL with 15 significant digits, those
 * below 1 with 15 decimals; ours must print as the same.
 */
export function shapeDifference(ours: Shape | null, expected: Shape | null): string | null {
  if (ours === null || expected === null) {
    return ours === expected
      ? null
      : `geometry is ${ours === null ? "null" : ours.type}, expected ${expected === null ? "null" : expected.type}`;
  }
  if (ours.type !== expected.type) return `geometry is ${ours.type}, expected ${expected.type}`;
  return nestedDifference(ours.members as Nested[], expected.members as Nested[], ours.type);
}

function nestedDifference(ours: Nested | Shape, expected: Nested | Shape, path: string): string | null {
  if (typeof ours === "number" && typeof expected === "number") {
    if (ours === expected || Number(ours.toPrecision(15)) === expected) return null;
    if (Math.abs(ours) < 1 && Number(ours.toFixed(15)) === expected) return null;
    return `${path} is ${ours}, expected ${expected}`;
  }
  if (Array.isArray(ours) && Array.isArray(expected)) {
    if (ours.length !== expected.length)
      return `${path} has ${ours.length} items, expected ${expected.length}`;
    for (let i = 0; i < ours.length; i++) {
      const why = nestedDifference(ours[i] as Nested, expected[i] as Nested, `${path}[${i}]`);
      if (why !== null) return why;
    }
    return null;
  }
  if (typeof ours === "object" && typeof expected === "object" && "type" in ours && "type" in expected) {
    return shapeDifference(ours, expected);
  }
  return `${path} is of another kind than expected`;
}
