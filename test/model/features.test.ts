import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Column,
  ColumnBuilder,
  concatTables,
  type FeatureTable,
  rowAt,
  selectBatch,
  tableSource,
  takeRows,
  valueAt,
} from "../../src/model/features.ts";
import { POINT } from "../../src/model/geometry.ts";
import { GeometryBuilder } from "../../src/model/geometry-builder.ts";

function column(type: Column["type"], values: unknown[]): Column {
  const builder = new ColumnBuilder({ name: type, type, nullable: true });
  for (const value of values) builder.push(value as never);
  return builder.finish();
}

function points(xs: number[], columns: Column[] = []): FeatureTable {
  const builder = new GeometryBuilder();
  for (const x of xs) {
    builder.begin(POINT);
    builder.part();
    builder.vertex(x, x);
    builder.end();
  }
  return { count: xs.length, geometry: builder.finish(), columns, ids: null, firstRow: 0, crs: null };
}

describe("columns", () => {
  it("give back what was put in, by type, with nulls", () => {
    const date = new Date("2020-02-29T12:34:56.789Z");
    const cases: [Column["type"], unknown[]][] = [
      ["int32", [1, null, -5]],
      ["int64", [2 ** 40, null, 2n ** 62n]],
      ["float64", [0.1, null, -0]],
      ["boolean", [true, null, false]],
      ["string", ["", null, "नदी", "a long text with more than twenty-four letters, ü"]],
      ["datetime", [date, null]],
      ["json", [{ a: [1, null] }, null, "x"]],
      ["binary", [Uint8Array.of(1, 2), null]],
    ];
    for (const [type, values] of cases) {
      const built = column(type, values);
      expect(values.map((_, i) => valueAt(built, i))).toEqual(values);
    }
  });

  it("have no validity array without nulls", () => {
    expect(column("int32", [1, 2]).valid).toBeNull();
  });

  it("refuse a number that an int32 cannot hold", () => {
    expect(() => column("int32", [2 ** 31])).toThrow(TypeError);
    expect(() => column("int32", [1.5])).toThrow(TypeError);
  });

  it("keep any text", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.string({ unit: "grapheme" }), { nil: null })), (texts) => {
        const built = column("string", texts);
        expect(texts.map((_, i) => valueAt(built, i))).toEqual(texts);
      }),
    );
  });
});

describe("tables", () => {
  const table: FeatureTable = {
    ...points([1, 2, 3], [column("string", ["a", null, "c"])]),
    ids: [10, "x", null],
  };

  it("take rows with their geometry, cells and ids", () => {
    const taken = takeRows(table, [2, 0, 2]);
    expect([...taken.geometry!.xy]).toEqual([3, 3, 1, 1, 3, 3]);
    expect([0, 1, 2].map((i) => rowAt(taken, i))).toEqual([
      { string: "c" },
      { string: "a" },
      { string: "c" },
    ]);
    expect(taken.ids).toEqual([null, 10, null]);
  });

  it("join batches into one", () => {
    const { schema } = tableSource(table);
    const whole = concatTables([takeRows(table, [0]), takeRows(table, [1, 2])], schema);
    expect(takeRows(whole, [0, 1, 2])).toEqual(takeRows(table, [0, 1, 2]));
    expect(concatTables([], schema)).toMatchObject({ count: 0 });
  });

  it("refuse batches with different columns", () => {
    const other = points([4], [column("int32", [1])]);
    expect(() => concatTables([table, other], tableSource(table).schema)).toThrow(/differ in column/);
  });

  it("select by bounds, touching included, and by field", () => {
    const selected = selectBatch(table, { bounds: [2, 2, 9, 9], fields: [] });
    expect([selected.count, selected.columns.length]).toEqual([2, 0]);
  });
});
