import { type Crs, describeCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import { type DatumOperation, type DegreeBox, datumOperations, helmertSteps } from "./datum.ts";
import { geodeticBaseOf } from "./identify.ts";
import {
  type EllipsoidShape,
  ellipsoidOf,
  linearFactor,
  PROJ_DATUMS,
  PROJ_ELLIPSOIDS,
  type ProjWords,
  parseProjWords,
  primeMeridianOf,
} from "./proj-string.ts";
import { findRecord } from "./table.ts";

/** A system taken apart into what a transformation needs. */
export interface ResolvedCrs {
  readonly crs: Crs;
  readonly words: ProjWords;
  readonly geographic: boolean;
  /** Ellipsoid of the datum (for Web Mercator not the sphere of the projection). */
  readonly ellipsoid: EllipsoidShape;
  /** Degrees east of Greenwich. */
  readonly primeMeridian: number;
  /** Metres per unit, or degrees per unit. */
  readonly factor: number;
  /** `+axis`, default `"enu"`. */
  readonly axis: string;
  readonly datum: ResolvedDatum;
}

/** What is known of a datum. */
export interface ResolvedDatum {
  /** Two systems with the same identity need no shift between them. */
  readonly identity: string;
  /** Name for messages. */
  readonly name: string;
  /** True when the datum is not known, so that every shift is a guess. */
  readonly unknown: boolean;
  readonly isWgs84: boolean;
  readonly operations: readonly DatumOperation[];
}

const WORLD: DegreeBox = [-180, -90, 180, 90];
const WGS84: EllipsoidShape = PROJ_ELLIPSOIDS["WGS84"]!;

/** @throws GeoError `UNSUPPORTED` for systems without a formula in two dimensions. */
export function resolveCrs(crs: Crs): ResolvedCrs {
  if (crs.proj4 === null || crs.kind === "geocentric" || crs.kind === "vertical") {
    const what =
      crs.kind === "geocentric"
        ? "is geocentric (three coordinates); only longitude/latitude and projected systems can be transformed"
        : "has no formula that can be computed";
    throw new GeoError("UNSUPPORTED", `${describeCrs(crs)} ${what}`, {
      feature: `coordinate transformation of ${describeCrs(crs)}`,
    });
  }
  const words = parseProjWords(crs.proj4);
  const geographic = /^(longlat|latlong|lonlat|latlon)$/.test(words.get("proj") ?? "");
  const sphericalMercator = words.get("nadgrids") === "@null";
  return {
    crs,
    words,
    geographic,
    ellipsoid: sphericalMercator ? WGS84 : ellipsoidOf(words),
    primeMeridian: primeMeridianOf(words),
    factor: geographic ? (crs.unit.kind === "angle" ? crs.unit.factor : 1) : linearFactor(words),
    axis: words.get("axis") ?? "enu",
    datum: resolveDatum(crs, words, sphericalMercator),
  };
}

function resolveDatum(crs: Crs, words: ProjWords, sphericalMercator: boolean): ResolvedDatum {
  const key = geodeticBaseOf(crs);
  if (key !== null) return datumOfKey(key);
  const shape = ellipsoidOf(words);
  const shift = words.get("towgs84");
  if (shift !== undefined) {
    const values = shift.split(",").map(Number);
    if (values.length !== 3 && values.length !== 7)
      throw new GeoError("CRS_UNKNOWN", `+towgs84=${shift} needs 3 or 7 numbers`, { crs: crs.proj4 ?? "" });
    return {
      identity: `${shape.a},${shape.rf},${shift}`,
      name: `ellipsoid a=${shape.a} with +towgs84=${shift}`,
      unknown: false,
      isWgs84: false,
      operations: [
        {
          name: `+towgs84=${shift}`,
          accuracy: null,
          area: WORLD,
          offshore: false,
          grids: [],
          computable: true,
          steps: helmertSteps(shape, values),
        },
      ],
    };
  }
  if (sphericalMercator) return datumOfKey("4326");
  const grids = words.get("nadgrids");
  if (grids !== undefined) {
    const needed = grids.split(",").filter((grid) => !grid.startsWith("@"));
    return {
      identity: `grids ${grids}`,
      name: `+nadgrids=${grids}`,
      unknown: false,
      isWgs84: false,
      operations:
        needed.length === 0
          ? []
          : [
              {
                name: `+nadgrids=${grids}`,
                accuracy: null,
                area: WORLD,
                offshore: false,
                grids: needed,
                computable: needed.length === 1,
                steps: needed.map((grid) => ({ kind: "grid" as const, inverse: false, grid })),
              },
            ],
    };
  }
  const datum = PROJ_DATUMS[words.get("datum") ?? ""];
  if (datum !== undefined) return datumOfKey(datum.base);
  return {
    identity: `unknown ${shape.a},${shape.rf}`,
    name: `unknown datum on the ellipsoid a=${shape.a}, 1/f=${shape.rf}`,
    unknown: true,
    isWgs84: false,
    operations: [],
  };
}

/** Datum of a geodetic system in the table. */
function datumOfKey(key: string): ResolvedDatum {
  const record = findRecord(key);
  const datum = record === null ? key : record.base;
  return {
    identity: `datum ${datum}`,
    name: record === null ? key : record.name,
    unknown: false,
    isWgs84: datum === "6326",
    operations: record === null ? [] : datumOperations(record.operations),
  };
}
