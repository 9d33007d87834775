import type { GeometryColumn } from "../../../model/geometry.ts";
import { partDimensions, rowDimensions } from "../distance/dimensions.ts";
import { bulge, longestGeodesic, normalLon, toSpace } from "../distance/geodesic-bounds.ts";
import { type GeodesicLocator, geodesicLocator } from "../distance/geodesic-locate.ts";
import { betweenGeodesic } from "../distance/geodesic-segments.ts";
import { hilbertOrder } from "./hilbert-order.ts";
import { FANOUT, type PackedTree, packTree } from "./packed-tree.ts";
import { LEAF } from "./planar-index.ts";

/** Longer edges are cut into pieces, so that the chord is near the geodesic. Metres; it is then 56 m away at the most. */
const LONGEST_PIECE = 50_000;

/** Boxes in space, packed as {@link PackedTree} packs them in the plane: six numbers each, the three least first. */
export interface SpaceTree {
  readonly boxes: Float64Array;
  /** First node of each level, leaves first, then the number of all nodes. */
  readonly levels: Int32Array;
}

/**
 * Points or pieces of lines on the earth with their places in space. Leaf `k` of the tree has vertices
 * `starts[k] .. starts[k + 1] - 1`: single points, or a run of connected ones.
 */
export interface SpaceLeaves {
  /** `[lon, lat]` of each vertex, degrees. */
  readonly lonLat: Float64Array;
  /** Metres from the centre of the earth, three numbers a vertex. */
  readonly xyz: Float64Array;
  readonly starts: Int32Array;
  /** Row of each vertex. */
  readonly rows: Int32Array;
  readonly tree: SpaceTree;
}

/** What a search for the nearest on the earth reads. */
export interface GeodesicIndex {
  readonly points: SpaceLeaves;
  readonly lines: SpaceLeaves;
  /** Polygon parts by their boxes in longitude and latitude. */
  readonly areas: {
    readonly locators: readonly GeodesicLocator[];
    readonly rows: Int32Array;
    readonly tree: PackedTree;
  };
  /** One vertex of every part, `[lon, lat]` with -180 <= lon < 180; leaf `k` is anchors `8 k .. 8 k + 7`. */
  readonly anchors: { readonly lonLat: Float64Array; readonly rows: Int32Array; readonly tree: PackedTree };
}

/** Index `rows` of a column (default all), longitudes and latitudes on WGS 84. Cost as of the planar index, plus edges cut. */
export function geodesicIndex(column: GeometryColumn, rows?: ArrayLike<number>): GeodesicIndex {
  const { geometries, types } = column;
  const dimensions = partDimensions(column);
  const count = rows === undefined ? types.length : rows.length;
  const points: number[] = [];
  const pointRows: number[] = [];
  const runs: number[][] = [];
  const runRows: number[] = [];
  const anchors: number[] = [];
  const anchorRows: number[] = [];
  const locators: GeodesicLocator[] = [];
  const areaRows: number[] = [];
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? i : rows[i]!;
    for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
      const before = anchorRows.length;
      partRuns(column, p, dimensions[p] === 0, (run) => {
        if (anchorRows.length === before) {
          anchors.push(normalLon(run[0]!), run[1]!);
          anchorRows.push(row);
        }
        if (run.length === 2) {
          points.push(run[0]!, run[1]!);
          pointRows.push(row);
        } else {
          runs.push(run);
          runRows.push(row);
        }
      });
      if (dimensions[p] === 2 && anchorRows.length > before) {
        locators.push(geodesicLocator(column, p));
        areaRows.push(row);
      }
    }
  }
  return {
    points: pointLeaves(points, pointRows),
    lines: lineLeaves(runs, runRows),
    areas: areaLeaves(locators, areaRows),
    anchors: anchorLeaves(anchors, anchorRows),
  };
}

/** Runs of connected vertices of one row, of up to eight pieces each, as `[lon, lat, ...]`; points are runs of one. */
export function rowRuns(column: GeometryColumn, row: number): number[][] {
  const { geometries } = column;
  const dimensions = rowDimensions(column, row);
  const first = geometries[row]!;
  const runs: number[][] = [];
  for (let p = first; p < geometries[row + 1]!; p++)
    partRuns(column, p, dimensions[p - first] === 0, (run) => runs.push(run));
  return runs;
}

/** First vertex of a part that counts, as its position; -1 for none. */
export function anchorOf({ parts, rings, xy }: GeometryColumn, part: number): number {
  const end = rings[parts[part + 1]!]!;
  for (let v = rings[parts[part]!]!; v < end; v++) if (isPlace(xy[2 * v]!, xy[2 * v + 1]!)) return v;
  return -1;
}

function isPlace(lon: number, lat: number): boolean {
  return Number.isFinite(lon) && Math.abs(lat) <= 90;
}

const ends = new Float64Array(6);

function partRuns(
  { parts, rings, xy }: GeometryColumn,
  part: number,
  single: boolean,
  emit: (run: number[]) => void,
): void {
  for (let r = parts[part]!; r < parts[part + 1]!; r++) {
    let run: number[] = [];
    const push = (lon: number, lat: number): void => {
      run.push(lon, lat);
      if (run.length === 2 * (LEAF + 1)) {
        emit(run);
        run = [lon, lat];
      }
    };
    // A run of one vertex that goes on from an emitted one is no point of its own.
    let goesOn = false;
    const close = (): void => {
      if (run.length > 2 || (run.length === 2 && !goesOn)) emit(run);
      run = [];
      goesOn = false;
    };
    for (let v = rings[r]!; v < rings[r + 1]!; v++) {
      const lon = xy[2 * v]!;
      const lat = xy[2 * v + 1]!;
      if (!isPlace(lon, lat)) {
        close();
        continue;
      }
      if (run.length > 0) {
        goesOn = true;
        const lonA = run[run.length - 2]!;
        const latA = run[run.length - 1]!;
        toSpace(lonA, latA, ends, 0);
        toSpace(lon, lat, ends, 3);
        const length = longestGeodesic(
          Math.hypot(ends[3]! - ends[0]!, ends[4]! - ends[1]!, ends[5]! - ends[2]!),
        );
        if (length > LONGEST_PIECE) {
          const between = betweenGeodesic(lonA, latA, lon, lat, Math.ceil(length / LONGEST_PIECE));
          for (let k = 0; k < between.length; k += 2) push(between[k]!, between[k + 1]!);
        }
      }
      push(lon, lat);
      if (single) close();
    }
    close();
  }
}

function pointLeaves(lonLat: number[], rows: number[]): SpaceLeaves {
  const count = rows.length;
  const order = hilbertOrder(normalised(lonLat), count, 2);
  const sorted = new Float64Array(2 * count);
  const sortedRows = new Int32Array(count);
  const starts = new Int32Array(Math.ceil(count / LEAF) + 1);
  for (let k = 0; k < count; k++) {
    const i = order[k]!;
    sorted[2 * k] = lonLat[2 * i]!;
    sorted[2 * k + 1] = lonLat[2 * i + 1]!;
    sortedRows[k] = rows[i]!;
  }
  for (let leaf = 0; leaf < starts.length; leaf++) starts[leaf] = Math.min(count, leaf * LEAF);
  return spaceLeaves(sorted, starts, sortedRows, false);
}

function lineLeaves(runs: number[][], runRows: number[]): SpaceLeaves {
  const firsts = new Float64Array(2 * runs.length);
  let vertices = 0;
  for (const [k, run] of runs.entries()) {
    // The middle vertex stands for the run.
    const middle = 2 * Math.floor(run.length / 4);
    firsts[2 * k] = normalLon(run[middle]!);
    firsts[2 * k + 1] = run[middle + 1]!;
    vertices += run.length / 2;
  }
  const order = hilbertOrder(firsts, runs.length, 2);
  const lonLat = new Float64Array(2 * vertices);
  const rows = new Int32Array(vertices);
  const starts = new Int32Array(runs.length + 1);
  let to = 0;
  for (let k = 0; k < runs.length; k++) {
    const run = runs[order[k]!]!;
    lonLat.set(run, 2 * to);
    rows.fill(runRows[order[k]!]!, to, to + run.length / 2);
    to += run.length / 2;
    starts[k + 1] = to;
  }
  return spaceLeaves(lonLat, starts, rows, true);
}

function normalised(lonLat: number[]): Float64Array {
  return Float64Array.from(lonLat, (value, i) => (i % 2 === 0 ? normalLon(value) : value));
}

/** @param connected  Whether the vertices of a leaf are connected: then its box holds the geodesics between them too. */
function spaceLeaves(
  lonLat: Float64Array,
  starts: Int32Array,
  rows: Int32Array,
  connected: boolean,
): SpaceLeaves {
  const xyz = new Float64Array((3 * lonLat.length) / 2);
  for (let v = 0; 2 * v < lonLat.length; v++) toSpace(lonLat[2 * v]!, lonLat[2 * v + 1]!, xyz, 3 * v);
  const leaves = starts.length - 1;
  const levels: number[] = [];
  let nodes = 0;
  for (let n = leaves; ; n = Math.ceil(n / FANOUT)) {
    levels.push(nodes);
    nodes += n;
    if (n <= 1) break;
  }
  levels.push(nodes);
  const boxes = new Float64Array(6 * nodes);
  for (let leaf = 0; leaf < leaves; leaf++)
    spaceBox(xyz, starts[leaf]!, starts[leaf + 1]!, connected, boxes, 6 * leaf);
  for (let level = 1; level + 1 < levels.length; level++) {
    const end = levels[level]!;
    let to = 6 * end;
    for (let first = levels[level - 1]!; first < end; first += FANOUT, to += 6) {
      boxes.fill(Infinity, to, to + 3);
      boxes.fill(-Infinity, to + 3, to + 6);
      for (let child = 6 * first; child < 6 * Math.min(first + FANOUT, end); child += 6) {
        for (let axis = 0; axis < 3; axis++) {
          if (boxes[child + axis]! < boxes[to + axis]!) boxes[to + axis] = boxes[child + axis]!;
          if (boxes[child + 3 + axis]! > boxes[to + 3 + axis]!)
            boxes[to + 3 + axis] = boxes[child + 3 + axis]!;
        }
      }
    }
  }
  return { lonLat, xyz, starts, rows, tree: { boxes, levels: Int32Array.from(levels) } };
}

/** Box in space of vertices `start .. end - 1`, and of the geodesics between them when they are connected. */
export function spaceBox(
  xyz: Float64Array,
  start: number,
  end: number,
  connected: boolean,
  boxes: Float64Array,
  at: number,
): void {
  boxes.fill(Infinity, at, at + 3);
  boxes.fill(-Infinity, at + 3, at + 6);
  let margin = 0;
  for (let v = start; v < end; v++) {
    for (let axis = 0; axis < 3; axis++) {
      const value = xyz[3 * v + axis]!;
      if (value < boxes[at + axis]!) boxes[at + axis] = value;
      if (value > boxes[at + 3 + axis]!) boxes[at + 3 + axis] = value;
    }
    if (connected && v > start) margin = Math.max(margin, bulge(chordOf(xyz, v - 1, xyz, v)));
  }
  for (let axis = 0; axis < 3; axis++) {
    boxes[at + axis]! -= margin;
    boxes[at + 3 + axis]! += margin;
  }
}

/** Straight distance in space of two vertices. */
export function chordOf(a: Float64Array, v: number, b: Float64Array, w: number): number {
  const x = a[3 * v]! - b[3 * w]!;
  const y = a[3 * v + 1]! - b[3 * w + 1]!;
  const z = a[3 * v + 2]! - b[3 * w + 2]!;
  return Math.sqrt(x * x + y * y + z * z);
}

function areaLeaves(locators: GeodesicLocator[], rows: number[]): GeodesicIndex["areas"] {
  const centres = new Float64Array(2 * locators.length);
  for (const [k, { box }] of locators.entries()) {
    centres[2 * k] = (box[0] + box[2]) / 2;
    centres[2 * k + 1] = (box[1] + box[3]) / 2;
  }
  const order = hilbertOrder(centres, locators.length, 2);
  return {
    locators: Array.from(order, (i) => locators[i]!),
    rows: Int32Array.from(order, (i) => rows[i]!),
    tree: packTree(locators.length, (boxes) => {
      for (let k = 0; k < locators.length; k++) boxes.set(locators[order[k]!]!.box, 4 * k);
    }),
  };
}

function anchorLeaves(lonLat: number[], rows: number[]): GeodesicIndex["anchors"] {
  const count = rows.length;
  const order = hilbertOrder(Float64Array.from(lonLat), count, 2);
  const sorted = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) {
    sorted[2 * k] = lonLat[2 * order[k]!]!;
    sorted[2 * k + 1] = lonLat[2 * order[k]! + 1]!;
  }
  return {
    lonLat: sorted,
    rows: Int32Array.from(order, (i) => rows[i]!),
    tree: packTree(Math.ceil(count / LEAF), (boxes) => {
      for (let k = 0; k < count; k++) {
        const at = 4 * Math.floor(k / LEAF);
        if (k % LEAF === 0) boxes.set([Infinity, Infinity, -Infinity, -Infinity], at);
        boxes[at] = Math.min(boxes[at]!, sorted[2 * k]!);
        boxes[at + 1] = Math.min(boxes[at + 1]!, sorted[2 * k + 1]!);
        boxes[at + 2] = Math.max(boxes[at + 2]!, sorted[2 * k]!);
        boxes[at + 3] = Math.max(boxes[at + 3]!, sorted[2 * k + 1]!);
      }
    }),
  };
}
