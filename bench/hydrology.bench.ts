import { fillDepressions } from "../src/kernels/hydrology/fill-depressions.ts";
import { flowAccumulation } from "../src/kernels/hydrology/flow-accumulation.ts";
import { flowDirections } from "../src/kernels/hydrology/flow-direction.ts";
import { type Frame, flowSteps, NO_GROUND, neighbourOffsets } from "../src/kernels/hydrology/frame.ts";
import { fractal } from "../src/testing/random.ts";

/**
 * Filling, directions and accumulation of a made-up DEM of 4,000 x 4,000 cells, in whole metres (many flats, as SRTM has them) and in
 * fractions. No other library is here to run against; the contestant is the plain way, as textbooks have it: every cell through a binary
 * heap (Barnes, Lehman and Mulla 2014, algorithm 1), and accumulation from a queue of cells without donors. Filled heights and sums must be
 * equal, cell by cell.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const side = smoke ? 200 : 4_000;
  const frame = { width: side, height: side };
  const sizes = { x: new Float64Array(side).fill(30), y: new Float64Array(side).fill(30) };
  const ones = new Float64Array(side).fill(1);
  for (const whole of [true, false]) {
    const heights = ground(side, whole);
    const plain = heights.slice();
    const [plainFill] = timed(() => fillPlainly(plain, frame));
    const [fill, raised] = timed(() => fillDepressions(heights, frame));
    compare(heights, plain);
    const [direct, directions] = timed(() => flowDirections(heights, frame, sizes));
    const [accumulate, sums] = timed(() => flowAccumulation(directions, frame, ones));
    const [plainSums, others] = timed(() => accumulatePlainly(directions, frame));
    compare(sums, others);
    console.log(
      `${side} x ${side}, ${whole ? "whole metres" : "fractions"}: ${raised} cells raised, ${sums.reduce((a, b) => (b > a ? b : a), 0)} cells drain through the largest outlet, equal`,
    );
    console.log(
      `CPU seconds: fill ${fill.toFixed(2)} (plainly ${plainFill.toFixed(2)}), directions ${direct.toFixed(2)}, accumulation ${accumulate.toFixed(2)} (plainly ${plainSums.toFixed(2)}), all three ${(fill + direct + accumulate).toFixed(2)}; peak memory of the process ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
    );
  }
}

/** Hills of seven sizes on a slope, framed. */
function ground(side: number, whole: boolean): Float32Array {
  const stride = side + 2;
  const heights = new Float32Array(stride * stride).fill(Number.NaN);
  for (let row = 0; row < side; row++) {
    for (let col = 0; col < side; col++) {
      const z = 400 * fractal(1, col / 300, row / 300, 7) + (col + row) / 50;
      heights[(row + 1) * stride + col + 1] = whole ? Math.round(z) : z;
    }
  }
  return heights;
}

function fillPlainly(heights: Float32Array, frame: Frame): void {
  const offsets = neighbourOffsets(frame);
  const heap = new Int32Array(heights.length);
  const closed = new Uint8Array(heights.length);
  let size = 0;
  const push = (cell: number): void => {
    const key = heights[cell]!;
    let at = size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heights[heap[parent]!]! <= key) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = cell;
  };
  for (let cell = 0; cell < heights.length; cell++) {
    if (Number.isNaN(heights[cell]!)) closed[cell] = 1;
    else if (offsets.some((offset) => Number.isNaN(heights[cell + offset]!))) {
      closed[cell] = 1;
      push(cell);
    }
  }
  while (size > 0) {
    const cell = heap[0]!;
    const last = heap[--size]!;
    const key = heights[last]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && heights[heap[child + 1]!]! < heights[heap[child]!]!) child++;
      if (heights[heap[child]!]! >= key) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    for (let k = 0; k < 8; k++) {
      const next = cell + offsets[k]!;
      if (closed[next] === 1) continue;
      closed[next] = 1;
      if (heights[next]! < heights[cell]!) heights[next] = heights[cell]!;
      push(next);
    }
  }
}

function accumulatePlainly(directions: Uint8Array, frame: Frame): Float64Array {
  const steps = flowSteps(frame);
  const donors = new Uint8Array(directions.length);
  const sums = new Float64Array(directions.length).fill(Number.NaN);
  for (let cell = 0; cell < directions.length; cell++) {
    if (directions[cell] === NO_GROUND) continue;
    sums[cell] = 1;
    const step = steps[directions[cell]!]!;
    if (step !== 0) donors[cell + step]!++;
  }
  const queue = new Int32Array(directions.length);
  let end = 0;
  for (let cell = 0; cell < directions.length; cell++)
    if (directions[cell] !== NO_GROUND && donors[cell] === 0) queue[end++] = cell;
  for (let i = 0; i < end; i++) {
    const cell = queue[i]!;
    const step = steps[directions[cell]!]!;
    if (step === 0) continue;
    sums[cell + step]! += sums[cell]!;
    if (--donors[cell + step]! === 0) queue[end++] = cell + step;
  }
  return sums;
}

function compare(ours: Float32Array | Float64Array, theirs: Float32Array | Float64Array): void {
  for (let i = 0; i < ours.length; i++)
    if (!Object.is(ours[i], theirs[i])) throw new Error(`cell ${i}: ${ours[i]}, plainly ${theirs[i]}`);
}

function timed<T>(work: () => T): [seconds: number, result: T] {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return [(user + system) / 1e6, result];
}
