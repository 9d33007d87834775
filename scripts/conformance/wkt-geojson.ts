import type { Geometry } from "tilth/geometry";

type Positions = number | readonly Positions[];

const NAMES: Readonly<Record<string, string>> = {
  POINT: "Point",
  LINESTRING: "LineString",
  POLYGON: "Polygon",
  MULTIPOINT: "MultiPoint",
  MULTILINESTRING: "MultiLineString",
  MULTIPOLYGON: "MultiPolygon",
};

/**
 * Well-known text as GeoJSON. A lone `LINEARRING`, which GeoJSON lacks, becomes the line, or the polygon of that ring
 * where `rings` says so. Empty parts of multis are left out; NaN and infinite coordinates stay.
 */
export function wktGeometry(text: string, rings: "line" | "polygon" = "line"): Geometry {
  const tokens =
    // One suite quotes a geometry as SQL does.
    text
      .replace(/'::geometry$/, "")
      .match(/[(),]|[-+]?(?:nan|inf(?:inity)?)|[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[A-Z]+/gi) ?? [];
  let at = 0;
  const geometry = shape();
  // One text of the suites has a parenthesis too many.
  if (tokens.slice(at).some((token) => token !== ")"))
    throw new Error(`text after the geometry: ${tokens.slice(at).join(" ")}`);
  return geometry;

  function shape(): Geometry {
    const name = tokens[at++]!.toUpperCase();
    while (/^(Z|M|ZM)$/i.test(tokens[at] ?? "")) at++;
    if (name === "GEOMETRYCOLLECTION") {
      const geometries: Geometry[] = [];
      if (!empty()) {
        do {
          at++;
          geometries.push(shape());
        } while (tokens[at] === ",");
        at++;
      }
      return { type: "GeometryCollection", geometries };
    }
    if (name === "LINEARRING") {
      const ring = empty() ? [] : (list() as readonly Positions[]);
      if (rings === "line") return { type: "LineString", coordinates: ring } as Geometry;
      return { type: "Polygon", coordinates: ring.length === 0 ? [] : [ring] } as Geometry;
    }
    const type = NAMES[name];
    if (type === undefined) throw new Error(`${name} in ${text.slice(0, 60)}`);
    if (empty()) return { type, coordinates: [] } as unknown as Geometry;
    const coordinates = list() as readonly Positions[];
    if (name === "POINT") return { type, coordinates: coordinates[0] } as Geometry;
    // MULTIPOINT (1 1, 2 2) is written with and without inner parentheses.
    if (name === "MULTIPOINT") {
      const points = coordinates.map((point) =>
        Array.isArray(point) && Array.isArray(point[0]) ? (point[0] as Positions) : point,
      );
      return { type, coordinates: points } as Geometry;
    }
    return { type, coordinates } as Geometry;
  }

  function empty(): boolean {
    if (!/^EMPTY$/i.test(tokens[at] ?? "")) return false;
    at++;
    return true;
  }

  /** A parenthesis: positions, or parentheses. Empty members are left out. */
  function list(): Positions[] {
    const out: Positions[] = [];
    do {
      at++;
      if (empty()) continue;
      if (tokens[at] === "(") out.push(list());
      else {
        const position: number[] = [];
        while (at < tokens.length && tokens[at] !== "," && tokens[at] !== ")")
          position.push(toNumber(tokens[at++]!));
        out.push(position);
      }
    } while (tokens[at] === ",");
    at++;
    return out;
  }
}

function toNumber(token: string): number {
  if (/nan/i.test(token)) return Number.NaN;
  if (/inf/i.test(token)) return token.startsWith("-") ? -Infinity : Infinity;
  return Number(token);
}
