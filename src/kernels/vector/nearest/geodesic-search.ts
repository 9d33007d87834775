import type { GeometryColumn } from "../../../model/geometry.ts";
import { rowDimensions } from "../distance/dimensions.ts";
import {
  bulge,
  longestChord,
  longestGeodesic,
  normalLon,
  SPACE_ROUNDING,
  toSpace,
} from "../distance/geodesic-bounds.ts";
import { geodesicCovers, geodesicLocator } from "../distance/geodesic-locate.ts";
import { geodesicPointSegment, geodesicPoints, geodesicSegments } from "../distance/geodesic-segments.ts";
import { chordBetween, chordToPiece } from "../distance/space-chords.ts";
import {
  anchorOf,
  chordOf,
  type GeodesicIndex,
  rowRuns,
  type SpaceLeaves,
  spaceBox,
} from "./geodesic-index.ts";
import type { NearestSet } from "./nearest-set.ts";
import { FANOUT, searchTree } from "./packed-tree.ts";
import { LEAF } from "./planar-index.ts";

/**
 * Searches of a geodesic index. Boxes and straight distances in space rule out what cannot be nearest, since no geodesic
 * is shorter than its chord; what is left, one or two candidates as a rule, is measured on the ellipsoid. Right across the
 * antimeridian and at the poles, which space does not know.
 */
export class GeodesicSearch {
  /** Row that gave the least distance since {@link forget}, -1 for none, and the piece that did: `[lon, lat, lon, lat]`. */
  witnessRow: number = -1;
  readonly #witness = new Float64Array(4);
  #least = Infinity;
  readonly #index: GeodesicIndex;
  readonly #nodes = new Int32Array(512);
  readonly #levels = new Uint8Array(512);
  readonly #squares = new Float64Array(512);
  readonly #box = new Float64Array(6);
  readonly #hits: number[] = [];
  /** Whether one neighbour is asked for: then what must be near bounds the search before it is measured. */
  #single = false;
  #chords = new Float64Array(64);

  constructor(index: GeodesicIndex) {
    this.#index = index;
  }

  forget(): void {
    this.witnessRow = -1;
    this.#least = Infinity;
  }

  /** Least distance offered since {@link forget}, metres; `Infinity` for none. */
  get leastDistance(): number {
    return this.#least;
  }

  /** Distance of a place to what was nearest to the query before it. */
  distanceToWitness(lon: number, lat: number): number {
    const w = this.#witness;
    return geodesicPointSegment(lon, lat, w[0]!, w[1]!, w[2]!, w[3]!);
  }

  /**
   * Offer everything of the index that may be nearest to a row of another column.
   *
   * @param single  Whether only the nearest and what ties with it are wanted, and no row is left out.
   */
  row(column: GeometryColumn, row: number, set: NearestSet, single: boolean): void {
    this.#single = single;
    const { geometries, xy } = column;
    const dimensions = rowDimensions(column, row);
    const first = geometries[row]!;
    for (let p = first; p < geometries[row + 1]!; p++) {
      const v = anchorOf(column, p);
      if (v < 0) continue;
      this.#covering(xy[2 * v]!, xy[2 * v + 1]!, set);
      if (dimensions[p - first] === 2) this.#covered(column, p, set);
    }
    for (const run of rowRuns(column, row)) {
      const count = run.length / 2;
      const lonLat = Float64Array.from(run);
      const xyz = new Float64Array(3 * count);
      for (let v = 0; v < count; v++) toSpace(lonLat[2 * v]!, lonLat[2 * v + 1]!, xyz, 3 * v);
      spaceBox(xyz, 0, count, true, this.#box, 0);
      this.#run(lonLat, xyz, this.#index.points, false, set);
      this.#run(lonLat, xyz, this.#index.lines, true, set);
    }
  }

  /** Polygons of the index that cover a place are at distance 0. */
  #covering(lon: number, lat: number, set: NearestSet): void {
    const { locators, rows, tree } = this.#index.areas;
    if (rows.length === 0) return;
    for (let at = normalLon(lon); at < 540; at += 360) {
      const found = searchTree(tree, at, lat, at, lat, this.#hits);
      for (let h = 0; h < found; h++) {
        const leaf = this.#hits[h]!;
        if (geodesicCovers(locators[leaf]!, lon, lat)) this.#take(set, rows[leaf]!, 0, lon, lat, lon, lat);
      }
    }
  }

  /** Rows of the index with a part that polygon part `part` of another column covers. */
  #covered(column: GeometryColumn, part: number, set: NearestSet): void {
    const locator = geodesicLocator(column, part);
    const [west, south, east, north] = locator.box;
    const { lonLat, rows, tree } = this.#index.anchors;
    if (!(south <= north)) return;
    for (let turn = 0; turn <= 720; turn += 360) {
      if (turn > 0 && east - turn < -180) break;
      const found = searchTree(tree, west - turn, south, east - turn, north, this.#hits);
      for (let h = 0; h < found; h++) {
        const from = this.#hits[h]! * LEAF;
        for (let k = from; k < Math.min(from + LEAF, rows.length); k++) {
          const lon = lonLat[2 * k]!;
          const lat = lonLat[2 * k + 1]!;
          if (geodesicCovers(locator, lon, lat)) this.#take(set, rows[k]!, 0, lon, lat, lon, lat);
        }
      }
    }
  }

  #take(
    set: NearestSet,
    row: number,
    distance: number,
    lonA: number,
    latA: number,
    lonB: number,
    latB: number,
  ): void {
    set.offer(row, distance * distance);
    if (!(distance < this.#least) || (set.excluded !== null && set.excluded[row] === 1)) return;
    this.#least = distance;
    this.witnessRow = row;
    this.#witness[0] = lonA;
    this.#witness[1] = latA;
    this.#witness[2] = lonB;
    this.#witness[3] = latB;
  }

  /** One point or run of the query, whose box is in `#box`, against the leaves of one kind. */
  #run(
    lonLat: Float64Array,
    xyz: Float64Array,
    leaves: SpaceLeaves,
    connected: boolean,
    set: NearestSet,
  ): void {
    const { starts, tree } = leaves;
    if (starts.length < 2) return;
    const nodes = this.#nodes;
    const squares = this.#squares;
    const levels = this.#levels;
    const { boxes, levels: first } = tree;
    const [minX, minY, minZ, maxX, maxY, maxZ] = this.#box as unknown as number[];
    nodes[0] = first[first.length - 2]!;
    levels[0] = first.length - 2;
    squares[0] = 0;
    let depth = 1;
    let bound = set.bound;
    let reach = reachOf(bound);
    while (depth > 0) {
      depth--;
      if (squares[depth]! > reach) continue;
      const node = nodes[depth]!;
      const level = levels[depth]!;
      if (level === 0) {
        this.#leaf(lonLat, xyz, leaves, node, connected, set);
        if (set.bound < bound) {
          bound = set.bound;
          reach = reachOf(bound);
        }
        continue;
      }
      const from = first[level - 1]! + (node - first[level]!) * FANOUT;
      const end = Math.min(from + FANOUT, first[level]!);
      const base = depth;
      for (let child = from; child < end; child++) {
        const at = 6 * child;
        const dx = Math.max(0, boxes[at]! - maxX!, minX! - boxes[at + 3]!);
        const dy = Math.max(0, boxes[at + 1]! - maxY!, minY! - boxes[at + 4]!);
        const dz = Math.max(0, boxes[at + 2]! - maxZ!, minZ! - boxes[at + 5]!);
        const square = dx * dx + dy * dy + dz * dz;
        if (square > reach) continue;
        let slot = depth++;
        while (slot > base && squares[slot - 1]! < square) {
          squares[slot] = squares[slot - 1]!;
          nodes[slot] = nodes[slot - 1]!;
          slot--;
        }
        squares[slot] = square;
        nodes[slot] = child;
      }
      for (let slot = base; slot < depth; slot++) levels[slot] = level - 1;
    }
  }

  /** Every piece of the query run against every piece of a leaf. */
  #leaf(
    lonLat: Float64Array,
    xyz: Float64Array,
    { lonLat: others, xyz: spaces, starts, rows }: SpaceLeaves,
    leaf: number,
    connected: boolean,
    set: NearestSet,
  ): void {
    const pieces = Math.max(1, lonLat.length / 2 - 1);
    const first = starts[leaf]!;
    const count = Math.max(1, starts[leaf + 1]! - first - (connected ? 1 : 0));
    if (2 * pieces * count > this.#chords.length) this.#chords = new Float64Array(2 * pieces * count);
    const chords = this.#chords;
    const step = connected ? 1 : 0;
    const own = lonLat.length > 2 ? 1 : 0;
    // First what the chords say: the most and the least that each pair can be apart.
    let limit = reachOf(set.bound);
    for (let i = 0; i < pieces; i++) {
      const ownBulge = own === 0 ? 0 : bulge(chordOf(xyz, i, xyz, i + 1));
      for (let k = 0; k < count; k++) {
        const v = first + k;
        let margin = ownBulge;
        if (connected) margin += bulge(chordOf(spaces, v, spaces, v + 1));
        const at = 2 * (i * count + k);
        if (own === 0 && !connected) {
          const chord = chordOf(xyz, 0, spaces, v);
          chords[at] = chord;
          chords[at + 1] = chord;
        } else if (own === 0) {
          const chord = chordToPiece(xyz, 0, spaces, v, v + 1);
          chords[at] = chord;
          chords[at + 1] = chord;
        } else chordBetween(xyz, i, i + 1, spaces, v, v + step, chords, at);
        chords[at] = Math.max(0, chords[at]! - margin);
        if (
          !this.#single ||
          chords[at]! * chords[at]! > limit ||
          (set.excluded !== null && set.excluded[rows[v]!] === 1)
        )
          continue;
        set.atMost(longestGeodesic(chords[at + 1]! + margin + SPACE_ROUNDING));
        limit = reachOf(set.bound);
      }
    }
    for (let i = 0; i < pieces; i++) {
      for (let k = 0; k < count; k++) {
        const least = chords[2 * (i * count + k)]!;
        if (least * least > limit) continue;
        const v = first + k;
        const w = v + step;
        const [lonC, latC] = [others[2 * v]!, others[2 * v + 1]!];
        const [lonD, latD] = [others[2 * w]!, others[2 * w + 1]!];
        const lonA = lonLat[2 * i]!;
        const latA = lonLat[2 * i + 1]!;
        const distance =
          own === 0
            ? connected
              ? geodesicPointSegment(lonA, latA, lonC, latC, lonD, latD)
              : geodesicPoints(lonA, latA, lonC, latC)
            : geodesicSegments(
                lonA,
                latA,
                lonLat[2 * i + 2]!,
                lonLat[2 * i + 3]!,
                lonC,
                latC,
                lonD,
                latD,
                least > SPACE_ROUNDING,
              );
        this.#take(set, rows[v]!, distance, lonC, latC, lonD, latD);
        limit = reachOf(set.bound);
      }
    }
  }
}

/** Square of the longest chord that a geodesic within `bound` (the square of a distance) can have, rounded up. */
function reachOf(bound: number): number {
  if (bound < 0) return -1;
  const reach = longestChord(Math.sqrt(bound)) + SPACE_ROUNDING;
  return reach * reach;
}
