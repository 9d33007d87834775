import { expect, test } from "vitest";

/** What other people's code may name. A change here is a change for them: say it in CHANGELOG.md. */
const ENTRY_POINTS = {
  tilth: () => import("../src/index.ts"),
  "tilth/geometry": () => import("../src/geometry.ts"),
  "tilth/testing": () => import("../src/testing/index.ts"),
} as const;

test.each(Object.entries(ENTRY_POINTS))("%s exports these names", async (name, load) => {
  const names = Object.keys(await load()).sort();
  await expect(`${names.join("\n")}\n`).toMatchFileSnapshot(
    `fixtures/public-api/${name.replaceAll("/", "-")}.txt`,
  );
});

test("the names of the contract that this version has are functions", async () => {
  const tilth: Record<string, unknown> = await import("../src/index.ts");
  for (const name of [
    "openRaster",
    "openFeatures",
    "readFeatures",
    "writeRaster",
    "writeFeatures",
    "clipFeatures",
    "clipRaster",
    "dominantClass",
    "rasterize",
    "transformer",
    "definePipeline",
    "runPipeline",
  ]) {
    expect(tilth[name], name).toBeTypeOf("function");
  }
});

test("what the command line does is one call of the library", async () => {
  const tilth: Record<string, unknown> = await import("../src/index.ts");
  const calls = {
    info: "describeFile",
    convert: "convertFile",
    validate: "validateFile",
    clip: "clipFile",
    dominant: "dominantFile",
    pipelines: "describePipeline",
    run: "runPipeline",
  };
  for (const [command, name] of Object.entries(calls)) expect(tilth[name], command).toBeTypeOf("function");
});
