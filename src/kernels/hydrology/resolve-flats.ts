import {
  CellList,
  type Frame,
  type Heights,
  neighbourOffsets,
  PIT,
  STRAIGHT_FIRST,
  UNRESOLVED,
} from "./frame.ts";

/**
 * Give level ground directions, away from higher ground and towards where it drains, so that water gathers in the middle
 * of a flat (Garbrecht and Martz 1997, in the linear-time form of Barnes, Lehman and Mulla 2014). Each flat gets a surface
 * of whole numbers: twice the steps to the nearest way out, plus how much less far from higher ground a cell is than the one
 * farthest from it. Water goes to the neighbour lowest in it; of equals straight ones before diagonal ones, then clockwise
 * from east. That surface falls with every step, so that no circle can arise.
 *
 * Changes the `UNRESOLVED` bytes of `directions`; flats without a way out become `PIT`.
 */
export function resolveFlats(heights: Heights, frame: Frame, directions: Uint8Array): void {
  const offsets = neighbourOffsets(frame);
  const straightFirst = Int32Array.from(STRAIGHT_FIRST);
  /** 0 not seen; negative: 1 + steps from higher ground; positive: the surface. */
  const surface = new Int32Array(directions.length);
  const flat = new CellList();
  const wave = new CellList();
  for (let start = 0; start < directions.length; start++) {
    if (directions[start] !== UNRESOLVED) continue;
    const height = heights[start]!;
    collect(start, height);
    const farthest = stepsFromHigher(height);
    const drains = climbFromExits(height, farthest);
    for (let i = 0; i < flat.count; i++) {
      const cell = flat.cells[i]!;
      directions[cell] = drains ? lowest(cell, height) : PIT;
    }
  }

  /** The flat that `start` belongs to, into `flat`; its surface becomes -1. */
  function collect(start: number, height: number): void {
    flat.count = 0;
    flat.push(start);
    surface[start] = -1;
    for (let i = 0; i < flat.count; i++) {
      const cell = flat.cells[i]!;
      for (let k = 0; k < 8; k++) {
        const next = cell + offsets[k]!;
        if (directions[next] !== UNRESOLVED || surface[next] !== 0 || heights[next] !== height) continue;
        surface[next] = -1;
        flat.push(next);
      }
    }
  }

  /** Surface becomes -1 - steps from the nearest higher ground. Returns the most steps; 0 when nothing is higher. */
  function stepsFromHigher(height: number): number {
    wave.count = 0;
    for (let i = 0; i < flat.count; i++) {
      const cell = flat.cells[i]!;
      for (let k = 0; k < 8; k++) {
        if (!(heights[cell + offsets[k]!]! > height)) continue;
        surface[cell] = -2;
        wave.push(cell);
        break;
      }
    }
    let most = 0;
    for (let i = 0; i < wave.count; i++) {
      const cell = wave.cells[i]!;
      const steps = surface[cell]!;
      most = -1 - steps;
      for (let k = 0; k < 8; k++) {
        const next = cell + offsets[k]!;
        if (surface[next] !== -1 || heights[next] !== height) continue;
        surface[next] = steps - 1;
        wave.push(next);
      }
    }
    return most;
  }

  /** The finished surface, from the cells beside a way out upward. False when there is none. */
  function climbFromExits(height: number, farthest: number): boolean {
    wave.count = 0;
    for (let i = 0; i < flat.count; i++) {
      const cell = flat.cells[i]!;
      for (let k = 0; k < 8; k++) {
        const next = cell + offsets[k]!;
        if (heights[next] !== height || directions[next]! >= PIT) continue;
        wave.push(cell);
        break;
      }
    }
    // Twice the steps, plus the farthest, less the own steps from higher ground.
    for (let i = 0; i < wave.count; i++) surface[wave.cells[i]!]! += 1 + farthest + 2;
    let first = 0;
    for (let steps = 2; first < wave.count; steps++) {
      const end = wave.count;
      for (; first < end; first++) {
        const cell = wave.cells[first]!;
        for (let k = 0; k < 8; k++) {
          const next = cell + offsets[k]!;
          if (surface[next]! >= 0 || directions[next] !== UNRESOLVED || heights[next] !== height) continue;
          surface[next]! += 1 + farthest + 2 * steps;
          wave.push(next);
        }
      }
    }
    return wave.count > 0;
  }

  function lowest(cell: number, height: number): number {
    let best = surface[cell]!;
    let direction = PIT;
    for (let i = 0; i < 8; i++) {
      const k = straightFirst[i]!;
      const next = cell + offsets[k]!;
      if (heights[next] !== height) continue;
      // Cells with directions of their own from the start have no surface: 0, the lowest of all.
      if (surface[next]! < best) {
        best = surface[next]!;
        direction = k;
      }
    }
    return direction;
  }
}
