import { describe, expect, test } from "vitest";
import { fullWindow } from "../../src/model/grid.ts";
import type { RasterSource } from "../../src/model/raster.ts";
import { composite } from "../../src/operators/composite.ts";
import { memoryRaster } from "../../src/operators/memory-raster.ts";
import { openStack, type SceneInput } from "../../src/operators/stack.ts";

function raster(
  value: number,
  x = 0,
  cell = 10,
  bands: readonly string[] = [""],
  url = "memory",
): RasterSource {
  return memoryRaster(
    { width: 3, height: 2, transform: [cell, 0, x, 0, -cell, 20], crs: null },
    bands.map((description) => ({ type: "int16", nodata: -1, description })),
    bands.map((_, k) => new Int16Array(6).fill(value + k)),
    { url },
  );
}

describe("scenes", () => {
  test("are put in order of time; those of one instant stay as given", async () => {
    const stack = await openStack([
      { date: "2020-03-01", id: "c", source: raster(1) },
      { date: "2020-01-01", id: "a", source: raster(1) },
      { date: new Date("2020-03-01"), id: "d", source: raster(1) },
      { date: Date.UTC(2020, 1, 1), id: "b", source: raster(1) },
    ]);
    expect(stack.scenes.map(({ id, index }) => [id, index])).toEqual([
      ["a", 1],
      ["b", 3],
      ["c", 0],
      ["d", 2],
    ]);
  });

  test("of one instant go by rule", async () => {
    const twice = ["a", "b"].map((id) => ({ date: "2020-01-01", id, source: raster(1) }));
    const ids = async (duplicates: "first" | "last" | "keep") =>
      (await openStack(twice, { duplicates })).scenes.map(({ id }) => id);
    expect(await ids("keep")).toEqual(["a", "b"]);
    expect(await ids("first")).toEqual(["a"]);
    expect(await ids("last")).toEqual(["b"]);
    await expect(openStack(twice, { duplicates: "error" })).rejects.toThrow("a and b are both of 2020-01-01");
  });

  test("without a date that exists are an error that names them", async () => {
    await expect(openStack([{ date: "2020-02-30", id: "s1", source: raster(1) }])).rejects.toThrow(
      /s1.*2020-02-30/,
    );
    await expect(openStack([{ date: Number.NaN, id: "s1", source: raster(1) }])).rejects.toThrow(/s1/);
  });
});

describe("bands", () => {
  test("are found by name in any order, by number, and by place when they have no names in common", async () => {
    const scenes = [
      { date: 0, source: raster(1, 0, 10, ["red", "nir"]) },
      { date: 1, source: raster(5, 0, 10, ["nir", "red"]) },
    ];
    const stack = await openStack(scenes, { bands: ["nir"] });
    expect(stack.scenes.map(({ bands }) => bands[0]!.band)).toEqual([1, 0]);
    const second = await openStack(scenes, { bands: ["b2"] });
    expect(second.scenes.map(({ bands }) => bands[0]!.band)).toEqual([1, 1]);
    const dated = await openStack([
      { date: 0, source: raster(1, 0, 10, ["2020-01-01"]) },
      { date: 1, source: raster(5, 0, 10, ["2020-01-02"]) },
    ]);
    expect(dated.scenes).toHaveLength(2);
  });

  test("that a scene has not are an error that names it", async () => {
    const scenes: SceneInput[] = [
      { date: 0, bands: { red: raster(1) } },
      { date: 1, id: "odd", bands: { green: raster(5) } },
    ];
    await expect(openStack(scenes)).rejects.toThrow("scene odd has green, expected red");
    await expect(openStack([{ date: 0 }])).rejects.toThrow(/no bands/);
    await expect(openStack([{ date: 0, source: raster(1), bands: { red: raster(1) } }])).rejects.toThrow(
      /both/,
    );
    await expect(openStack([{ date: 0, bands: { red: { source: raster(1), band: 4 } } }])).rejects.toThrow(
      /no band 5/,
    );
  });
});

describe("grids", () => {
  test("that share cell edges are laid over each other; what a scene does not cover is missing", async () => {
    const [one] = await composite(
      [
        { date: 0, source: raster(1) },
        { date: 1, source: raster(2, 20) },
        { date: 2, source: raster(9, -20) },
      ],
      { method: "last" },
    );
    const { bands } = await one!.source.read(fullWindow(one!.source.grid));
    expect([...(bands[0] as Int16Array)]).toEqual([9, 1, 2, 9, 1, 2]);
  });

  test("of other cells are an error with a hint, or are brought over", async () => {
    const scenes = [
      { date: 0, source: raster(1) },
      { date: 1, id: "coarse", source: raster(2, 0, 20, [""], "coarse.tif") },
    ];
    const error: unknown = await openStack(scenes).catch((one: unknown) => one);
    expect(error).toMatchObject({
      code: "GRID_MISMATCH",
      message: expect.stringMatching(/coarse\.tif.*20 x -20.*10 x -10/),
    });
    expect((error as { hint: string }).hint).toMatch(/warp/);
    const [one] = await composite(await openStack(scenes, { resampling: "near" }), { method: "last" });
    const { bands } = await one!.source.read(fullWindow(one!.source.grid));
    expect([...(bands[0] as Int16Array)]).toEqual([2, 2, 2, 2, 2, 2]);
  });

  test("that do not meet leave their scene out with a warning; when none meets there is no stack", async () => {
    const far = { date: 1, id: "far", source: raster(2, 3000) };
    const stack = await openStack([{ date: 0, source: raster(1) }, far]);
    expect(stack.scenes).toHaveLength(1);
    expect(stack.warnings).toEqual(["far does not meet the grid of the stack and was left out"]);
    await expect(openStack([far], { grid: raster(1).grid })).rejects.toMatchObject({ code: "NO_OVERLAP" });
  });
});
