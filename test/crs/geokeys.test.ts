import { describe, expect, it } from "vitest";
import { crsFromGeoKeys, crsToGeoKeys, type GeoKeys } from "../../src/crs/geokeys.ts";
import { parseCrs } from "../../src/crs/parse.ts";
import { allRecords } from "../../src/crs/table.ts";
import type { Crs } from "../../src/model/crs.ts";

const keys = (...entries: [number, number | string | readonly number[]][]): GeoKeys => new Map(entries);

describe("crsFromGeoKeys", () => {
  it("reads a code", () => {
    expect(crsFromGeoKeys(keys([1024, 1], [3072, 32645], [3076, 9001]))?.code).toBe("EPSG:32645");
    expect(crsFromGeoKeys(keys([1024, 2], [2048, 4326]))?.code).toBe("EPSG:4326");
    expect(crsFromGeoKeys(keys([1024, 3], [2048, 4978]))?.code).toBe("EPSG:4978");
  });

  it("lets a linear unit override that of the code", () => {
    const crs = crsFromGeoKeys(keys([1024, 1], [3072, 32645], [3076, 9003]));
    expect(crs).toMatchObject({ code: null, unit: { name: "US survey foot" } });
    expect(crs?.proj4).toContain("+units=us-ft");
  });

  it("reads a user-defined projection on a known system", () => {
    const crs = crsFromGeoKeys(
      keys(
        [1024, 1],
        [1026, "mine"],
        [2048, 4326],
        [2054, 9102],
        [3072, 32767],
        [3074, 32767],
        [3075, 11],
        [3076, 9001],
        [3078, [12]],
        [3079, [28]],
        [3080, [78]],
        [3081, [20]],
        [3082, [0]],
        [3083, [0]],
      ),
    );
    expect(crs).toMatchObject({
      code: null,
      name: "mine",
      proj4: "+proj=aea +lat_0=20 +lon_0=78 +lat_1=12 +lat_2=28 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs",
    });
  });

  it("reads a UTM zone on an unknown datum without guessing the datum", () => {
    const crs = crsFromGeoKeys(
      keys(
        [1024, 1],
        [1026, "UTM Zone 18, Northern Hemisphere"],
        [2048, 32767],
        [2049, "GCS Name = unknown|Datum = Not_specified|Primem = Greenwich"],
        [2050, 32767],
        [2056, 7030],
        [3072, 32767],
        [3074, 16018],
        [3076, 9001],
      ),
    );
    expect(crs).toMatchObject({
      code: null,
      name: "UTM Zone 18, Northern Hemisphere",
      proj4: "+proj=utm +zone=18 +ellps=WGS84 +units=m +no_defs",
    });
  });

  it("finds the same parameters wherever a writer puts them", () => {
    const base: [number, number | readonly number[]][] = [
      [1024, 1],
      [2048, 4267],
      [3072, 32767],
      [3074, 32767],
      [3075, 8],
      [3076, 9003],
      [3078, [30]],
      [3079, [33]],
    ];
    const asOrigin = crsFromGeoKeys(
      keys(...base, [3080, [-90]], [3081, [28]], [3082, [2000000]], [3083, [0]]),
    );
    const asFalseOrigin = crsFromGeoKeys(
      keys(...base, [3084, [-90]], [3085, [28]], [3086, [2000000]], [3087, [0]]),
    );
    expect(asOrigin?.proj4).toBe(asFalseOrigin?.proj4);
    expect(asOrigin?.proj4).toContain("+x_0=609601.219202438");
  });

  it("reads WKT in a citation", () => {
    const crs = crsFromGeoKeys(
      keys(
        [1024, 32767],
        [2048, 4326],
        [
          3073,
          'ESRI PE String = PROJCS["World_Mollweide",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Mollweide"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",0.0],UNIT["Meter",1.0]]',
        ],
      ),
    );
    expect(crs?.code).toBe("ESRI:54009");
  });

  it("joins a vertical system to the horizontal one", () => {
    expect(crsFromGeoKeys(keys([1024, 2], [2048, 4326], [4096, 3855]))?.code).toBe("EPSG:9518");
    expect(crsFromGeoKeys(keys([1024, 2], [2048, 4326], [4096, 4979]))?.code).toBe("EPSG:4979");
    expect(crsFromGeoKeys(keys([1024, 1], [3072, 32645], [4096, 5773], [4099, 9001]))).toMatchObject({
      code: null,
      kind: "compound",
      name: "WGS 84 / UTM zone 45N + EGM96 height",
    });
  });

  it("says nothing where the keys say nothing", () => {
    expect(crsFromGeoKeys(new Map())).toBeNull();
    expect(crsFromGeoKeys(keys([1024, 1], [3072, 32767]))).toBeNull();
    expect(crsFromGeoKeys(keys([1024, 2], [2048, 32767]))).toBeNull();
    expect(crsFromGeoKeys(keys([1024, 2], [2048, 32767], [2057, [-1]], [2059, [Number.NaN]]))).toBeNull();
    expect(crsFromGeoKeys(keys([1024, 1], [2048, 4326], [3072, 32767], [3075, 9999]))).toBeNull();
    expect(crsFromGeoKeys(keys([1024, 32767], [3073, "ESRI PE String = PROJCS["]))).toBeNull();
  });
});

describe("crsToGeoKeys", () => {
  it("writes what GDAL writes for a code", () => {
    expect([...crsToGeoKeys(parseCrs("EPSG:32643"))]).toEqual([
      [1024, 1],
      [1026, "WGS 84 / UTM zone 43N"],
      [2049, "WGS 84"],
      [2054, 9102],
      [3072, 32643],
      [3076, 9001],
    ]);
    expect([...crsToGeoKeys(parseCrs("OGC:CRS84"))]).toEqual([
      [1024, 2],
      [2048, 4326],
      [2049, "WGS 84"],
      [2054, 9102],
      [2057, [6378137]],
      [2059, [298.257223563]],
    ]);
  });

  it("leads back to the same code for every EPSG system that fits a key", () => {
    const lost: string[] = [];
    for (const { code, kind } of allRecords()) {
      if (!code.startsWith("EPSG:") || kind === "v" || Number(code.slice(5)) % 5 !== 0) continue;
      const again = crsFromGeoKeys(crsToGeoKeys(parseCrs(code)));
      if (again?.code !== code) lost.push(code);
    }
    expect(lost).toEqual([]);
  });

  it("keeps the formula of every projected system without its code", () => {
    const lost: string[] = [];
    for (const { code, kind, proj } of allRecords()) {
      if (!code.startsWith("EPSG:") || kind !== "p" || proj === "" || Number(code.slice(5)) % 5 !== 0)
        continue;
      const custom: Crs = { ...parseCrs(code), code: null, definition: null };
      const again = crsFromGeoKeys(crsToGeoKeys(custom));
      if (again?.proj4?.replace(" +wktext", "") !== custom.proj4)
        lost.push(`${code}: ${again?.proj4} for ${custom.proj4}`);
    }
    expect(lost).toEqual([]);
  });

  it("writes ASCII only, and no bar that would end the text", () => {
    const name = crsToGeoKeys({ ...parseCrs("+proj=utm +zone=43 +ellps=bessel"), name: "Zürich | 43" }).get(
      1026,
    );
    expect(name).toBe("Z?rich / 43");
  });
});
