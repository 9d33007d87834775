import { type GeometryColumn, NULL_GEOMETRY } from "../../../model/geometry.ts";
import type { GeometryBuilder } from "../../../model/geometry-builder.ts";
import type { SegmentStrings } from "../noding/strings.ts";
import { writeResult } from "./canonical.ts";
import { rowHeights } from "./heights.ts";
import { AREAS, LINES, POINTS, rowDimension } from "./input.ts";
import { acquire, FLOATING, type OverlayReport, release } from "./ladder.ts";
import { unionRows } from "./union.ts";

/**
 * The union of the areas of rows that form a coverage, written as one row: polygons that do not overlap and whose
 * common borders have the same vertices on both sides. Each segment that two of them share vanishes, the others are the
 * outline: no crossings are looked for, so this is much quicker than `unionRows`, and vertices stay as they are.
 *
 * Where the rows are no coverage (the outline would wind around something twice, or segments cross), or one has
 * lines or points, this is `unionRows`. Null rows count as empty; no rows, or only null ones, give null. O(n).
 */
export function coverageUnionRows(
  column: GeometryColumn,
  rows: ArrayLike<number>,
  builder: GeometryBuilder,
): OverlayReport {
  let dimension = -1;
  let onlyNulls = true;
  for (let k = 0; k < rows.length; k++) {
    if (column.types[rows[k]!] === NULL_GEOMETRY) continue;
    onlyNulls = false;
    dimension = Math.max(dimension, rowDimension(column, rows[k]!));
  }
  if (onlyNulls) {
    builder.null();
    return FLOATING;
  }
  const engine = acquire();
  const { input } = engine;
  for (let k = 0; k < rows.length; k++) input.add(column, rows[k]!, 0, POINTS | LINES | AREAS, null);
  input.finish();
  const onlyAreas = input.lines === 0 && input.points[0].length === 0;
  const done = onlyAreas && engine.outline(segmentsOf(input.segmentStrings()));
  if (done) {
    const heights = column.z === null ? null : rowHeights(Array.from(rows, (row) => ({ column, row })));
    writeResult(engine.result, builder, dimension, 1, heights);
  }
  release(engine);
  return done ? FLOATING : unionRows(column, rows, builder);
}

/** Every segment as a string of its own. */
function segmentsOf({ xy, starts, tags }: SegmentStrings): SegmentStrings {
  const count = xy.length / 2 - tags.length;
  const out = new Float64Array(4 * count);
  const outStarts = new Int32Array(count + 1);
  const outTags = new Int32Array(count);
  let n = 0;
  for (let s = 0; s < tags.length; s++) {
    for (let v = starts[s]!; v + 1 < starts[s + 1]!; v++) {
      out[4 * n] = xy[2 * v]!;
      out[4 * n + 1] = xy[2 * v + 1]!;
      out[4 * n + 2] = xy[2 * v + 2]!;
      out[4 * n + 3] = xy[2 * v + 3]!;
      outTags[n++] = tags[s]!;
      outStarts[n] = 2 * n;
    }
  }
  return { xy: out, starts: outStarts, tags: outTags };
}
