import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeShared, shared } from "../helpers/shared.ts";
import { call, callJson, scratchFolder } from "./call.ts";

const folder = scratchFolder("join");
const file = (name: string): string => join(folder, name);

const POINTS = layer("points.geojson", [
  [
    { type: "Point", coordinates: [1, 1] },
    { name: "Asan", zone: "w", taken: "2024-02-01" },
  ],
  [
    { type: "Point", coordinates: [5, 1] },
    { name: "Bela", zone: "w", taken: "2024-06-01" },
  ],
  [
    { type: "Point", coordinates: [9, 9] },
    { name: "Chor", zone: "e", taken: "2024-06-01" },
  ],
  [null, { name: "Dih", zone: "w", taken: null }],
]);
const ZONES = layer("zones.geojson", [
  [square(0, 0, 4), { zone: "w", people: 40, since: "2024-01-01" }],
  [square(4, 0, 4), { zone: "e", people: 60, since: "2024-03-01" }],
]);

describe("tilth join", () => {
  it("joins two files and says what it counted", async () => {
    const out = file("pairs.geojson");
    const { status, json } = await callJson([
      "join",
      POINTS,
      ZONES,
      out,
      "--prefix",
      "z_",
      "--predicate",
      "within",
    ]);
    expect(status).toBe(0);
    expect(json.summary).toEqual({
      kind: "vector",
      featuresIn: 4,
      rightIn: 2,
      pairs: 2,
      matched: 2,
      unmatched: 2,
      rightMatched: 2,
      tied: 0,
      featuresOut: 2,
      leftNulls: 1,
      rightNulls: 0,
    });
    expect(properties(out)).toEqual([
      { name: "Asan", zone: "w", taken: "2024-02-01", z_zone: "w", z_people: 40, z_since: "2024-01-01" },
      { name: "Bela", zone: "w", taken: "2024-06-01", z_zone: "e", z_people: 60, z_since: "2024-03-01" },
    ]);
  });

  it("takes attributes that must be equal, a list of fields, and keeps features without a partner", async () => {
    const out = file("left.geojson");
    const argv = ["join", POINTS, ZONES, out, "--on", "zone=zone", "--how", "left", "--fields", "people"];
    expect((await call(argv)).status).toBe(0);
    expect(properties(out).map(({ people }) => people)).toEqual([40, null, null, null]);
  });

  it("joins by attributes alone", async () => {
    const out = file("attributes.csv");
    const argv = ["join", POINTS, ZONES, out, "--predicate", "none", "--on", "zone", "--fields", "people"];
    const { json } = await callJson(argv);
    expect(json.summary.pairs).toBe(4);
  });

  it("aggregates", async () => {
    const out = file("sums.geojson");
    expect((await call(["join", ZONES, POINTS, out, "--aggregate", "count,collect:name"])).status).toBe(0);
    expect(properties(out).map(({ count, name_collect }) => [count, name_collect])).toEqual([
      [1, ["Asan"]],
      [1, ["Bela"]],
    ]);
  });

  it("joins the closest in time, with the days between", async () => {
    const out = file("as-of.geojson");
    const argv = ["join", POINTS, ZONES, out, "--as-of", "taken=since", "--direction", "backward"];
    const { status } = await call([
      ...argv,
      "--max-difference",
      "40",
      "--fields",
      "people",
      "--difference-column",
      "days",
    ]);
    expect(status).toBe(0);
    expect(properties(out)).toEqual([{ name: "Asan", zone: "w", taken: "2024-02-01", people: 40, days: 31 }]);
  });

  it("joins the nearest, with the distance", async () => {
    const out = file("nearest.geojson");
    const argv = [
      "join",
      POINTS,
      ZONES,
      out,
      "--nearest",
      "--fields",
      "people",
      "--distance-column",
      "metres",
    ];
    expect((await call(argv)).status).toBe(0);
    const found = properties(out);
    expect(found.map(({ people }) => people)).toEqual([40, 60, 60]);
    expect(found[0]!["metres"]).toBe(0);
    expect(found[2]!["metres"]).toBeGreaterThan(150_000);
  });

  it("says what is wrong with the command line, and exits with 2", async () => {
    const wrong: [string[], RegExp][] = [
      [["--predicate", "inside"], /--predicate inside is not usable, expected intersects, within/],
      [["--on", "a=b=c"], /--on a=b=c is not usable, expected two columns/],
      [["--k", "3"], /--k needs --nearest/],
      [["--nearest", "--predicate", "within"], /--predicate does not go with --nearest/],
      [["--max-difference", "3"], /--max-difference needs --as-of/],
      [["--aggregate", "total:x"], /"total:x" is no aggregate/],
      [["--predicate", "dwithin"], /dwithin needs a distance/],
      [[], /two columns of the join would be called "zone"[\s\S]*--prefix/],
      [["--how", "outer"], /--how outer is not usable, expected inner, left, semi, anti/],
    ];
    for (const [options, message] of wrong) {
      const { status, err } = await call(["join", POINTS, ZONES, file("never.geojson"), ...options]);
      expect(err).toMatch(message);
      expect(status).toBe(2);
    }
  });

  it("exits with 3 when an input is not there", async () => {
    expect((await call(["join", POINTS, file("none.geojson"), file("never.geojson")])).status).toBe(3);
  });
});

describeShared("tilth join on real data", () => {
  it("finds 69 facilities of Tisri in its watersheds, and 261 habitations", async () => {
    const watersheds = shared("data/watersheds/giridih_tisri_mws.geojson");
    for (const [name, within] of [
      ["tisri_facilities.geojson", 69],
      ["tisri_habitations.csv", 261],
    ] as const) {
      const argv = ["join", shared("data/facilities", name), watersheds, file(`${name}.fgb`)];
      const { json } = await callJson([...argv, "--predicate", "within", "--how", "semi"]);
      expect(json.summary).toMatchObject({ featuresOut: within, rightIn: 60 });
    }
  });

  it("finds the 6,831 streams of Wake that meet a watershed", async () => {
    const argv = [
      "join",
      shared("data/drainage/wake_streams.shp"),
      shared("data/watersheds/wake_watersheds.gpkg"),
    ];
    const { json } = await callJson([...argv, file("streams.fgb"), "--how", "semi"]);
    expect(json.summary).toMatchObject({ featuresIn: 8294, featuresOut: 6831 });
  });
});

function square(x: number, y: number, size: number): object {
  const ring = [
    [x, y],
    [x + size, y],
    [x + size, y + size],
    [x, y + size],
    [x, y],
  ];
  return { type: "Polygon", coordinates: [ring] };
}

function layer(name: string, rows: readonly [geometry: object | null, properties: object][]): string {
  const features = rows.map(([geometry, attributes]) => ({
    type: "Feature",
    geometry,
    properties: attributes,
  }));
  writeFileSync(file(name), JSON.stringify({ type: "FeatureCollection", features }));
  return file(name);
}

function properties(path: string): Record<string, unknown>[] {
  const { features } = JSON.parse(readFileSync(path, "utf8")) as {
    features: { properties: Record<string, unknown> }[];
  };
  return features.map((one) => one.properties);
}
