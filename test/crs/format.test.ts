import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { toProjJson, toWkt1, toWkt2 } from "../../src/crs/format.ts";
import { parseCrs } from "../../src/crs/parse.ts";
import { allRecords } from "../../src/crs/table.ts";
import { transformer } from "../../src/crs/transformer.ts";
import type { Crs } from "../../src/model/crs.ts";

function hasGdal(): boolean {
  try {
    execFileSync("gdalsrsinfo", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Every 23rd system of the table that has a formula. */
const SAMPLE: readonly Crs[] = [...allRecords()]
  .filter(({ proj, deprecated }, k) => k % 23 === 0 && proj !== "" && !deprecated)
  .map(({ code }) => parseCrs(code));

describe("toWkt1", () => {
  it("writes what GDAL writes", () => {
    expect(toWkt1(parseCrs("EPSG:32645"))).toBe(
      'PROJCS["WGS 84 / UTM zone 45N",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",87],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH],AUTHORITY["EPSG","32645"]]',
    );
  });

  it("writes a .prj as Esri does", () => {
    expect(toWkt1(parseCrs("EPSG:32645"), { esri: true })).toBe(
      'PROJCS["WGS_1984_UTM_Zone_45N",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",87.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]',
    );
    expect(toWkt1(parseCrs("EPSG:4326"), { esri: true })).toBe(
      'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]',
    );
  });

  it("keeps what WKT 1 has no word for as a PROJ string", () => {
    const robinson = parseCrs("+proj=wag7 +R=6371000");
    const again = parseCrs(toWkt1(parseCrs("+proj=peirce_q +R=6371000")));
    expect(again.proj4).toContain("+proj=peirce_q");
    expect(parseCrs(toWkt1(robinson)).proj4).toContain("+proj=wag7");
  });

  it("says which projection Esri has no name for", () => {
    expect(() => toWkt1(parseCrs("EPSG:2048"), { esri: true })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED", message: expect.stringContaining("South Orientated") }),
    );
  });
});

describe("WKT 1, WKT 2 and PROJJSON", () => {
  it("lead back to the same code", () => {
    for (const crs of SAMPLE) {
      const three = crs.kind === "geographic" && /Ellipsoidal height/.test(toWkt2(crs));
      expect(parseCrs(toWkt2(crs)).code, `${crs.code} in WKT 2`).toBe(crs.code);
      expect(parseCrs(JSON.stringify(toProjJson(crs))).code, `${crs.code} in PROJJSON`).toBe(crs.code);
      // WKT 1 has no three dimensions but keeps the code.
      expect(parseCrs(toWkt1(crs)).code, `${crs.code} in WKT 1${three ? " (3D)" : ""}`).toBe(crs.code);
    }
  });

  it("keep the maths of a system without a code", () => {
    for (const known of SAMPLE) {
      if (known.kind !== "projected") continue;
      const custom: Crs = { ...known, code: null, name: "mine", definition: null };
      for (const text of [toWkt1(custom), toWkt2(custom), JSON.stringify(toProjJson(custom))]) {
        const again = parseCrs(text);
        const [west, south, east, north] = known.area ?? [0, 0, 10, 10];
        const xy = Float64Array.of((west + (east < west ? east + 360 : east)) / 2, (south + north) / 2);
        const other = xy.slice();
        const longlat = `+proj=longlat ${(known.proj4 ?? "").match(/\+(datum|ellps|a|b|rf|R|pm|nadgrids)=\S+/g)?.join(" ")}`;
        transformer(longlat, custom)(xy);
        transformer(longlat, again)(other);
        expect(other[0]! - xy[0]!, `${known.code}\n${text}`).toBeCloseTo(0, 3);
        expect(other[1]! - xy[1]!, `${known.code}\n${text}`).toBeCloseTo(0, 3);
      }
    }
  });

  it("carry a shift to WGS 84 along", () => {
    const crs = parseCrs(
      "+proj=utm +zone=43 +a=6377299.151 +rf=300.8017255 +towgs84=1,2,3,0.1,0.2,0.3,4 +units=m",
    );
    for (const text of [toWkt1(crs), toWkt2(crs), JSON.stringify(toProjJson(crs))])
      expect(parseCrs(text).proj4).toMatch(
        /\+towgs84=1,2,3,0\.1,0\.2,0\.3,(4|3\.99999999\d*|4\.00000000\d*) /,
      );
  });

  it("write axes in the authority's order", () => {
    expect(toWkt2(parseCrs("EPSG:4326"))).toMatch(/AXIS\["geodetic latitude.*AXIS\["geodetic longitude/i);
    expect(toWkt2(parseCrs("OGC:CRS84"))).toMatch(/AXIS\["geodetic longitude.*AXIS\["geodetic latitude/i);
  });

  it.runIf(hasGdal())("are understood by GDAL [skipped when gdalsrsinfo is not on PATH]", () => {
    for (const code of ["EPSG:32645", "EPSG:7755", "EPSG:3857", "EPSG:27700", "EPSG:2263", "EPSG:4326"]) {
      const crs = parseCrs(code);
      for (const text of [
        toWkt1(crs),
        toWkt2(crs),
        JSON.stringify(toProjJson(crs)),
        toWkt1(crs, { esri: true }),
      ]) {
        const found = execFileSync("gdalsrsinfo", ["-o", "epsg", "-e", text], { encoding: "utf8" });
        expect(found.trim(), text).toContain(code);
      }
    }
  });
});
