import { readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, it } from "vitest";
import { describeShared, SHARED, shared } from "../helpers/shared.ts";
import { callJson, scratchFolder } from "./call.ts";

const folder = scratchFolder("nasty");
const MOST_MS = 5000;
const LAYERS = ["geojson", "geojsonl", "fgb", "gpkg", "parquet", "csv", "shp", "shp.zip"];

/** Files that are no document of their own: parts of Shapefiles, lists of expectations, schemas. */
const NOT_INPUTS = /(\.(shx|prj|cpg|qpj|sbn|sbx)|README\.md|expected\.json|\.csvt)$|\/schema\//i;

function filesOf(...path: string[]): string[] {
  const root = shared(...path);
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((name) => join(root, name))
    .filter((name) => statSync(name).isFile() && !NOT_INPUTS.test(name))
    .sort();
}

/**
 * A result or an error that names the file and says what to do; never a fault of ours, never long. Time is measured
 * on whatever machine this runs on; a second try decides when it was busy elsewhere.
 */
async function behaves(argv: readonly string[], names: readonly string[]): Promise<string> {
  let result = await callJson(argv);
  if (result.elapsedMs > MOST_MS) result = await callJson(argv);
  const { status, json, err, elapsedMs } = result;
  const where = `tilth ${argv.map((one) => relative(SHARED, one)).join(" ")}`;
  expect(elapsedMs, where).toBeLessThan(MOST_MS);
  expect([0, 1, 3], `${where}: ${json.error?.message}`).toContain(status);
  expect(err, where).toBe("");
  if (json.ok) return "";
  expect(json.error?.code, `${where}: ${json.error?.message}`).not.toBe("INTERNAL");
  expect(
    names.some((name) => json.error?.message.includes(name)),
    `${where}: ${json.error?.message}`,
  ).toBe(true);
  expect(json.error?.hint, `${where}: ${json.error?.message}`).toBeTruthy();
  return json.error!.code;
}

describeShared("corner cases of formats", () => {
  it.each([
    ["rasters that GDAL is tested with", ["data", "nasty", "tiff"], 230],
    ["rasters made for this project, damaged ones among them", ["conformance", "geotiff", "files"], 200],
  ])("give a result or a clear error: %s", { timeout: 120_000 }, async (_, path, least) => {
    const files = filesOf(...path);
    expect(files.length).toBeGreaterThanOrEqual(least);
    const refused: string[] = [];
    for (const file of files) {
      const out = join(folder, "out.tif");
      if ((await behaves(["info", file, "--stats"], [file])) !== "") refused.push(relative(SHARED, file));
      await behaves(["convert", file, out, "--overwrite"], [file, out]);
    }
    // damaged, or of a compression that is not read: a change either way is worth a look
    expect(refused.length / files.length).toBeLessThan(0.2);
  });

  it.each([
    ["layers that GDAL is tested with", ["data", "nasty", "vector"], 90],
    ["layers made for this project", ["conformance", "formats"], 100],
  ])(
    "give a result or a clear error in every output format: %s",
    { timeout: 120_000 },
    async (_, path, least) => {
      const files = filesOf(...path);
      expect(files.length).toBeGreaterThanOrEqual(least);
      for (const [k, file] of files.entries()) {
        const refused = await behaves(["info", file, "--stats"], [file]);
        // Every file meets three of the formats, every format meets three eighths of the files.
        for (let step = 0; step < 3 && refused === ""; step++) {
          const out = join(folder, `out.${LAYERS[(k + step * 3) % LAYERS.length]}`);
          await behaves(["convert", file, out, "--overwrite"], [file, out]);
        }
        await behaves(["validate", file], [file]);
      }
    },
  );

  it("refuses an image of another format by its content", async () => {
    const file = shared("data", "nasty", "jp2_not_tiff.tif");
    expect(await behaves(["info", file], [file])).toBe("INVALID_FORMAT");
  });

  it("refuses every damaged raster that promises more than it holds without reading far", async () => {
    for (const name of [
      "bad_empty",
      "bad_ifd_offset",
      "bad_ifd_zero",
      "bad_truncated_header",
      "bad_version",
      "bad_zero_width",
    ]) {
      const file = shared("conformance", "geotiff", "files", `${name}.tif`);
      expect(await behaves(["info", file], [file]), name).toBe("INVALID_FORMAT");
    }
  });
});
