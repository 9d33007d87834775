import type { GeometryColumn } from "../../../model/geometry.ts";
import { longestGeodesic, normalLon, toSpace } from "./geodesic-bounds.ts";
import { sideOfGeodesic } from "./geodesic-segments.ts";

/** Edges whose bounds are kept together. */
const BLOCK = 16;

/** Least length of a degree of latitude, metres. */
const DEGREE_LENGTH = 110_570;

const DEGREE = Math.PI / 180;

/**
 * One ring on a cylinder that is unrolled: longitudes go on beyond 180 where the ring does, each edge the short way round.
 * At a pole an edge along the pole joins the meridians on which the ring comes and goes.
 */
interface UnrolledRing {
  /** `[lon, lat]` of both ends of each edge as they are, and unrolled longitudes of both: 6 numbers an edge. */
  readonly edges: Float64Array;
  /** 1 for edges along a pole. */
  readonly polar: Uint8Array;
  /** `[min, max]` of the unrolled longitudes of each block of 16 edges. */
  readonly blocks: Float64Array;
  readonly minLon: number;
  readonly maxLon: number;
  readonly minLat: number;
  readonly maxLat: number;
  /** Whether the north pole is outside (1) or inside (-1): where a walk along the meridian ends. */
  readonly towards: 1 | -1;
}

/**
 * Tells which places a polygon on the earth covers. Edges are geodesics. The inside of a ring is what it goes around: the
 * side without the poles when it does not go around one, else the smaller side.
 */
export interface GeodesicLocator {
  readonly rings: readonly UnrolledRing[];
  /** `[west, south, east, north]` of all that is inside; west in -180..180, east up to 360 more. */
  readonly box: readonly [number, number, number, number];
}

/** A locator for polygon part `part`, longitudes and latitudes in degrees. Vertices that are not finite do not count. */
export function geodesicLocator({ xy, rings, parts }: GeometryColumn, part: number): GeodesicLocator {
  const all: UnrolledRing[] = [];
  for (let r = parts[part]!; r < parts[part + 1]!; r++) {
    const ring = unroll(xy, rings[r]!, rings[r + 1]!);
    if (ring !== null) all.push(ring);
  }
  const shell = all[0];
  if (shell === undefined) return { rings: [], box: [Infinity, Infinity, -Infinity, -Infinity] };
  const west = normalLon(shell.minLon);
  return { rings: all, box: [west, shell.minLat, west + (shell.maxLon - shell.minLon), shell.maxLat] };
}

function unroll(xy: Float64Array, start: number, end: number): UnrolledRing | null {
  const edges: number[] = [];
  const polar: number[] = [];
  let lon = Number.NaN;
  let lat = Number.NaN;
  let at = 0;
  let minLat = Infinity;
  let maxLat = -Infinity;
  let pad = 0;
  let balance = 0;
  const ends = new Float64Array(6);
  const push = (lon2: number, lat2: number, to: number, alongPole: boolean): void => {
    edges.push(lon, lat, lon2, lat2, at, to);
    polar.push(alongPole ? 1 : 0);
    balance += ((Math.sin(lat * DEGREE) + Math.sin(lat2 * DEGREE)) / 2) * (to - at);
    if (!alongPole) {
      toSpace(lon, lat, ends, 0);
      toSpace(lon2, lat2, ends, 3);
      const chord = Math.hypot(ends[3]! - ends[0]!, ends[4]! - ends[1]!, ends[5]! - ends[2]!);
      pad = Math.max(pad, longestGeodesic(chord) / 2 / DEGREE_LENGTH);
    }
    lon = lon2;
    lat = lat2;
    at = to;
  };
  for (let v = start; v < end; v++) {
    const lon2 = xy[2 * v]!;
    const lat2 = xy[2 * v + 1]!;
    if (!Number.isFinite(lon2 + lat2) || Math.abs(lat2) > 90) continue;
    minLat = Math.min(minLat, lat2);
    maxLat = Math.max(maxLat, lat2);
    if (Number.isNaN(lon)) {
      lon = lon2;
      lat = lat2;
      at = lon2;
      continue;
    }
    const width = normalLon(lon2 - lon);
    if (Math.abs(lat2) === 90) push(lon2, lat2, at, false);
    else if (Math.abs(lat) === 90) {
      const turn = normalLon(lon2 - at);
      push(lon2, lat, at + turn, true);
      push(lon2, lat2, at, false);
    } else if (Math.abs(width) === 180) {
      // Over the nearer pole.
      const pole = lat + lat2 >= 0 ? 90 : -90;
      push(lon, pole, at, false);
      push(lon2, pole, at + width, true);
      push(lon2, lat2, at, false);
      minLat = Math.min(minLat, pole);
      maxLat = Math.max(maxLat, pole);
    } else push(lon2, lat2, at + width, false);
  }
  const count = polar.length;
  if (count < 2) return null;
  const first = edges[4]!;
  const turns = Math.round((at - first) / 360);
  // The last vertex is the first one again, to the bit.
  edges[6 * count - 1] = first + 360 * turns;
  let minLon = Infinity;
  let maxLon = -Infinity;
  const blocks = new Float64Array(2 * Math.ceil(count / BLOCK));
  for (let b = 0; b < blocks.length / 2; b++) {
    let low = Infinity;
    let high = -Infinity;
    for (let k = BLOCK * b; k < Math.min(count, BLOCK * (b + 1)); k++) {
      low = Math.min(low, edges[6 * k + 4]!, edges[6 * k + 5]!);
      high = Math.max(high, edges[6 * k + 4]!, edges[6 * k + 5]!);
    }
    blocks[2 * b] = low;
    blocks[2 * b + 1] = high;
    minLon = Math.min(minLon, low);
    maxLon = Math.max(maxLon, high);
  }
  const aroundNorth = turns !== 0 && balance * turns > 0;
  return {
    edges: Float64Array.from(edges),
    polar: Uint8Array.from(polar),
    blocks,
    minLon,
    maxLon,
    minLat: turns !== 0 && !aroundNorth ? -90 : Math.max(-90, minLat - pad),
    maxLat: aroundNorth ? 90 : Math.min(90, maxLat + pad),
    towards: aroundNorth ? -1 : 1,
  };
}

/** Whether a polygon covers a place. On the boundary either answer may come: the distance to the edges tells. */
export function geodesicCovers({ rings }: GeodesicLocator, lon: number, lat: number): boolean {
  let inside = false;
  for (const ring of rings) if (crossings(ring, lon, lat) % 2 === 1) inside = !inside;
  return inside;
}

/** How often the meridian from a place to the pole that is outside crosses a ring. */
function crossings(ring: UnrolledRing, lon: number, lat: number): number {
  const { edges, polar, blocks, minLon, maxLon, towards } = ring;
  let count = 0;
  for (let at = lon + 360 * Math.ceil((minLon - lon) / 360); at <= maxLon; at += 360) {
    for (let b = 0; b < blocks.length / 2; b++) {
      if (blocks[2 * b]! > at || blocks[2 * b + 1]! < at) continue;
      const end = Math.min(polar.length, BLOCK * (b + 1));
      for (let k = BLOCK * b; k < end; k++) {
        const from = edges[6 * k + 4]!;
        const to = edges[6 * k + 5]!;
        if (from <= at === to <= at) continue;
        const lat1 = edges[6 * k + 1]!;
        if (polar[k] === 1) {
          if (lat1 * towards > 0) count++;
          continue;
        }
        const side = sideOfGeodesic(edges[6 * k]!, lat1, edges[6 * k + 2]!, edges[6 * k + 3]!, lon, lat);
        // Going east, what is south of the edge lies to its right.
        const south = to > from ? side > 0 : side < 0;
        if (south === towards > 0) count++;
      }
    }
  }
  return count;
}
