import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { writeFeatures } from "../../src/io/open.ts";
import { type Feature, tableFromGeoJson } from "../../src/model/geojson.ts";
import { random } from "../../src/testing/random.ts";
import { callJson, scratchFolder } from "../cli/call.ts";

const folder = scratchFolder("threads-vector");
const at = (...names: string[]): string => join(folder, ...names);

/** Stars, some of which cross themselves, on a square of 8 degrees. */
function stars(count: number, vertices: number, size: number, seed: number): Feature[] {
  const next = random(seed);
  return Array.from({ length: count }, (_, id) => {
    const [x, y] = [70 + 8 * next.next(), 20 + 8 * next.next()];
    const turns = id % 50 === 49 ? 2 : 1;
    const ring = Array.from({ length: vertices }, (_, k) => {
      const angle = (2 * Math.PI * turns * k) / vertices;
      const r = size * (0.4 + 0.6 * next.next());
      return [x + r * Math.cos(angle), y + r * Math.sin(angle)];
    });
    return {
      type: "Feature",
      id,
      properties: { id, kind: `k${id % 5}` },
      geometry: { type: "Polygon", coordinates: [[...ring, ring[0]!]] },
    };
  });
}

beforeAll(async () => {
  // Enough work for the threads to be started: they are not before 200 ms of it.
  await writeFeatures(at("many.fgb"), tableFromGeoJson(stars(40_000, 24, 0.03, 21)));
  await writeFeatures(at("zones.fgb"), tableFromGeoJson(stars(300, 200, 0.5, 22)));
});

describe("every number of workers writes the same bytes", () => {
  /** Checksum and counts of one output; the file has the same name in every folder, as layers are named after it. */
  async function output(workers: number, name: string, argv: readonly string[]) {
    mkdirSync(at(String(workers)), { recursive: true });
    const path = at(String(workers), name);
    const line = argv.map((word) => (word === "OUT" ? path : word));
    const { json, status } = await callJson([...line, "--workers", String(workers)]);
    const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
    return { status, sha256, summary: json.summary, warnings: json.warnings };
  }

  const overlap = ["--largest-overlap", "--overlap-column", "m2"];
  it.each([
    ["join", 0, ["join", at("many.fgb"), at("zones.fgb"), "OUT", "--prefix", "z_", ...overlap]],
    ["dominant", 0, ["dominant", at("zones.fgb"), at("many.fgb"), "OUT", "--class-field", "kind"]],
    // 1 as it found something to repair
    ["validate", 1, ["validate", at("many.fgb"), "--repair", "OUT"]],
  ])("%s", async (name, status, argv) => {
    const one = await output(1, `${name}.fgb`, argv);
    expect(one.status).toBe(status);
    expect(await output(2, `${name}.fgb`, argv)).toEqual(one);
  });
});
