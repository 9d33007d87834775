import type { Position } from "../features.ts";

/** Not part of any region. */
export const OUTSIDE = -1;

/** Parts, rings (shell, then holes), positions; in half cells from the top-left corner, x right, y down. */
export type Outline = readonly (readonly (readonly Position[])[])[];

interface Ring {
  readonly positions: Position[];
  /** Twice the signed area; positive for shells. */
  readonly area: number;
}

/**
 * Outlines of the regions of a label raster. Borders run from midpoint to midpoint of the cell sides that they
 * cross, so that stairs become slopes; cells that touch at a corner only are joined there. Regions that share a
 * border share its vertices, so outlines tile without gaps or overlaps, and no ring touches itself.
 *
 * @param labels  {@link OUTSIDE} or a region, row-major, length = width * height.
 * @returns outline of each region.
 */
export function outlines(labels: Int32Array, width: number, height: number): Map<number, Outline> {
  const at = (col: number, row: number): number =>
    col < 0 || row < 0 || col >= width || row >= height ? OUTSIDE : labels[row * width + col]!;
  // Sides of a cell, clockwise from the top: 0 top (going east), 1 right (south), 2 bottom (west), 3 left (north).
  const visited = new Uint8Array(4 * width * height);
  const rings = new Map<number, Ring[]>();
  for (let row = 0; row < height; row++) {
    for (let col = 0; col < width; col++) {
      const label = at(col, row);
      if (label === OUTSIDE) continue;
      for (let side = 0; side < 4; side++) {
        if (visited[4 * (row * width + col) + side] === 1) continue;
        if (at(col + OUT_COL[side]!, row + OUT_ROW[side]!) === label) continue;
        const ring = trace(at, visited, width, col, row, side);
        const list = rings.get(label);
        if (list === undefined) rings.set(label, [ring]);
        else list.push(ring);
      }
    }
  }
  return new Map([...rings].map(([label, list]) => [label, nest(list)]));
}

/** Step to the cell across each side, and along each side. */
const OUT_COL = [0, 1, 0, -1] as const;
const OUT_ROW = [-1, 0, 1, 0] as const;
const ALONG_COL = [1, 0, -1, 0] as const;
const ALONG_ROW = [0, 1, 0, -1] as const;

function trace(
  at: (col: number, row: number) => number,
  visited: Uint8Array,
  width: number,
  startCol: number,
  startRow: number,
  startSide: number,
): Ring {
  const label = at(startCol, startRow);
  // Corners where three or more regions meet are kept as they are.
  const raw: (readonly [x: number, y: number, node: boolean])[] = [];
  let col = startCol;
  let row = startRow;
  let side = startSide;
  do {
    visited[4 * (row * width + col) + side] = 1;
    // Midpoint of the side.
    raw.push([2 * col + 1 + OUT_COL[side]!, 2 * row + 1 + OUT_ROW[side]!, false]);
    const ac = ALONG_COL[side]!;
    const ar = ALONG_ROW[side]!;
    const oc = OUT_COL[side]!;
    const or = OUT_ROW[side]!;
    const across = at(col + oc, row + or);
    const ahead = at(col + ac, row + ar);
    const diagonal = at(col + ac + oc, row + ar + or);
    const cornerX = 2 * col + 1 + oc + ac;
    const cornerY = 2 * row + 1 + or + ar;
    if (ahead === label) {
      if (diagonal === label) {
        // The border turns around the cell across.
        col += ac + oc;
        row += ar + or;
        side = (side + 3) % 4;
      } else {
        if (diagonal !== across) raw.push([cornerX, cornerY, true]);
        col += ac;
        row += ar;
      }
    } else if (diagonal === label && (across !== ahead || across === OUTSIDE || label < across)) {
      // Own cells touch at the corner: joined, unless the other two are joined there.
      col += ac + oc;
      row += ar + or;
      side = (side + 3) % 4;
    } else {
      if (across !== ahead) raw.push([cornerX, cornerY, true]);
      side = (side + 1) % 4;
    }
  } while (col !== startCol || row !== startRow || side !== startSide);
  return close(raw);
}

function close(raw: readonly (readonly [x: number, y: number, node: boolean])[]): Ring {
  const positions: Position[] = [];
  const count = raw.length;
  for (let i = 0; i < count; i++) {
    const [px, py] = raw[(i + count - 1) % count]!;
    const [x, y, node] = raw[i]!;
    const [nx, ny] = raw[(i + 1) % count]!;
    if (node || (x - px) * (ny - y) !== (y - py) * (nx - x)) positions.push([x, y]);
  }
  let area = 0;
  for (let i = 0; i < positions.length; i++) {
    const [x, y] = positions[i]!;
    const [nx, ny] = positions[(i + 1) % positions.length]!;
    area += x * ny - nx * y;
  }
  positions.push(positions[0]!);
  return { positions, area };
}

/** Each hole goes to the smallest shell around it. */
function nest(rings: readonly Ring[]): Outline {
  const shells = rings.filter(({ area }) => area > 0).sort((a, b) => b.area - a.area);
  const parts = shells.map(({ positions }) => [positions]);
  for (const hole of rings) {
    if (hole.area > 0) continue;
    for (let k = shells.length - 1; k >= 0; k--) {
      if (!inside(hole.positions[0]!, shells[k]!.positions)) continue;
      parts[k]!.push(hole.positions);
      break;
    }
  }
  return parts;
}

function inside([x, y]: Position, ring: readonly Position[]): boolean {
  let within = false;
  for (let i = 0; i + 1 < ring.length; i++) {
    const [ax, ay] = ring[i]!;
    const [bx, by] = ring[i + 1]!;
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) within = !within;
  }
  return within;
}

/** Give regions of fewer than `least` cells (joined by sides) to the neighbour they share most sides with. Changes `labels`. */
export function sieve(labels: Int32Array, width: number, height: number, least: number): void {
  const seen = new Uint8Array(labels.length);
  const stack: number[] = [];
  for (let start = 0; start < labels.length; start++) {
    if (seen[start] === 1 || labels[start] === OUTSIDE) continue;
    const label = labels[start]!;
    const cells: number[] = [];
    const neighbours = new Map<number, number>();
    stack.push(start);
    seen[start] = 1;
    while (stack.length > 0) {
      const cell = stack.pop()!;
      cells.push(cell);
      const col = cell % width;
      const row = (cell - col) / width;
      for (let side = 0; side < 4; side++) {
        const c = col + OUT_COL[side]!;
        const r = row + OUT_ROW[side]!;
        if (c < 0 || r < 0 || c >= width || r >= height) continue;
        const next = r * width + c;
        const other = labels[next]!;
        if (other !== label) {
          if (other !== OUTSIDE) neighbours.set(other, (neighbours.get(other) ?? 0) + 1);
        } else if (seen[next] === 0) {
          seen[next] = 1;
          stack.push(next);
        }
      }
    }
    if (cells.length >= least) continue;
    const best = [...neighbours].sort(([a, m], [b, n]) => n - m || a - b)[0];
    if (best !== undefined) for (const cell of cells) labels[cell] = best[0];
  }
}
