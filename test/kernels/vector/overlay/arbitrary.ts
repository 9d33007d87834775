import fc from "fast-check";
import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  MULTI_LINE_STRING,
  MULTI_POINT,
  MULTI_POLYGON,
} from "../../../../src/model/geometry.ts";
import { GeometryBuilder } from "../../../../src/model/geometry-builder.ts";

export type Ring = readonly (readonly [number, number])[];

/** Parts of a geometry by dimension: points, lines, polygons of rings (not closed). */
export interface Shape {
  readonly points: Ring;
  readonly lines: readonly Ring[];
  readonly polygons: readonly (readonly Ring[])[];
}

/** A row of the multi type when there is one dimension, of a collection else. */
export function column(shape: Shape): GeometryColumn {
  const { points, lines, polygons } = shape;
  const kinds = [points, lines, polygons].filter((parts) => parts.length > 0).length;
  const builder = new GeometryBuilder();
  if (kinds !== 1) builder.begin(GEOMETRY_COLLECTION);
  else
    builder.begin(polygons.length > 0 ? MULTI_POLYGON : lines.length > 0 ? MULTI_LINE_STRING : MULTI_POINT);
  if (points.length > 0 && kinds !== 1) builder.member(MULTI_POINT);
  for (const [x, y] of points) {
    builder.part();
    builder.vertex(x, y);
  }
  if (lines.length > 0 && kinds !== 1) builder.member(MULTI_LINE_STRING);
  for (const line of lines) {
    builder.part();
    for (const [x, y] of line) builder.vertex(x, y);
  }
  if (polygons.length > 0 && kinds !== 1) builder.member(MULTI_POLYGON);
  for (const rings of polygons) {
    builder.part();
    for (const ring of rings) {
      builder.ring();
      for (const [x, y] of [...ring, ring[0]!]) builder.vertex(x, y);
    }
  }
  builder.end();
  return builder.finish();
}

/** The same shape with every coordinate changed. */
export function moved(shape: Shape, move: (x: number, y: number) => readonly [number, number]): Shape {
  const ring = (r: Ring): Ring => r.map(([x, y]) => move(x, y));
  return {
    points: ring(shape.points),
    lines: shape.lines.map(ring),
    polygons: shape.polygons.map((rings) => rings.map(ring)),
  };
}

const lattice: fc.Arbitrary<number> = fc.integer({ min: 0, max: 9 });
/** On a small lattice much is shared: vertices, stretches of edges, whole edges; rings repeat points and turn back. */
const position: fc.Arbitrary<readonly [number, number]> = fc.tuple(lattice, lattice);
const ring: fc.Arbitrary<Ring> = fc.array(position, { minLength: 3, maxLength: 9 });

/** Rings around a centre: simple, and never the whole lattice apart. */
const star: fc.Arbitrary<Ring> = fc
  .tuple(position, fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 3, maxLength: 12 }))
  .map(([[x, y], radii]) =>
    radii.map((r, k): readonly [number, number] => {
      const angle = (2 * Math.PI * k) / radii.length;
      return [x + r * Math.cos(angle), y + r * Math.sin(angle)];
    }),
  );

/** Polygons, most not valid. */
export const anyPolygons: fc.Arbitrary<Shape> = fc
  .array(fc.array(fc.oneof(ring, star), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
  .map((polygons) => ({ points: [], lines: [], polygons }));

/** Rectangles on the lattice that may overlap: whatever is done with them, every vertex is a whole number. */
export const rectangles: fc.Arbitrary<Shape> = fc
  .array(fc.tuple(lattice, lattice, lattice, lattice), { minLength: 1, maxLength: 4 })
  .map((boxes) => ({
    points: [],
    lines: [],
    polygons: boxes.map(([x, y, width, height]): Ring[] => [
      [
        [x, y],
        [x + width, y],
        [x + width, y + height],
        [x, y + height],
      ],
    ]),
  }));

/** Simple polygons. */
export const starPolygon: fc.Arbitrary<Shape> = star.map((shell) => ({
  points: [],
  lines: [],
  polygons: [[shell]],
}));

export const anyLines: fc.Arbitrary<Shape> = fc
  .array(fc.array(position, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 })
  .map((lines) => ({ points: [], lines, polygons: [] }));

export const anyShape: fc.Arbitrary<Shape> = fc.record({
  points: fc.array(position, { maxLength: 3 }),
  lines: fc.oneof(
    fc.constant([]),
    fc.array(fc.array(position, { minLength: 1, maxLength: 5 }), { maxLength: 2 }),
  ),
  polygons: fc.oneof(
    fc.constant([]),
    fc.array(fc.array(fc.oneof(ring, star), { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
  ),
});

/** How to spoil a lattice: nudges of an ulp or so, huge or tiny sizes, far from the origin, sheared flat. */
export const spoiling: fc.Arbitrary<(x: number, y: number) => readonly [number, number]> = fc
  .record({
    nudge: fc.constantFrom(0, 2 ** -52, 2 ** -48, 1e-12, 1e-7),
    size: fc.constantFrom(1, 0.1, 1 / 3, 1e-9, 1e9, 1e-300, 1e300),
    offset: fc.constantFrom(0, 1, 1e6, 500000.3, 1e15),
    flat: fc.constantFrom(1, 1, 1e-3, 1e-9, 1e-15, 0),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  .map(({ nudge, size, offset, flat, seed }) => {
    let state = seed;
    const random = (): number => {
      state = (state * 16807) % 2147483647;
      return state / 2147483647 - 0.5;
    };
    return (x, y) => {
      const px = x + nudge * 10 * random();
      const py = flat * y + x / 3 + nudge * 10 * random();
      return [(px + offset) * size, (py + offset) * size];
    };
  });
