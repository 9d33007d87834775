import { stat } from "node:fs/promises";
import { parseCrs } from "../../crs/parse.ts";
import { type Crs, describeCrs } from "../../model/crs.ts";
import { GeoError, isGeoError } from "../../model/errors.ts";
import {
  type BatchOptions,
  ColumnBuilder,
  type FeatureSource,
  type FeatureTable,
  type Field,
  type LayerSchema,
  selectBatch,
} from "../../model/features.ts";
import { GEOMETRY_NAMES, type GeometryType } from "../../model/geometry.ts";
import { GeometryBuilder } from "../../model/geometry-builder.ts";
import type { Bounds } from "../../model/grid.ts";
import {
  type OpenSqliteOptions,
  openSqlite,
  quoteName,
  type Sqlite,
  type SqlRow,
  type SqlValue,
  sqliteError,
} from "../sqlite.ts";
import { WkbReader } from "../wkb.ts";
import { columnType, pushCell } from "./columns.ts";
import { envelopeMisses, wkbOffset } from "./geometry.ts";
import { searchRtree } from "./rtree.ts";

/** Rows per batch unless asked otherwise. */
const BATCH_ROWS = 8192;
/** A batch ends early when it has this many vertices or bytes of attributes. */
const BATCH_VERTICES = 1 << 20;
const BATCH_BYTES = 1 << 26;
/** Rows fetched by one statement when the index named them. */
const FETCH_ROWS = 500;
/** No row takes less than this in a file; a file that gives more rows than that allows goes round in circles. */
const MIN_ROW_BYTES = 4;

export interface OpenGeoPackageOptions extends OpenSqliteOptions {
  /** Name of the table; default the first layer in `gpkg_contents`. */
  readonly layer?: string | undefined;
}

/**
 * Open a layer of a GeoPackage: a table of features or of attributes alone, or a view of one. Reads the tables
 * that describe it only. The file is never written to; see `openSqlite` for databases in write-ahead mode.
 *
 * Rows come in the order of the primary key, which is also their id. With `bounds`, the R-tree (when there is
 * one) says which rows are read; else the envelopes in front of the geometries say which are decoded. Memory is
 * one batch.
 *
 * Columns: `BOOLEAN`; `TINYINT` to `MEDIUMINT` as `int32`, `INTEGER` as `int64`; `REAL` and such as `float64`;
 * `DATE`, `DATETIME` (UTC); `TEXT(n)` with its width; `BLOB`; JSON by its mime type in `gpkg_data_columns`. A cell
 * that is not of its column's type is read as null, with a warning.
 *
 * @throws GeoError `NOT_FOUND`, `UNREADABLE`, `INVALID_FORMAT`; `UNSUPPORTED` for tiles alone, extended geometry
 * types and addresses on the web; `INVALID_INPUT` when there is no such layer.
 */
export async function openGeoPackage(
  path: string,
  options: OpenGeoPackageOptions = {},
): Promise<FeatureSource> {
  if (/^https?:\/\//i.test(path)) {
    throw new GeoError(
      "UNSUPPORTED",
      `${path}: a GeoPackage cannot be read over the network`,
      { feature: "GeoPackage over http", path },
      { hint: "Download it first." },
    );
  }
  const database = await openSqlite(path, options);
  try {
    const { size } = await stat(path);
    return describeLayer(database, path, size, options.layer);
  } catch (error) {
    await database.close();
    throw sqliteError(path, error);
  }
}

interface Layer {
  readonly name: string;
  readonly geometryColumn: string | null;
  /** Expression of the row id, or `null` when rows have none. */
  readonly key: string | null;
  /** Whether it is a row id of SQLite, in whose order rows are read. */
  readonly keyIsInteger: boolean;
  readonly isTable: boolean;
  readonly fields: readonly Field[];
  /** Name of the R-tree, or `null`. */
  readonly index: string | null;
}

function describeLayer(
  database: Sqlite,
  path: string,
  size: number,
  asked: string | undefined,
): FeatureSource {
  const warnings = new Set<string>();
  const objects = new Map<string, { type: string; sql: string }>();
  for (const row of database.all(
    "SELECT type AS t, name AS n, sql AS s FROM sqlite_master WHERE type IN ('table', 'view')",
  )) {
    objects.set(text(row["n"]).toLowerCase(), { type: text(row["t"]), sql: text(row["s"]) });
  }
  const hasTable = (name: string): boolean => objects.get(name.toLowerCase())?.type === "table";
  if (!hasTable("gpkg_contents")) {
    throw invalid(path, "it is an SQLite database without the table gpkg_contents", "Expected a GeoPackage.");
  }
  const contents = database.all(
    "SELECT table_name AS name, lower(data_type) AS kind, min_x AS x0, min_y AS y0, max_x AS x1, max_y AS y1, srs_id AS srs FROM gpkg_contents",
  );
  const vectors = contents.filter(
    ({ kind }) => kind === "features" || kind === "attributes" || kind === "aspatial",
  );
  const known = vectors.filter((row) => objects.has(text(row["name"]).toLowerCase()));
  for (const row of vectors) {
    if (!known.includes(row))
      warnings.add(`gpkg_contents lists "${text(row["name"])}", but there is no such table`);
  }
  if (known.length === 0) {
    if (contents.length > vectors.length) {
      throw new GeoError(
        "UNSUPPORTED",
        `${path} holds raster tiles only, expected a vector layer`,
        { feature: "GeoPackage tiles", path },
        { hint: "Turn the tiles into a GeoTIFF first: gdal_translate IN.gpkg OUT.tif" },
      );
    }
    throw invalid(path, "it has no layers", "Expected a row in gpkg_contents for a table of features.");
  }
  const layers = known.map((row) => text(row["name"]));
  const chosen = asked === undefined ? known[0] : known.find((row) => text(row["name"]) === asked);
  if (chosen === undefined) {
    throw new GeoError(
      "INVALID_INPUT",
      `${path} has no layer "${asked}"`,
      { path: "layer", expected: layers.join(", ") },
      { hint: `It has: ${layers.join(", ")}.` },
    );
  }
  const name = text(chosen["name"]);
  const object = objects.get(name.toLowerCase())!;
  if (object.type === "view" && /\brecursive\b/i.test(object.sql)) {
    throw new GeoError("UNSUPPORTED", `${path}: the view "${name}" is recursive, which may never end`, {
      feature: "recursive view",
      path,
    });
  }
  const geometry = hasTable("gpkg_geometry_columns")
    ? database.all(
        "SELECT column_name AS c, upper(geometry_type_name) AS t, srs_id AS srs, z AS z, m AS m FROM gpkg_geometry_columns WHERE lower(table_name) = lower(?)",
        [name],
      )[0]
    : undefined;
  const columns = database.all(`PRAGMA table_xinfo(${quoteName(name)})`);
  if (chosen["kind"] === "features" && geometry === undefined) {
    throw invalid(path, `the layer "${name}" has no row in gpkg_geometry_columns`);
  }
  const geometryColumn =
    geometry === undefined
      ? null
      : (columns
          .map((column) => text(column["name"]))
          .find((one) => one.toLowerCase() === text(geometry["c"]).toLowerCase()) ?? null);
  if (geometry !== undefined && geometryColumn === null) {
    throw invalid(path, `the layer "${name}" has no column "${text(geometry["c"])}", its geometry`);
  }
  const mimeTypes = new Map<string, string>();
  if (hasTable("gpkg_data_columns")) {
    for (const row of database.all(
      "SELECT column_name AS c, mime_type AS t FROM gpkg_data_columns WHERE lower(table_name) = lower(?) AND mime_type IS NOT NULL",
      [name],
    )) {
      mimeTypes.set(text(row["c"]).toLowerCase(), text(row["t"]));
    }
  }
  const layer = layerOf(name, object, columns, geometryColumn, mimeTypes, (index) =>
    hasTable(`${index}_node`),
  );
  const crs = geometry === undefined ? null : readCrs(database, path, geometry["srs"], hasTable, warnings);
  const bounds = [chosen["x0"], chosen["y0"], chosen["x1"], chosen["y1"]].map((value) =>
    value === null ? Number.NaN : Number(value),
  ) as [number, number, number, number];
  const type = geometry === undefined ? null : geometryTypes(text(geometry["t"]));
  const schema: LayerSchema = {
    name,
    crs,
    geometryTypes: type ?? [0],
    hasZ: geometry !== undefined && Number(geometry["z"]) !== 0,
    hasM: geometry !== undefined && Number(geometry["m"]) !== 0,
    fields: layer.fields,
    count: hasTable("gpkg_ogr_contents") ? knownCount(database, name, size) : null,
    bounds:
      geometry !== undefined &&
      bounds.every(Number.isFinite) &&
      bounds[0] <= bounds[2] &&
      bounds[1] <= bounds[3]
        ? bounds
        : null,
  };
  return {
    url: path,
    driver: "GeoPackage",
    schema,
    layers,
    get warnings() {
      return [...warnings];
    },
    batches: (options = {}) =>
      readBatches(database, path, size, layer, schema, options, (warning) => warnings.add(warning)),
    close: () => database.close(),
  };
}

function layerOf(
  name: string,
  object: { type: string; sql: string },
  columns: readonly SqlRow[],
  geometryColumn: string | null,
  mimeTypes: ReadonlyMap<string, string>,
  hasIndex: (name: string) => boolean,
): Layer {
  const keys = columns.filter((column) => Number(column["pk"]) > 0);
  const names = new Set(columns.map((column) => text(column["name"]).toLowerCase()));
  const withoutRowid = /\bWITHOUT\s+ROWID\b[^)]*$/i.test(object.sql);
  const single = keys.length === 1 ? keys[0]! : undefined;
  const integerKey = single !== undefined && /^INTEGER$/i.test(text(single["type"]).trim());
  let key: string | null;
  if (object.type === "view") {
    // A view has no key of its own; OGC_FID or fid is the agreed name for one.
    const alias = columns.find((column) => /^(ogc_)?fid$/i.test(text(column["name"])));
    key = alias === undefined ? null : text(alias["name"]);
  } else if (integerKey || withoutRowid) key = single === undefined ? null : text(single["name"]);
  else key = ["rowid", "_rowid_", "oid"].find((alias) => !names.has(alias)) ?? null;
  const fields: Field[] = [];
  for (const column of columns) {
    const column_name = text(column["name"]);
    const hidden = Number(column["hidden"]) === 1;
    const isKey = integerKey && column === single;
    if (hidden || isKey || column_name === geometryColumn) continue;
    if (object.type === "view" && column_name === key) continue;
    const type = columnType(text(column["type"]), mimeTypes.get(column_name.toLowerCase()) ?? null);
    fields.push({ name: column_name, ...type, nullable: Number(column["notnull"]) === 0 });
  }
  const index = geometryColumn === null ? null : `rtree_${name}_${geometryColumn}`;
  return {
    name,
    geometryColumn,
    key,
    isTable: object.type === "table",
    keyIsInteger: object.type === "table" && key !== null && !withoutRowid,
    fields,
    index: object.type === "table" && !withoutRowid && index !== null && hasIndex(index) ? index : null,
  };
}

function geometryTypes(name: string): readonly GeometryType[] {
  if (name === "GEOMCOLLECTION") return [7];
  const code = GEOMETRY_NAMES.findIndex((one) => one.toUpperCase() === name);
  return code > 0 ? [code as GeometryType] : [];
}

/** Rows as `gpkg_ogr_contents` says, unless the file is too small to hold so many. */
function knownCount(database: Sqlite, name: string, size: number): number | null {
  const value = database.all(
    "SELECT feature_count AS n FROM gpkg_ogr_contents WHERE lower(table_name) = lower(?)",
    [name],
  )[0]?.["n"];
  if (value === undefined || value === null) return null;
  const count = Number(value);
  return Number.isInteger(count) && count >= 0 && count * MIN_ROW_BYTES <= size ? count : null;
}

function readCrs(
  database: Sqlite,
  path: string,
  srs: SqlValue | undefined,
  hasTable: (name: string) => boolean,
  warnings: Set<string>,
): Crs | null {
  const id = Number(srs ?? 0);
  // -1 and 0: undefined Cartesian and geographic (GeoPackage 1.3, requirement 11).
  if (id === -1 || id === 0) return null;
  if (!hasTable("gpkg_spatial_ref_sys")) {
    throw invalid(path, "it has no table gpkg_spatial_ref_sys");
  }
  const row = database.all("SELECT * FROM gpkg_spatial_ref_sys WHERE srs_id = ?", [id])[0];
  if (row === undefined) {
    warnings.add(`${path} does not define its coordinate reference system (srs_id ${id})`);
    return null;
  }
  const organization = text(row["organization"]).toUpperCase();
  const code = row["organization_coordsys_id"];
  const attempts = [
    organization === "" || organization === "NONE" || !code ? "" : `${organization}:${String(code)}`,
    text(row["definition_12_063"]),
    text(row["definition"]),
  ].filter((one) => one !== "" && !/^undefined$/i.test(one));
  if (attempts.length === 0) return null;
  for (const attempt of attempts) {
    try {
      return parseCrs(attempt);
    } catch (error) {
      if (!isGeoError(error)) throw error;
    }
  }
  const crs: Crs = {
    code: attempts[0]?.includes(":") && !attempts[0].includes("[") ? attempts[0] : null,
    name: text(row["srs_name"]),
    kind: "unknown",
    proj4: null,
    definition: attempts.at(-1) ?? null,
    unit: { name: "unknown", kind: "length", factor: 1 },
    axisOrder: "xy",
    area: null,
  };
  warnings.add(`${path} is in ${describeCrs(crs)}, which is not understood`);
  return crs;
}

async function* readBatches(
  database: Sqlite,
  path: string,
  size: number,
  layer: Layer,
  schema: LayerSchema,
  options: BatchOptions,
  warn: (warning: string) => void,
): AsyncGenerator<FeatureTable> {
  const { bounds, signal } = options;
  const limit = Math.max(1, options.batchSize ?? BATCH_ROWS);
  const fields =
    options.fields === undefined
      ? layer.fields
      : options.fields.flatMap((name) => layer.fields.find((field) => field.name === name) ?? []);
  const builder = new BatchBuilder(path, layer, fields, schema.crs, warn);
  const rows = selectRows(database, size, layer, fields, schema, bounds, warn);
  let seen = 0;
  let firstRow = 0;
  let last = -Infinity;
  try {
    signal?.throwIfAborted();
    for (let next = rows.next(); next.done !== true; next = rows.next()) {
      const row = next.value;
      seen++;
      if (layer.keyIsInteger) {
        const id = Number(row["k"]);
        if (!(id > last)) throw circular(path);
        last = id;
      } else if (layer.isTable && seen * MIN_ROW_BYTES > size) throw circular(path);
      if (bounds !== undefined && layer.geometryColumn !== null) {
        const blob = row["g"];
        if (!(blob instanceof Uint8Array) || envelopeMisses(blob, bounds)) continue;
      }
      builder.push(row, seen);
      if (builder.rows === limit || builder.isLarge()) {
        const batch = builder.finish(firstRow);
        firstRow = seen;
        yield bounds === undefined ? batch : selectBatch(batch, { bounds });
        signal?.throwIfAborted();
      }
    }
    if (builder.rows > 0) {
      const batch = builder.finish(firstRow);
      yield bounds === undefined ? batch : selectBatch(batch, { bounds });
    }
  } catch (error) {
    throw sqliteError(path, error);
  } finally {
    rows.return?.();
  }
}

/** The rows to look at, as `k` (id), `g` (geometry) and `c0`, `c1`, ... (attributes). */
function* selectRows(
  database: Sqlite,
  size: number,
  layer: Layer,
  fields: readonly Field[],
  schema: LayerSchema,
  bounds: Bounds | undefined,
  warn: (warning: string) => void,
): Generator<SqlRow, void> {
  const key = layer.key === null ? null : quoteKey(layer.key);
  const list = [
    `${key ?? "NULL"} AS k`,
    ...(layer.geometryColumn === null ? [] : [`${quoteName(layer.geometryColumn)} AS g`]),
    ...fields.map((field, i) => `${quoteName(field.name)} AS c${i}`),
  ].join(", ");
  const from = `SELECT ${list} FROM ${quoteName(layer.name)}`;
  const order = key === null || !layer.keyIsInteger ? "" : ` ORDER BY ${key}`;
  if (bounds !== undefined && layer.index !== null && key !== null) {
    const ids = searchRtree(database, layer.index, bounds, Math.ceil(size / 64) + 1);
    if (ids === null)
      warn(`the spatial index of "${layer.name}" is damaged; the whole layer is read instead`);
    // Fetching row by row beats reading all when not too many are wanted.
    else if (schema.count === null || ids.length * 3 < schema.count) {
      for (let i = 0; i < ids.length; i += FETCH_ROWS) {
        const some = [...ids.subarray(i, i + FETCH_ROWS)];
        yield* database.iterate(`${from} WHERE ${key} IN (${some.map(() => "?").join(",")})${order}`, some);
      }
      return;
    }
  }
  yield* database.iterate(from + order);
}

/** `rowid` and its other names must not be quoted: quoted, they would be text where no such column exists. */
function quoteKey(key: string): string {
  return /^(rowid|_rowid_|oid)$/.test(key) ? key : quoteName(key);
}

/** Turns rows into a table. */
class BatchBuilder {
  readonly #path: string;
  readonly #layer: Layer;
  readonly #crs: Crs | null;
  readonly #warn: (warning: string) => void;
  readonly #geometry = new GeometryBuilder();
  readonly #wkb = new WkbReader(this.#geometry);
  readonly #columns: readonly {
    readonly field: Field;
    readonly cell: string;
    readonly builder: ColumnBuilder;
  }[];
  /** Columns that have been warned about. */
  readonly #warned = new Set<string>();
  #ids: (string | number | null)[] = [];
  #bytes = 0;

  constructor(
    path: string,
    layer: Layer,
    fields: readonly Field[],
    crs: Crs | null,
    warn: (warning: string) => void,
  ) {
    this.#path = path;
    this.#layer = layer;
    this.#crs = crs;
    this.#warn = warn;
    this.#columns = fields.map((field, i) => ({ field, cell: `c${i}`, builder: new ColumnBuilder(field) }));
  }

  get rows(): number {
    return this.#ids.length;
  }

  isLarge(): boolean {
    return this.#geometry.vertices >= BATCH_VERTICES || this.#bytes >= BATCH_BYTES;
  }

  push(row: SqlRow, position: number): void {
    const key = row["k"]!;
    this.#ids.push(typeof key === "bigint" ? Number(key) : key instanceof Uint8Array ? null : key);
    if (this.#layer.geometryColumn !== null) this.#pushGeometry(row["g"]!, position);
    for (const { field, cell, builder } of this.#columns) {
      const value = row[cell]!;
      if (typeof value === "string" || value instanceof Uint8Array) this.#bytes += value.length;
      if (!pushCell(builder, field.type, value)) {
        builder.pushNull();
        if (this.#warned.has(field.name)) continue;
        this.#warned.add(field.name);
        const shown = value instanceof Uint8Array ? "bytes" : `"${String(value).slice(0, 40)}"`;
        this.#warn(
          `column "${field.name}" (${field.type}) holds values of other types, read as null; the first is ${shown} in ${this.#where(position)}`,
        );
      }
    }
  }

  finish(firstRow: number): FeatureTable {
    if (this.#wkb.closedRings > 0) this.#warn("rings that were not closed have been closed");
    const ids = this.#ids;
    this.#ids = [];
    this.#bytes = 0;
    return {
      count: ids.length,
      geometry: this.#layer.geometryColumn === null ? null : this.#geometry.finish(),
      columns: this.#columns.map(({ builder }) => builder.finish()),
      ids: this.#layer.key === null ? null : ids,
      firstRow,
      crs: this.#crs,
    };
  }

  #pushGeometry(blob: SqlValue, position: number): void {
    if (blob === null) {
      this.#geometry.null();
      return;
    }
    try {
      if (!(blob instanceof Uint8Array)) throw invalid(this.#path, "a geometry is not a blob");
      const start = wkbOffset(blob);
      this.#wkb.read(blob, start, blob.length - start);
    } catch (error) {
      if (!isGeoError(error)) throw error;
      const where = `${this.#path}, layer "${this.#layer.name}", ${this.#where(position)}`;
      if (error.code === "UNSUPPORTED") {
        const { feature } = error.details as { feature: string };
        throw new GeoError(
          "UNSUPPORTED",
          `${where}: ${error.message}`,
          { feature, path: this.#path },
          { hint: error.hint },
        );
      }
      throw new GeoError(
        "INVALID_FORMAT",
        `${where}: ${error.message}`,
        { format: "GeoPackage", path: this.#path },
        { hint: "Delete or repair that row, or copy the file again.", cause: error },
      );
    }
  }

  #where(position: number): string {
    const id = this.#ids.at(-1);
    return id === null || id === undefined ? `row ${position}` : `row with id ${id}`;
  }
}

function text(value: SqlValue | undefined): string {
  return value === null || value === undefined ? "" : String(value);
}

function circular(path: string): GeoError {
  return invalid(
    path,
    "its pages go round in circles: a row comes twice",
    "Copy or download the file again.",
  );
}

function invalid(path: string, finding: string, hint?: string): GeoError {
  return new GeoError(
    "INVALID_FORMAT",
    `${path} is not a usable GeoPackage: ${finding}`,
    { format: "GeoPackage", path },
    { hint: hint ?? "Write it again with the program that made it, or copy it again." },
  );
}
