import initGeos from "geos-wasm";
import { writeWkb } from "../src/io/wkb.ts";
import { findPairs } from "../src/kernels/vector/join/find-pairs.ts";
import type { GeometryColumn } from "../src/model/geometry.ts";

/**
 * Pairs of two layers that intersect, by our kernel and by GEOS in WebAssembly as its users know how to: an STR tree
 * over the right layer and prepared geometries. Number and check sum of the pairs must be the same.
 *
 * @param prepared  Which side GEOS prepares.
 * @param goal  Of the time that GEOS in C++ takes, which is about 0.7 of this peer.
 */
export async function contest(
  what: string,
  left: GeometryColumn,
  right: GeometryColumn,
  { prepared, runs, goal }: { prepared: "left" | "right"; runs: number; goal: number },
): Promise<void> {
  let seconds = Infinity;
  let first = 0;
  let ours = { pairs: 0, sum: 0 };
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    const pairs = findPairs("intersects", left, right);
    const used = secondsSince(before);
    if (run === 0) first = used;
    seconds = Math.min(seconds, used);
    ours = { pairs: pairs.left.length, sum: checkSum(pairs.left, pairs.right) };
  }
  const theirs = await geosPairs(left, right, prepared);
  if (ours.pairs !== theirs.pairs || ours.sum !== theirs.sum) {
    throw new Error(
      `the results differ: ${ours.pairs} pairs, sum ${ours.sum}; GEOS ${theirs.pairs} pairs, sum ${theirs.sum}`,
    );
  }
  console.log(`${what}: ${ours.pairs} pairs, equal; CPU seconds`);
  console.log(
    `tilth ${seconds.toFixed(3)} (first run ${first.toFixed(3)}), geos-wasm ${theirs.seconds.toFixed(3)}`,
  );
  console.log(`ratio ${(seconds / theirs.seconds).toFixed(2)} (goal at most ${goal} of GEOS in C++)`);
}

/** A sum over all pairs that no wrong pair leaves alone. */
function checkSum(left: Int32Array, right: Int32Array): number {
  let sum = 0;
  for (let k = 0; k < left.length; k++) sum += ((left[k]! + 1) * (right[k]! + 1)) % 1_000_003;
  return sum;
}

async function geosPairs(
  left: GeometryColumn,
  right: GeometryColumn,
  side: "left" | "right",
): Promise<{ pairs: number; sum: number; seconds: number }> {
  const g = (await initGeos()) as unknown as Record<string, (...args: number[]) => number> & {
    Module: {
      _malloc(bytes: number): number;
      _free(pointer: number): void;
      HEAPU8: Uint8Array;
      addFunction(f: (...args: number[]) => void, signature: string): number;
    };
  };
  const { Module } = g;
  const reader = g["GEOSWKBReader_create"]!();
  const read = (column: GeometryColumn): number[] =>
    Array.from(column.types, (_, row) => {
      const bytes = writeWkb(column, row);
      const at = Module._malloc(bytes.length);
      Module.HEAPU8.set(bytes, at);
      const pointer = g["GEOSWKBReader_read"]!(reader, at, bytes.length);
      Module._free(at);
      return pointer;
    });
  const [a, b] = [read(left), read(right)];
  const before = process.cpuUsage();
  const tree = g["GEOSSTRtree_create"]!(10);
  for (const [row, pointer] of b.entries()) g["GEOSSTRtree_insert"]!(tree, pointer, row + 1);
  const found: number[] = [];
  const callback = Module.addFunction((item) => {
    found.push(item! - 1);
  }, "vii");
  const kept = new Array<number>(b.length).fill(0);
  let pairs = 0;
  let sum = 0;
  for (const [i, pointer] of a.entries()) {
    found.length = 0;
    g["GEOSSTRtree_query"]!(tree, pointer, callback, 0);
    if (found.length === 0) continue;
    const own = side === "left" ? g["GEOSPrepare"]!(pointer) : 0;
    for (const j of found) {
      if (side === "right") kept[j] ||= g["GEOSPrepare"]!(b[j]!);
      const meet =
        side === "left"
          ? g["GEOSPreparedIntersects"]!(own, b[j]!)
          : g["GEOSPreparedIntersects"]!(kept[j]!, pointer);
      if (meet !== 1) continue;
      pairs++;
      sum += ((i + 1) * (j + 1)) % 1_000_003;
    }
    if (own !== 0) g["GEOSPreparedGeom_destroy"]!(own);
  }
  return { pairs, sum, seconds: secondsSince(before) };
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
