import { nodeFloating } from "../noding/floating.ts";
import { finestCell, nodeSnapRounding } from "../noding/snap-rounding.ts";

import { nodeSnapping } from "../noding/snapping.ts";

import type { NodedStrings, SegmentStrings } from "../noding/strings.ts";
import { findUnnoded } from "../noding/validate.ts";
import { EdgeGraph } from "./edge-graph.ts";
import { OverlayInput, uniquePoints } from "./input.ts";
import { Labeller } from "./labeller.ts";
import { LineBuilder } from "./lines.ts";
import { PointLocator, selectPoints } from "./points.ts";
import { OverlayResult } from "./result.ts";
import { RingBuilder } from "./rings.ts";
import { type FillRule, type OverlayOperation, selectFaces, selectLines, selectNodes } from "./select.ts";

/** How the lines of an overlay were brought to meet in common vertices. */
export interface OverlayReport {
  /**
   * 0: in floating point, every vertex where it was, new ones within the rounding of doubles. 1 to {@link SNAPPING_RUNGS}:
   * vertices and lines nearer than a tolerance drawn together. Above: everything put on a grid.
   */
  readonly rung: number;
  readonly method: "floating" | "snapping" | "snap-rounding";
  /** Tolerance of the snapping or cell of the grid, in units of the coordinates; 0 in floating point. */
  readonly cell: number;
  /** Whether an area of the input was not valid, and was read ring by ring. */
  readonly repaired: boolean;
}

/** All went well at once. */
export const FLOATING: OverlayReport = { rung: 0, method: "floating", cell: 0, repaired: false };
const FLOATING_REPAIRED: OverlayReport = { ...FLOATING, repaired: true };

/**
 * Passes of floating noding of areas: the second takes up what the rounding of the first moved. Not where very many
 * lines run almost together, for these make more crossings with each pass. Lines have one pass: of two that are the
 * same but for rounding one shall stay, which is what snapping does.
 */
const PASSES = 4;
const MOST_PIECES = 6;
/** Snapping is tried at 1e-12 of the largest coordinate, then ten times more each time. */
export const SNAPPING_RUNGS = 5;
const SNAPPING = 1e-12;
/** Grids are tried from 2^-46 of the largest coordinate (some fourteen digits), then 64 times coarser each time. */
const GRID_BITS = 46;
const COARSER = 64;

/** Larger scratch is left to the garbage collector. */
const KEPT = 1 << 16;

/** All that an overlay needs, kept for the next one. */
export class Engine {
  readonly input: OverlayInput = new OverlayInput();
  readonly result: OverlayResult = new OverlayResult();
  /** After a run: whether winding numbers of A and B were other than 0 and 1, which valid areas never give. */
  readonly odd: [boolean, boolean] = [false, false];
  readonly #graph = new EdgeGraph();
  readonly #labeller = new Labeller();
  readonly #rings = new RingBuilder();
  readonly #lines = new LineBuilder();
  #inside = new Uint8Array(0);
  #cover = new Uint8Array(0);
  #chosen = new Uint8Array(0);

  get large(): boolean {
    return this.input.capacity > KEPT || this.#graph.capacity > KEPT || this.result.xy.length > 2 * KEPT;
  }

  /**
   * Overlay what is in `input`, into `result`.
   *
   * @param needsEdges  Whether linework can be part of the result; otherwise points are only located.
   * @param grid  Cell of a grid for the result in scaled units; 0 for none.
   */
  run(operation: OverlayOperation, rule: FillRule, needsEdges: boolean, grid: number): OverlayReport {
    const { input } = this;
    input.finish();
    this.result.reset();
    this.odd[0] = false;
    this.odd[1] = false;
    const strings = input.segmentStrings();
    let noded: SegmentStrings = strings;
    let report = FLOATING;
    if (strings.tags.length > 0 && needsEdges) {
      // A grid finer than doubles are changes nothing.
      if (grid > 0 && grid >= finestCell(largest(strings.xy))) {
        noded = nodeSnapRounding(strings, grid);
        report = { rung: SNAPPING_RUNGS + 1, method: "snap-rounding", cell: grid, repaired: false };
        if (!this.#attempt(noded, operation, rule, true)) report = this.#climb(strings, operation, rule);
      } else report = this.#climb(strings, operation, rule);
    }
    const a = input.points[0];
    const b = input.points[1];
    if (a.length + b.length > 0) this.#addPoints(operation, rule, report.rung > 0 ? noded : strings, grid);
    return report;
  }

  /**
   * The outline of areas whose segments meet only at their ends, each segment a string, into `result`; false when they
   * wind around anything more than once or do not fit together.
   */
  outline(segments: SegmentStrings): boolean {
    return this.#attempt(segments, "union", "positive", false) && !this.odd[0];
  }

  #climb(strings: SegmentStrings, operation: OverlayOperation, rule: FillRule): OverlayReport {
    let noded: NodedStrings = { ...strings, clean: false };
    const passes = this.input.lines > 0 ? 1 : PASSES;
    for (let pass = 0; pass < passes; pass++) {
      const next = nodeFloating(noded);
      noded = next;
      if (next.clean) {
        if (this.#attempt(noded, operation, rule, false)) return FLOATING;
        break;
      }
      if (next.tags.length > MOST_PIECES * (strings.xy.length / 2)) break;
    }
    const size = largest(strings.xy);
    let tolerance = size * SNAPPING;
    for (let rung = 1; rung <= SNAPPING_RUNGS; rung++) {
      if (tolerance > 0 && tolerance < Infinity) {
        noded = nodeSnapping(strings, tolerance);
        if ((noded.clean || findUnnoded(noded) === -1) && this.#attempt(noded, operation, rule, false))
          return { rung, method: "snapping", cell: tolerance, repaired: false };
      }
      tolerance *= 10;
    }
    let cell = Math.max(finestCell(size), 2 ** (Math.ceil(Math.log2(size)) - GRID_BITS));
    for (let rung = SNAPPING_RUNGS + 1; ; rung++) {
      noded = nodeSnapRounding(strings, cell);
      if (this.#attempt(noded, operation, rule, false))
        return { rung, method: "snap-rounding", cell, repaired: false };
      if (cell > size) break;
      cell *= COARSER;
    }
    // Not reached: on a cell larger than everything nothing is left that could fail.
    this.result.reset();
    return { rung: SNAPPING_RUNGS + 1, method: "snap-rounding", cell, repaired: false };
  }

  /** One try with noded strings; false when they were not noded after all. */
  #attempt(noded: SegmentStrings, operation: OverlayOperation, rule: FillRule, collapsed: boolean): boolean {
    const { result, odd } = this;
    const graph = this.#graph;
    const labeller = this.#labeller;
    result.reset();
    if (!graph.build(noded, collapsed)) return false;
    if (!labeller.label(graph)) return false;
    const { range } = labeller;
    odd[0] = range[0] < 0 || range[1] > 1;
    odd[1] = range[2] < 0 || range[3] > 1;
    const { edges } = graph;
    if (this.#chosen.length < edges) {
      this.#inside = new Uint8Array(4 * edges);
      this.#cover = new Uint8Array(4 * edges);
      this.#chosen = new Uint8Array(2 * edges);
    }
    selectFaces(graph, labeller.left, operation, rule, this.#inside, this.#cover);
    if (!this.#rings.build(graph, this.#inside, result)) return false;
    if (operation !== "intersection") result.dropSlivers();
    const lines = selectLines(graph, operation, this.#inside, this.#cover, this.#chosen);
    if (lines > 0) this.#lines.build(graph, this.#chosen, result);
    if (operation === "intersection")
      selectNodes(graph, this.#inside, this.#cover, this.#chosen, result.points);
    if (lines > 0 && operation !== "union") result.shortenLines(operation === "intersection");
    return true;
  }

  #addPoints(operation: OverlayOperation, rule: FillRule, strings: SegmentStrings, grid: number): void {
    const { input, odd, result } = this;
    let [a, b] = input.points;
    if (grid > 0) {
      a = uniquePoints(a.map((value) => Math.round(value / grid) * grid + 0));
      b = uniquePoints(b.map((value) => Math.round(value / grid) * grid + 0));
    }
    const count = (a.length + b.length) / 2;
    const inA = strings.tags.length === 0 ? null : new PointLocator(strings, 0, rule, count);
    const inB = strings.tags.length === 0 ? null : new PointLocator(strings, 1, rule, count);
    selectPoints(operation, a, b, inA, inB, result.points);
    if (inA !== null && (inA.lowest < 0 || inA.highest > 1)) odd[0] = true;
    if (inB !== null && (inB.lowest < 0 || inB.highest > 1)) odd[1] = true;
  }
}

function largest(xy: Float64Array): number {
  let size = 0;
  for (let i = 0; i < xy.length; i++) {
    const value = Math.abs(xy[i]!);
    if (value > size) size = value;
  }
  return size;
}

const pool: Engine[] = [];

/** An engine, emptied; give it back by {@link release}. */
export function acquire(): Engine {
  const engine = pool.pop() ?? new Engine();
  engine.input.reset();
  engine.result.reset();
  return engine;
}

export function release(engine: Engine): void {
  if (!engine.large && pool.length < 4) pool.push(engine);
}

/** Of two overlays that one result took: the higher rung, and whether any repaired. */
export function worseReport(a: OverlayReport, b: OverlayReport): OverlayReport {
  const worse = b.rung > a.rung ? b : a;
  return worse.repaired || (!a.repaired && !b.repaired) ? worse : repairedReport(worse);
}

/** The same report, of an input that was repaired. */
export function repairedReport(report: OverlayReport): OverlayReport {
  return report === FLOATING ? FLOATING_REPAIRED : { ...report, repaired: true };
}
