import fc from "fast-check";
import type { SegmentStrings } from "../../../../src/kernels/vector/noding/strings.ts";

/** Strings of flat coordinates, tagged by their number. */
export function strings(...lines: readonly (readonly number[])[]): SegmentStrings {
  const starts = [0];
  for (const line of lines) starts.push(starts.at(-1)! + line.length / 2);
  return {
    xy: Float64Array.from(lines.flat()),
    starts: Int32Array.from(starts),
    tags: Int32Array.from(lines, (_, i) => i),
  };
}

/** One line of text a string: `tag: x y, x y`. */
export function show({ xy, starts, tags }: SegmentStrings): string[] {
  return Array.from(tags, (tag, s) => {
    const points: string[] = [];
    for (let v = starts[s]!; v < starts[s + 1]!; v++) points.push(`${xy[2 * v]} ${xy[2 * v + 1]}`);
    return `${tag}: ${points.join(", ")}`;
  });
}

/** The segments of all strings, each from its lesser end, sorted, without repeats: what the lines cover. */
export function segmentSet({ xy, starts, tags }: SegmentStrings): string[] {
  const set = new Set<string>();
  for (let s = 0; s < tags.length; s++) {
    for (let v = starts[s]!; v + 1 < starts[s + 1]!; v++) {
      const [ax, ay, bx, by] = xy.subarray(2 * v, 2 * v + 4) as unknown as [number, number, number, number];
      set.add(ax < bx || (ax === bx && ay < by) ? `${ax} ${ay} ${bx} ${by}` : `${bx} ${by} ${ax} ${ay}`);
    }
  }
  return [...set].sort();
}

export function totalLength({ xy, starts, tags }: SegmentStrings): number {
  let sum = 0;
  for (let s = 0; s < tags.length; s++) {
    for (let v = starts[s]!; v + 1 < starts[s + 1]!; v++) {
      sum += Math.hypot(xy[2 * v + 2]! - xy[2 * v]!, xy[2 * v + 3]! - xy[2 * v + 1]!);
    }
  }
  return sum;
}

/** A finite double as a whole number of 2 ** -1074. */
export function whole(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const field = (bits >> 52n) & 0x7ffn;
  const fraction = bits & ((1n << 52n) - 1n);
  const size = field === 0n ? fraction : (fraction | (1n << 52n)) << (field - 1n);
  return bits >> 63n === 1n ? -size : size;
}

interface ExactPoint {
  /** As doubles. */
  at: readonly [number, number];
  x: bigint;
  y: bigint;
  /** Whether it is an end of its string. */
  end: boolean;
}

/**
 * Whether strings are noded, by comparing every segment with every other in whole numbers: no points in
 * common but ends of strings, complete duplicates aside. Slow and independent of the library.
 */
export function isNoded({ xy, starts, tags }: SegmentStrings): boolean {
  const lines: ExactPoint[][] = [];
  for (let s = 0; s < tags.length; s++) {
    const line: ExactPoint[] = [];
    for (let v = starts[s]!; v < starts[s + 1]!; v++) {
      line.push({
        at: [xy[2 * v]!, xy[2 * v + 1]!],
        x: whole(xy[2 * v]!),
        y: whole(xy[2 * v + 1]!),
        end: v === starts[s] || v + 1 === starts[s + 1],
      });
    }
    lines.push(line);
  }
  for (let s = 0; s < lines.length; s++) {
    for (let t = s; t < lines.length; t++) {
      if (s !== t && areDuplicates(lines[s]!, lines[t]!)) continue;
      for (let i = 0; i + 1 < lines[s]!.length; i++) {
        for (let j = s === t ? i + 1 : 0; j + 1 < lines[t]!.length; j++) {
          const follows = s === t && j === i + 1;
          if (meet(lines[s]![i]!, lines[s]![i + 1]!, lines[t]![j]!, lines[t]![j + 1]!, follows)) return false;
        }
      }
    }
  }
  return true;
}

function areDuplicates(a: ExactPoint[], b: ExactPoint[]): boolean {
  if (a.length !== b.length) return false;
  const same = (p: ExactPoint, q: ExactPoint): boolean => p.x === q.x && p.y === q.y;
  return a.every((p, i) => same(p, b[i]!)) || a.every((p, i) => same(p, b.at(-1 - i)!));
}

function meet(a: ExactPoint, b: ExactPoint, c: ExactPoint, d: ExactPoint, follows: boolean): boolean {
  for (const k of [0, 1] as const) {
    if (Math.max(a.at[k], b.at[k]) < Math.min(c.at[k], d.at[k])) return false;
    if (Math.max(c.at[k], d.at[k]) < Math.min(a.at[k], b.at[k])) return false;
  }
  const side = (p: ExactPoint, q: ExactPoint, r: ExactPoint): number => {
    const det = (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    return det > 0n ? 1 : det < 0n ? -1 : 0;
  };
  const between = (p: ExactPoint, q: ExactPoint, r: ExactPoint): boolean =>
    (r.x - p.x) * (r.x - q.x) <= 0n && (r.y - p.y) * (r.y - q.y) <= 0n;
  const abc = side(a, b, c);
  const abd = side(a, b, d);
  const cda = side(c, d, a);
  const cdb = side(c, d, b);
  if (abc * abd < 0 && cda * cdb < 0) return true;
  // A common point is fine where it is an end on both sides, or where one segment goes on in the other.
  const bad = (p: ExactPoint, q: ExactPoint, r: ExactPoint, on: number): boolean => {
    if (on !== 0 || !between(p, q, r)) return false;
    for (const e of [p, q]) {
      if (e.x === r.x && e.y === r.y) return !(e.end && r.end) && !(follows && e === r);
    }
    return true;
  };
  if (follows && a.x === d.x && a.y === d.y) return true;
  return bad(a, b, c, abc) || bad(a, b, d, abd) || bad(c, d, a, cda) || bad(c, d, b, cdb);
}

type Coordinate = fc.Arbitrary<number>;

function lines(coordinate: Coordinate, maxLines = 6, maxVertices = 9): fc.Arbitrary<number[][]> {
  const point = fc.tuple(coordinate, coordinate);
  const line = fc.array(point, { minLength: 1, maxLength: maxVertices }).chain((points) =>
    // Open, closed, with a spike, or with a vertex twice.
    fc
      .tuple(fc.constantFrom("open", "closed", "spike", "twice"), fc.nat(points.length - 1))
      .map(([kind, at]) => {
        const out = points.slice();
        if (kind === "closed") out.push(out[0]!);
        if (kind === "spike" && at > 0) out.splice(at, 0, out[at]!, out[at - 1]!);
        if (kind === "twice") out.splice(at, 0, out[at]!);
        return out.flat();
      }),
  );
  return fc.array(line, { minLength: 1, maxLength: maxLines });
}

const plain = fc.double({ min: 0, max: 100, noNaN: true });

/** Lines of all the kinds that break noders. */
export const HARD_LINES: Record<string, fc.Arbitrary<number[][]>> = {
  random: lines(plain),
  lattice: lines(fc.integer({ min: 0, max: 6 })),
  "fine lattice": lines(
    fc.integer({ min: 0, max: 3 }).chain((n) => fc.integer({ min: -2, max: 2 }).map((k) => n + k * 2 ** -50)),
  ),
  "near coincident": lines(plain, 3, 6).chain((base) =>
    fc
      .array(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 12, maxLength: 12 }), {
        minLength: 1,
        maxLength: 2,
      })
      .map((shifts) => [
        ...base,
        ...shifts.flatMap((shift) => base.map((line) => line.map((c, i) => c + shift[i % 12]! * 1e-14))),
      ]),
  ),
  "large numbers": lines(fc.integer({ min: 0, max: 40 }).map((n) => 1e15 + n * 0.25)),
  "map numbers": lines(fc.double({ min: 0, max: 1, noNaN: true }).map((n) => 4_200_000 + n)),
};

/** Any finite doubles, the largest and the smallest too. */
export const ANY_LINES: fc.Arbitrary<number[][]> = lines(
  fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -2, max: 2 })),
  4,
  5,
);
