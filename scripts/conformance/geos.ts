import initGeos from "geos-wasm";
import type { Geometry } from "tilth/geometry";

/** Parts of a geometry by dimension, as GeoJSON coordinates; rings closed as they came. */
export interface ByDimension {
  readonly points: number[][];
  readonly lines: number[][][];
  readonly polygons: number[][][][];
}

/** Every part of a geometry, members of collections among them. */
export function byDimension(geometry: Geometry): ByDimension {
  const out: ByDimension = { points: [], lines: [], polygons: [] };
  collect(geometry, out);
  return out;
}

function collect(geometry: Geometry, out: ByDimension): void {
  switch (geometry.type) {
    case "GeometryCollection":
      for (const member of geometry.geometries) collect(member, out);
      return;
    case "Point":
      if (geometry.coordinates.length > 0) out.points.push(geometry.coordinates as number[]);
      return;
    case "MultiPoint":
      out.points.push(...(geometry.coordinates as number[][]));
      return;
    case "LineString":
      if (geometry.coordinates.length > 0) out.lines.push(geometry.coordinates as number[][]);
      return;
    case "MultiLineString":
      out.lines.push(...(geometry.coordinates as number[][][]));
      return;
    case "Polygon":
      if (geometry.coordinates.length > 0) out.polygons.push(geometry.coordinates as number[][][]);
      return;
    case "MultiPolygon":
      out.polygons.push(...(geometry.coordinates as number[][][][]));
  }
}

/** GEOS, compiled to WebAssembly: the judge of polygons that is not ourselves. */
export interface Geos {
  /** Area of the symmetric difference of two sets of polygons. */
  differenceArea(a: ByDimension["polygons"], b: ByDimension["polygons"]): number;
  area(polygons: ByDimension["polygons"]): number;
  /** Sum of the lengths of all rings. */
  perimeter(polygons: ByDimension["polygons"]): number;
  /** `null` when GEOS finds the polygons, as one multipolygon, valid; else why not. */
  invalid(polygons: ByDimension["polygons"]): string | null;
  /** DE-9IM matrix of two geometries in well-known text. */
  relate(a: string, b: string): string;
}

let loaded: Promise<Geos> | null = null;

export function geos(): Promise<Geos> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Geos> {
  // Notices would go to standard output, which belongs to the result.
  const g = (await initGeos({ noticeHandler: () => {} })) as unknown as Record<
    string,
    (...args: number[]) => number
  > & {
    Module: {
      _malloc(bytes: number): number;
      _free(pointer: number): void;
      HEAPU8: Uint8Array;
      getValue(pointer: number, type: "double"): number;
      stringToUTF8(text: string, pointer: number, bytes: number): void;
      UTF8ToString(pointer: number): string;
    };
  };
  const { Module } = g;
  const reader = g["GEOSWKBReader_create"]!();
  const out = Module._malloc(8);

  function read(polygons: ByDimension["polygons"]): number {
    const bytes = multiPolygonWkb(polygons);
    const at = Module._malloc(bytes.length);
    Module.HEAPU8.set(bytes, at);
    const pointer = g["GEOSWKBReader_read"]!(reader, at, bytes.length);
    Module._free(at);
    if (pointer === 0) throw new Error("GEOS could not read the polygons");
    return pointer;
  }

  function measure(name: "GEOSArea" | "GEOSLength", pointer: number): number {
    g[name]!(pointer, out);
    return Module.getValue(out, "double");
  }

  function using<T>(polygons: ByDimension["polygons"], run: (pointer: number) => T): T {
    const pointer = read(polygons);
    try {
      return run(pointer);
    } finally {
      g["GEOSGeom_destroy"]!(pointer);
    }
  }

  /** The same when it is valid; else its polygons united. */
  function valid(pointer: number): number {
    return g["GEOSisValid"]!(pointer) === 1 ? g["GEOSGeom_clone"]!(pointer) : g["GEOSBuffer"]!(pointer, 0, 8);
  }

  const texts = g["GEOSWKTReader_create"]!();
  function readText(text: string): number {
    const at = Module._malloc(text.length + 1);
    Module.stringToUTF8(text, at, text.length + 1);
    const pointer = g["GEOSWKTReader_read"]!(texts, at);
    Module._free(at);
    if (pointer === 0) throw new Error("GEOS could not read the text");
    return pointer;
  }

  const area: Geos["area"] = (polygons) =>
    polygons.length === 0 ? 0 : using(polygons, (pointer) => measure("GEOSArea", pointer));
  return {
    differenceArea(a, b) {
      if (a.length === 0 || b.length === 0) return area(a) + area(b);
      return using(a, (left) =>
        using(b, (right) => {
          // An expectation may be an invalid polygon.
          const [x, y] = [valid(left), valid(right)];
          const rest = g["GEOSSymDifference"]!(x, y);
          if (rest === 0) throw new Error("GEOS could not take the symmetric difference");
          const size = measure("GEOSArea", rest);
          for (const pointer of [rest, x, y]) g["GEOSGeom_destroy"]!(pointer);
          return size;
        }),
      );
    },
    area,
    perimeter: (polygons) =>
      polygons.length === 0 ? 0 : using(polygons, (pointer) => measure("GEOSLength", pointer)),
    relate(a, b) {
      const pointers = [readText(a), readText(b)] as const;
      const matrix = Module.UTF8ToString(g["GEOSRelate"]!(...pointers));
      for (const pointer of pointers) g["GEOSGeom_destroy"]!(pointer);
      return matrix;
    },
    invalid: (polygons) =>
      using(polygons, (pointer) => {
        if (g["GEOSisValid"]!(pointer) === 1) return null;
        return Module.UTF8ToString(g["GEOSisValidReason"]!(pointer));
      }),
  };
}

function multiPolygonWkb(given: ByDimension["polygons"]): Uint8Array {
  const polygons = given.map((rings) => rings.map(closed));
  let size = 9;
  for (const rings of polygons) {
    size += 9;
    for (const ring of rings) size += 4 + 16 * ring.length;
  }
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = head(6, polygons.length, 0);
  for (const rings of polygons) {
    at = head(3, rings.length, at);
    for (const ring of rings) {
      view.setUint32(at, ring.length, true);
      at += 4;
      for (const [x, y] of ring) {
        view.setFloat64(at, x!, true);
        view.setFloat64(at + 8, y!, true);
        at += 16;
      }
    }
  }
  return bytes;

  function head(type: number, count: number, start: number): number {
    view.setUint8(start, 1);
    view.setUint32(start + 1, type, true);
    view.setUint32(start + 5, count, true);
    return start + 9;
  }
}

/** GEOS takes closed rings only; some expectations leave out the last vertex. */
function closed(ring: number[][]): number[][] {
  const [first, last] = [ring[0]!, ring.at(-1)!];
  return first[0] === last[0] && first[1] === last[1] ? ring : [...ring, first];
}
