import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crsFromEpsg, parseCrs } from "../../src/crs/parse.ts";
import { transformer } from "../../src/crs/transformer.ts";
import { isGeoError } from "../../src/model/errors.ts";
import { describeShared, shared } from "../helpers/shared.ts";

const UTM_45N = `PROJCS["WGS_1984_UTM_Zone_45N",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",87.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]`;

describe("parseCrs", () => {
  it.each([
    ["EPSG:32645", "EPSG:32645"],
    ["epsg:32645", "EPSG:32645"],
    ["urn:ogc:def:crs:EPSG::32645", "EPSG:32645"],
    ["urn:ogc:def:crs:EPSG:10.076:32645", "EPSG:32645"],
    ["http://www.opengis.net/def/crs/EPSG/0/32645", "EPSG:32645"],
    ["http://www.opengis.net/gml/srs/epsg.xml#32645", "EPSG:32645"],
    ["WGS 84 / UTM zone 45N", "EPSG:32645"],
    ["wgs 84 / utm zone 45n", "EPSG:32645"],
    ["WGS_1984_UTM_Zone_45N", "EPSG:32645"],
    ["+proj=utm +zone=45 +datum=WGS84 +units=m +no_defs", "EPSG:32645"],
    ["+init=epsg:32645", "EPSG:32645"],
    ["OGC:CRS84", "OGC:CRS84"],
    ["urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84"],
    ["http://www.opengis.net/def/crs/OGC/1.3/CRS84", "OGC:CRS84"],
    ["WGS84", "EPSG:4326"],
    ["ESRI:54009", "ESRI:54009"],
    ["World_Mollweide", "ESRI:54009"],
    ["EPSG:9518", "EPSG:9518"],
    ["EPSG:4326+3855", "EPSG:9518"],
    [UTM_45N, "EPSG:32645"],
    [`\uFEFF${UTM_45N}\n`, "EPSG:32645"],
    [UTM_45N.replace("WGS_1984_UTM_Zone_45N", "My grid"), "EPSG:32645"],
    [UTM_45N.replaceAll("[", "(").replaceAll("]", ")"), "EPSG:32645"],
  ])("reads %s", (text, code) => {
    expect(parseCrs(text).code).toBe(code);
  });

  it("does not trust a name when the parameters say otherwise", () => {
    const crs = parseCrs(UTM_45N.replace('"Central_Meridian",87.0', '"Central_Meridian",88.5'));
    expect(crs).toMatchObject({
      code: null,
      name: "WGS_1984_UTM_Zone_45N",
      proj4: "+proj=tmerc +lat_0=0 +lon_0=88.5 +k=0.9996 +x_0=500000 +y_0=0 +datum=WGS84 +units=m +no_defs",
    });
  });

  it("does not trust a code when the parameters say otherwise", () => {
    const wkt = UTM_45N.replace('"Scale_Factor",0.9996', '"Scale_Factor",1').replace(
      /\]$/,
      ',AUTHORITY["EPSG","32645"]]',
    );
    expect(parseCrs(wkt).code).toBeNull();
  });

  it("tells axis order, unit and area of use apart from the maths, which is always x, y", () => {
    expect(parseCrs("EPSG:4326")).toMatchObject({ axisOrder: "yx", unit: { name: "degree", factor: 1 } });
    expect(parseCrs("OGC:CRS84").axisOrder).toBe("xy");
    expect(parseCrs("EPSG:32645")).toMatchObject({ axisOrder: "xy", area: [84, 0, 90, 84] });
    expect(parseCrs("EPSG:31467").axisOrder).toBe("yx");
    expect(parseCrs("EPSG:3031").axisOrder).toBe("xy");
    expect(parseCrs("EPSG:2263").unit).toMatchObject({ name: "US survey foot", kind: "length" });
    expect(parseCrs("EPSG:2263").unit.factor).toBeCloseTo(1200 / 3937, 15);
    expect(parseCrs("EPSG:4807").unit).toMatchObject({ name: "grad", factor: 0.9 });
    expect(parseCrs("EPSG:4978").kind).toBe("geocentric");
    expect(parseCrs("EPSG:5773")).toMatchObject({ kind: "vertical", proj4: null });
  });

  it("keeps the shift that a definition brings", () => {
    const wkt =
      'GEOGCS["mine",DATUM["mine",SPHEROID["Bessel 1841",6377397.155,299.1528128],TOWGS84[1,2,3]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]';
    expect(parseCrs(wkt).proj4).toBe("+proj=longlat +ellps=bessel +towgs84=1,2,3,0,0,0,0 +no_defs");
  });

  it("knows a datum by its name when the system has none", () => {
    const wkt = UTM_45N.replace('"WGS_1984_UTM_Zone_45N"', '"unnamed"')
      .replace("GCS_WGS_1984", "GCS_unnamed")
      .replace("D_WGS_1984", "D_Kalianpur_1975")
      .replace('"WGS_1984",6378137.0,298.257223563', '"Everest_1975",6377299.151,300.8017255');
    const crs = parseCrs(wkt);
    const [x, y] = [Float64Array.of(87, 22), Float64Array.of(87, 22)];
    transformer("EPSG:4326", crs)(x);
    transformer("EPSG:4326", "EPSG:24345")(y);
    expect(crs.code).toBeNull();
    expect([...x]).toEqual([...y]);
  });

  it("reads a local system and says that it cannot be computed", () => {
    const crs = parseCrs('LOCAL_CS["site grid",UNIT["metre",1]]');
    expect(crs).toMatchObject({ kind: "engineering", code: null, proj4: null, name: "site grid" });
    expect(() => transformer(crs, "EPSG:4326")).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
  });

  it.each([
    "",
    "EPSG:99999999",
    "no such system",
    'GEOGCS["open"',
    'GEOGCS["a]',
    "{}",
    '{"type":"ProjectedCRS","name":"x"}',
    "{",
    "+proj=utm +zone=45 +units=parsec",
    "+proj=longlat +ellps=nobody",
    "GEOGCS[".repeat(3000),
    `GEOGCS["${"x".repeat(999_000)}"]`,
    "[".repeat(100_000),
  ])("refuses %.40s with CRS_UNKNOWN", (text) => {
    expect(() => parseCrs(text)).toThrow(expect.objectContaining({ code: "CRS_UNKNOWN" }));
  });

  it("gives a system or a GeoError for whatever is done to a definition", () => {
    const edit = fc.tuple(fc.nat({ max: UTM_45N.length }), fc.nat({ max: 30 }), fc.string({ maxLength: 8 }));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let text = UTM_45N;
        for (const [at, cut, insert] of edits) text = text.slice(0, at) + insert + text.slice(at + cut);
        try {
          const { proj4 } = parseCrs(text);
          if (proj4 !== null) transformer(text, "EPSG:4326")(Float64Array.of(500000, 2e6));
        } catch (error) {
          if (!isGeoError(error)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("crsFromEpsg", () => {
  it("finds a code and says when there is none", () => {
    expect(crsFromEpsg(7755)?.name).toBe("WGS 84 / India NSF LCC");
    expect(crsFromEpsg(1)).toBeNull();
    expect(crsFromEpsg(-4326)).toBeNull();
    expect(crsFromEpsg(4326.5)).toBeNull();
  });
});

describeShared("projection files met in the wild", () => {
  it.each([
    ["admin/nc_counties.prj", "EPSG:4267"],
    ["admin/luxembourg_cantons.prj", "EPSG:4326"],
    ["watersheds/extremadura_watersheds.prj", "EPSG:23030"],
    ["drainage/wake_streams.prj", "EPSG:3358"],
    ["nasty/vector/shp/prjwithutf8bom.prj", "EPSG:4269"],
    ["nasty/vector/shp/CoHI_GCS12.prj", "EPSG:4269"],
    ["nasty/vector/shp/Stacks.prj", "EPSG:2278"],
  ])("%s is %s", (file, code) => {
    expect(parseCrs(readFileSync(shared("data", file), "utf8")).code).toBe(code);
  });
});
