import type { GeometryColumn } from "../../model/geometry.ts";
import type { Affine } from "../../model/grid.ts";
import type { PreparedShapes } from "../raster/shapes.ts";
import { ringArea } from "../vector/region.ts";

/**
 * Share of the area of each feature that lies on the grid it was prepared for, 0..1; length = features. 1 for
 * features whose bounds do, 0 for those whose bounds miss it, and for lines and points whatever their bounds say.
 *
 * @param column  The geometries that `shapes` was made of, all rows.
 */
export function shareOnGrid(shapes: PreparedShapes, column: GeometryColumn, transform: Affine): Float64Array {
  const { bounds, count, width, height, edges, edgeStart, edgeSigns } = shapes;
  const [a, b, , d, e] = transform;
  const cell = Math.abs(a * e - b * d);
  const shares = new Float64Array(count);
  for (let f = 0; f < count; f++) {
    const minX = bounds[4 * f]!;
    const minY = bounds[4 * f + 1]!;
    const maxX = bounds[4 * f + 2]!;
    const maxY = bounds[4 * f + 3]!;
    if (!(minX < width && minY < height && maxX > 0 && maxY > 0)) continue;
    if (minX >= 0 && minY >= 0 && maxX <= width && maxY <= height) {
      shares[f] = 1;
      continue;
    }
    const whole = rowArea(column, f) / cell;
    let inside = 0;
    for (let k = edgeStart[f]!; k < edgeStart[f + 1]!; k++) {
      inside +=
        edgeSigns[k]! *
        areaBeyond(edges[4 * k]!, edges[4 * k + 1]!, edges[4 * k + 2]!, edges[4 * k + 3]!, width, height);
    }
    shares[f] = whole > 0 ? Math.min(1, Math.max(0, inside / whole)) : 1;
  }
  return shares;
}

/** Area between an edge (`y1 <= y2`) and the right border of the grid, within the grid. */
function areaBeyond(x1: number, y1: number, x2: number, y2: number, width: number, height: number): number {
  const top = Math.max(y1, 0);
  const bottom = Math.min(y2, height);
  if (top >= bottom) return 0;
  const slope = (x2 - x1) / (y2 - y1);
  // Cut where the edge passes the left and right border; between cuts the width is linear in y.
  const cuts = [top, bottom];
  for (const border of [0, width]) {
    const y = y1 + (border - x1) / slope;
    if (y > top && y < bottom) cuts.push(y);
  }
  cuts.sort((p, q) => p - q);
  let area = 0;
  for (let k = 0; k + 1 < cuts.length; k++) {
    const middle = x1 + ((cuts[k]! + cuts[k + 1]!) / 2 - y1) * slope;
    area += (cuts[k + 1]! - cuts[k]!) * (width - Math.min(width, Math.max(0, middle)));
  }
  return area;
}

function rowArea({ geometries, parts, rings, xy }: GeometryColumn, row: number): number {
  let area = 0;
  for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      const ring = Math.abs(ringArea(xy, rings[r]!, rings[r + 1]!)) / 2;
      area += r === parts[p]! ? ring : -ring;
    }
  }
  return area;
}
