import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applySettings, readConfig, resolveFrom, settingsFromHere } from "../../src/jobs/config.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tilth-config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe("readConfig", () => {
  it("reads JSON and YAML to the same object", async () => {
    const json = await readConfig(file("a.json", '{"area": {"project": "p", "id": "1"}, "units": "u.fgb"}'));
    const yaml = await readConfig(file("a.yaml", "area:\n  project: p\n  id: '1'\nunits: u.fgb\n"));
    expect(json.values).toEqual(yaml.values);
    expect(json.folder).toBe(folder);
  });

  it.each([
    ["broken.json", "{", /broken\.json is not JSON/],
    ["list.json", "[1]", /holds no object/],
    ["broken.yaml", "a: [1", /broken\.yaml is not YAML/],
  ])("refuses %s by name", async (name, text, message) => {
    await expect(readConfig(file(name, text))).rejects.toThrow(message);
  });

  it("refuses a billion laughs", async () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 9; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      );
    await expect(readConfig(file("bomb.yaml", lines.join("\n")))).rejects.toMatchObject({
      code: "INVALID_FORMAT",
    });
  });

  it("says when there is no such file", async () => {
    await expect(readConfig(join(folder, "none.json"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("applySettings", () => {
  it("puts values over a configuration, also inside objects, without touching the original", () => {
    const config = { keep: "whole", area: { district: "x" } };
    expect(applySettings(config, ["keep=cut", "area.block=Tisri 1", "n=3", 'list=["a"]'])).toEqual({
      keep: "cut",
      area: { district: "x", block: "Tisri 1" },
      n: 3,
      list: ["a"],
    });
    expect(config).toEqual({ keep: "whole", area: { district: "x" } });
  });

  it("refuses what is not key=value and keys that reach the prototype", () => {
    expect(() => applySettings({}, ["keep"])).toThrow(/not key=value/);
    expect(() => applySettings({}, ["__proto__.polluted=1"])).toThrow(/cannot be set/);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

it("counts relative paths from the folder of the configuration", () => {
  expect(resolveFrom("/a/b", "../c.tif")).toBe("/a/c.tif");
  expect(resolveFrom("/a/b", "/d.tif")).toBe("/d.tif");
  expect(resolveFrom("/a/b", "https://example.org/x.tif")).toBe("https://example.org/x.tif");
});

describe("settingsFromHere", () => {
  it("writes paths of inputs so that they count from the current folder", () => {
    const folder = join("configs", "deep");
    expect(
      settingsFromHere(
        [
          "units=a.gpkg",
          "units.path=b.gpkg",
          "rasters.2019=c.tif",
          'rasters=["d.tif",{"path":"e.tif","label":"x"}]',
        ],
        ["units", "rasters"],
        folder,
      ),
    ).toEqual([
      "units=../../a.gpkg",
      "units.path=../../b.gpkg",
      "rasters.2019=../../c.tif",
      'rasters=["../../d.tif",{"path":"../../e.tif","label":"x"}]',
    ]);
  });

  it("leaves alone addresses, absolute paths, names of layers and what is no input", () => {
    const settings = [
      "units=/data/a.gpkg",
      "units=https://example.org/a.fgb",
      "units.layer=villages",
      'units={"path":"/a.gpkg","layer":"villages"}',
      "keep=whole",
      "n=5",
    ];
    expect(settingsFromHere(settings, ["units"], "configs")).toEqual(settings);
  });
});
