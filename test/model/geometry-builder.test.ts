import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  GEOMETRY_COLLECTION,
  LINE_STRING,
  MULTI_POINT,
  POINT,
  POLYGON,
  rowBounds,
} from "../../src/model/geometry.ts";
import { GeometryBuilder } from "../../src/model/geometry-builder.ts";

describe("GeometryBuilder", () => {
  it("lays points, lines, polygons with holes, nulls and empties in one three-level layout", () => {
    const builder = new GeometryBuilder();
    builder.begin(POINT);
    builder.part();
    builder.vertex(1, 2);
    builder.end();
    builder.null();
    builder.begin(POLYGON);
    builder.part();
    for (const size of [10, 2]) {
      builder.ring();
      for (const [x, y] of [
        [0, 0],
        [size, 0],
        [size, size],
        [0, 0],
      ] as const)
        builder.vertex(x, y);
    }
    builder.end();
    builder.begin(LINE_STRING);
    builder.end();
    const column = builder.finish();
    expect([...column.types]).toEqual([1, 0, 3, 2]);
    expect([...column.geometries]).toEqual([0, 1, 1, 2, 2]);
    expect([...column.parts]).toEqual([0, 1, 3]);
    expect([...column.rings]).toEqual([0, 1, 5, 9]);
    expect(column.xy.length).toBe(18);
    expect([column.z, column.m, column.collections]).toEqual([null, null, null]);
    expect([...rowBounds(column).subarray(8, 12)]).toEqual([0, 0, 10, 10]);
    expect([...rowBounds(column).subarray(4, 8)]).toEqual([Infinity, Infinity, -Infinity, -Infinity]);
  });

  it("keeps heights of rows that have them and NaN for the others", () => {
    const builder = new GeometryBuilder();
    for (const z of [Number.NaN, 7]) {
      builder.begin(POINT);
      builder.part();
      builder.vertex(0, 0, z);
      builder.end();
    }
    expect([...builder.finish().z!]).toEqual([Number.NaN, 7]);
  });

  it("remembers the members of collections, also when rows came before", () => {
    const builder = new GeometryBuilder();
    builder.null();
    builder.begin(GEOMETRY_COLLECTION);
    builder.member(MULTI_POINT);
    for (const x of [1, 2]) {
      builder.part();
      builder.vertex(x, x);
    }
    builder.member(LINE_STRING);
    builder.part();
    builder.vertex(0, 0);
    builder.vertex(1, 1);
    builder.end();
    builder.null();
    const { collections } = builder.finish();
    expect([...collections!.rows]).toEqual([0, 0, 2, 2]);
    expect([...collections!.types]).toEqual([4, 2]);
    expect([...collections!.members]).toEqual([0, 2, 3]);
  });

  it("copies any rows bit for bit", () => {
    const vertex = fc.record({ x: fc.double(), y: fc.double(), z: fc.option(fc.double({ noNaN: true })) });
    const shape = fc.array(fc.array(fc.array(vertex, { maxLength: 5 }), { maxLength: 3 }), { maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(3, 6, 7), shape), { maxLength: 20 }), (rows) => {
        const first = new GeometryBuilder();
        for (const [type, parts] of rows) {
          first.begin(type as 3 | 6 | 7);
          for (const rings of parts) {
            if (type === 7) first.member(3);
            first.part();
            for (const ring of rings) {
              first.ring();
              for (const { x, y, z } of ring) first.vertex(x, y, z ?? Number.NaN);
            }
          }
          first.end();
        }
        const column = first.finish();
        const second = new GeometryBuilder();
        for (let i = 0; i < rows.length; i++) second.copy(column, i);
        expect(second.finish()).toEqual(column);
      }),
    );
  });
});
