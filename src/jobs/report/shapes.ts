import { type GeometryColumn, typeDimension } from "../../model/geometry.ts";
import type { Frame } from "./frame.ts";

/** Geometries on the screen: points, lines or rings in pixels, simplified to what can be seen. */
export interface ScreenShape {
  /** Row of the layer. */
  readonly row: number;
  /** 0 points, 1 lines, 2 polygon rings. Members of a collection come as shapes of their own dimension. */
  readonly dimension: 0 | 1 | 2;
  /** `[x0, y0, x1, y1, ...]` each; rings are closed. */
  readonly paths: readonly Float64Array[];
}

/** Vertices that one layer may have on a page. */
const MOST_VERTICES = 120_000;

/**
 * Shapes of a layer within a frame, with vertices left out that change nothing by more than `tolerance` pixels
 * (Douglas and Peucker, 1973); coarser when there would still be too many. Rows outside the frame, null and empty
 * rows are left out.
 */
export function screenShapes(column: GeometryColumn, frame: Frame, tolerance: number): ScreenShape[] {
  for (let coarse = tolerance; ; coarse *= 2) {
    const shapes = shapesAt(column, frame, coarse);
    let vertices = 0;
    for (const { paths } of shapes) for (const path of paths) vertices += path.length / 2;
    if (vertices <= MOST_VERTICES || coarse > 8) return shapes;
  }
}

function shapesAt(column: GeometryColumn, frame: Frame, tolerance: number): ScreenShape[] {
  const { types, geometries, parts, rings, collections } = column;
  const shapes: ScreenShape[] = [];
  for (let row = 0; row < types.length; row++) {
    const byDimension: [Float64Array[], Float64Array[], Float64Array[]] = [[], [], []];
    let member = collections === null ? 0 : collections.rows[row]!;
    for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
      let type = types[row]!;
      if (collections !== null && collections.rows[row + 1]! > collections.rows[row]!) {
        while (collections.members[member + 1]! <= p) member++;
        type = collections.types[member]!;
      }
      const dimension = typeDimension(type);
      if (dimension < 0) continue;
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        const path = toScreen(column.xy, rings[r]!, rings[r + 1]!, frame);
        if (path === null || path.length === 0) continue;
        if (dimension === 0) byDimension[0].push(path);
        else {
          const simple = simplify(path, tolerance);
          if (simple.length >= (dimension === 2 ? 8 : 4)) byDimension[dimension as 1 | 2].push(simple);
        }
      }
    }
    for (const dimension of [2, 1, 0] as const) {
      if (byDimension[dimension].length > 0) shapes.push({ row, dimension, paths: byDimension[dimension] });
    }
  }
  return shapes;
}

/** `null` when the path is outside the frame or has positions that are not numbers. */
function toScreen(xy: Float64Array, start: number, end: number, frame: Frame): Float64Array | null {
  const { left, top, scaleX, scaleY, width, height } = frame;
  const path = new Float64Array(2 * (end - start));
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let v = start, at = 0; v < end; v++, at += 2) {
    const x = (xy[2 * v]! - left) * scaleX;
    const y = (top - xy[2 * v + 1]!) * scaleY;
    if (!Number.isFinite(x) || !Number.isFinite(y)) return null;
    path[at] = x;
    path[at + 1] = y;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  // Somewhat beyond the frame, for moving the map a little.
  if (maxX < -width || minX > 2 * width || maxY < -height || minY > 2 * height) return null;
  return path;
}

/** Douglas-Peucker without recursion. Rings (first = last) are split at the vertex farthest from the first. */
export function simplify(path: Float64Array, tolerance: number): Float64Array {
  const count = path.length / 2;
  if (count <= 2 || tolerance <= 0) return path;
  const keep = new Uint8Array(count);
  keep[0] = 1;
  keep[count - 1] = 1;
  const limit = tolerance * tolerance;
  const stack: number[] = [];
  if (path[0] === path[2 * count - 2] && path[1] === path[2 * count - 1]) {
    let far = 0;
    let best = -1;
    for (let i = 1; i < count - 1; i++) {
      const dx = path[2 * i]! - path[0]!;
      const dy = path[2 * i + 1]! - path[1]!;
      if (dx * dx + dy * dy > best) {
        best = dx * dx + dy * dy;
        far = i;
      }
    }
    // A ring smaller than a pixel is still a ring.
    if (best <= limit)
      return count <= 4 ? path : Float64Array.from([...path.subarray(0, 6), path[0]!, path[1]!]);
    keep[far] = 1;
    stack.push(0, far, far, count - 1);
  } else stack.push(0, count - 1);
  while (stack.length > 0) {
    const last = stack.pop()!;
    const first = stack.pop()!;
    const ax = path[2 * first]!;
    const ay = path[2 * first + 1]!;
    const dx = path[2 * last]! - ax;
    const dy = path[2 * last + 1]! - ay;
    const length = dx * dx + dy * dy;
    let worst = limit;
    let at = -1;
    for (let i = first + 1; i < last; i++) {
      const px = path[2 * i]! - ax;
      const py = path[2 * i + 1]! - ay;
      const t = length === 0 ? 0 : Math.max(0, Math.min(1, (px * dx + py * dy) / length));
      const ex = px - t * dx;
      const ey = py - t * dy;
      const distance = ex * ex + ey * ey;
      if (distance > worst) {
        worst = distance;
        at = i;
      }
    }
    if (at < 0) continue;
    keep[at] = 1;
    stack.push(first, at, at, last);
  }
  let kept = 0;
  for (let i = 0; i < count; i++) kept += keep[i]!;
  // A ring needs three corners.
  if (kept < 4 && path[0] === path[2 * count - 2] && path[1] === path[2 * count - 1]) {
    for (let i = 1; i < count - 1 && kept < 4; i++) {
      if (keep[i] === 1) continue;
      keep[i] = 1;
      kept++;
    }
  }
  const out = new Float64Array(2 * kept);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (keep[i] === 0) continue;
    out[at++] = path[2 * i]!;
    out[at++] = path[2 * i + 1]!;
  }
  return out;
}
