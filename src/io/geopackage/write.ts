import { toWkt1, toWkt2 } from "../../crs/format.ts";
import { crsFromEpsg } from "../../crs/parse.ts";
import type { Crs } from "../../model/crs.ts";
import {
  type Column,
  type FeatureTable,
  type Field,
  isNull,
  type LayerSchema,
  textAt,
} from "../../model/features.ts";
import { GEOMETRY_NAMES, type GeometryColumn, rowBounds } from "../../model/geometry.ts";
import { outputError } from "../atomic.ts";
import type { FeatureSink, WriteSummary } from "../feature-sink.ts";
import { hilbertOrder } from "../hilbert.ts";
import {
  createSqlite,
  quoteName,
  quoteText,
  type Sqlite,
  type SqlStatement,
  type SqlValue,
} from "../sqlite.ts";
import { isoDate, isoTime } from "../text/iso-time.ts";
import { declaredType } from "./columns.ts";
import { writeGeometry } from "./geometry.ts";
import { RtreeBuilder } from "./rtree.ts";

export interface GeoPackageOptions {
  /** Value of `last_change`. Default 1970-01-01T00:00:00.000Z, so that the same input gives the same bytes. */
  readonly lastChange?: Date | undefined;
  /** Write an R-tree. Default true. Its boxes are kept in memory until the end, about 28 bytes a row. */
  readonly index?: boolean | undefined;
}

/** "GPKG" (GeoPackage 1.3, requirement 2). */
const APPLICATION_ID = 0x47504b47;
const VERSION = 10_300;

/**
 * Create a GeoPackage 1.3 with one layer: features with an R-tree and its triggers, or attributes alone when the
 * batches have no geometry. Columns are those of the first batch. The same batches give the same bytes.
 *
 * Ids become the primary key as long as they are whole numbers that rise from row to row; other rows get the
 * next number, and the summary says how many. The geometry type is the one that all rows have, else
 * `GEOMETRY`. NaN becomes null (SQLite has none). Times of day are text; times without a zone are written as if
 * they were UTC; both with a warning. Names that GeoPackage keeps for itself are changed (`renamed`).
 *
 * Memory: one batch and the index.
 */
export async function createGeoPackage(
  path: string,
  schema: LayerSchema,
  options: GeoPackageOptions = {},
): Promise<FeatureSink> {
  let database: Sqlite;
  try {
    database = await createSqlite(path);
  } catch (error) {
    throw outputError(path, error);
  }
  let layer: LayerWriter | null = null;
  const fail = async (error: unknown): Promise<never> => {
    layer?.finalize();
    await database.close().catch(() => {});
    throw outputError(path, diskError(error));
  };
  return {
    async write(batch) {
      try {
        layer ??= new LayerWriter(
          database,
          schema,
          batch.columns,
          batch.geometry !== null,
          batch.crs ?? schema.crs,
          options,
        );
        layer.write(batch);
      } catch (error) {
        await fail(error);
      }
    },
    async close() {
      try {
        const hasGeometry = !(schema.geometryTypes.length === 1 && schema.geometryTypes[0] === 0);
        layer ??= new LayerWriter(database, schema, schema.fields, hasGeometry, schema.crs, options);
        const summary = layer.finish();
        await database.close();
        return summary;
      } catch (error) {
        return await fail(error);
      }
    },
    async abort() {
      layer?.finalize();
      await database.close().catch(() => {});
    },
  };
}

/** The engine reports a full disk in words only. */
function diskError(error: unknown): unknown {
  if (error instanceof Error && /disk is full|disk I\/O error/i.test(error.message)) {
    return Object.assign(new Error(error.message, { cause: error }), {
      code: /full/i.test(error.message) ? "ENOSPC" : "EIO",
    });
  }
  return error;
}

class LayerWriter {
  readonly #database: Sqlite;
  readonly #name: string;
  readonly #key: string;
  readonly #geometryColumn: string | null;
  readonly #hasZ: boolean;
  readonly #hasM: boolean;
  readonly #crs: Crs | null;
  readonly #srsId: number;
  readonly #lastChange: string;
  readonly #insert: SqlStatement;
  readonly #fields: readonly Field[];
  readonly #declared: string;
  readonly #index: RtreeBuilder | null;
  readonly #warnings: string[] = [];
  readonly #renamed: Record<string, string> = {};
  readonly #seen: {
    typeBits: number;
    rows: number;
    z: number;
    m: number;
    nan: number;
    cut: number;
    renumbered: number;
  } = {
    typeBits: 0,
    rows: 0,
    z: 0,
    m: 0,
    nan: 0,
    cut: 0,
    renumbered: 0,
  };
  readonly #extent = [Infinity, Infinity, -Infinity, -Infinity];
  #count = 0;
  #lastId = 0;
  #finalized = false;

  constructor(
    database: Sqlite,
    schema: LayerSchema,
    fields: readonly Field[],
    hasGeometry: boolean,
    crs: Crs | null,
    options: GeoPackageOptions,
  ) {
    this.#database = database;
    this.#hasZ = schema.hasZ;
    this.#hasM = schema.hasM;
    this.#crs = crs;
    this.#lastChange = (options.lastChange ?? new Date(0)).toISOString();
    this.#name = layerName(schema.name);
    if (this.#name !== schema.name) {
      this.#warnings.push(`the layer is called "${this.#name}": GeoPackage does not allow "${schema.name}"`);
    }
    const taken = new Set(fields.map((field) => field.name.toLowerCase()));
    this.#key = freeName(["fid", "ogc_fid", "fid_1"], taken);
    this.#geometryColumn = hasGeometry ? freeName(["geom", "geometry", "geom_1"], taken) : null;
    this.#fields = this.#uniqueFields(fields);
    this.#index = hasGeometry && options.index !== false ? new RtreeBuilder() : null;
    this.#declared = schema.geometryTypes.length === 1 ? typeName(schema.geometryTypes[0]!) : "GEOMETRY";
    this.#createMetadata();
    this.#srsId = hasGeometry ? this.#defineCrs() : 0;
    database.exec(this.#tableSql(this.#declared));
    database.exec("BEGIN");
    const columns = [
      this.#key,
      ...(this.#geometryColumn === null ? [] : [this.#geometryColumn]),
      ...this.#fields.map((field) => field.name),
    ];
    this.#insert = database.prepare(
      `INSERT INTO ${quoteName(this.#name)} (${columns.map(quoteName).join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
    );
    for (const field of this.#fields) {
      if (field.type === "datetime" && field.zone === "local") {
        this.#warnings.push(
          `column "${field.name}" holds times without a zone; GeoPackage has only UTC, they are written as if they were`,
        );
      }
      if (field.type === "time")
        this.#warnings.push(
          `column "${field.name}" holds times of day, which GeoPackage has not; they are written as text`,
        );
    }
  }

  write(batch: FeatureTable): void {
    const { geometry, columns, ids } = batch;
    const boxes = geometry === null ? null : rowBounds(geometry);
    const params: SqlValue[] = [];
    for (let i = 0; i < batch.count; i++) {
      params.length = 0;
      const id = this.#nextId(ids === null ? null : ids[i]!);
      params.push(id);
      if (this.#geometryColumn !== null)
        params.push(geometry === null ? null : this.#geometry(geometry, i, boxes!, id));
      for (let k = 0; k < this.#fields.length; k++) params.push(this.#cell(columns[k]!, i));
      this.#insert.run(params);
      this.#count++;
    }
  }

  finish(): WriteSummary {
    this.finalize();
    const database = this.#database;
    database.exec("COMMIT");
    database.exec("BEGIN");
    if (this.#geometryColumn !== null) this.#describeGeometry(this.#geometryColumn);
    const [minX, minY, maxX, maxY] = this.#extent as [number, number, number, number];
    const found = minX <= maxX;
    database.run("INSERT INTO gpkg_contents VALUES (?, ?, ?, '', ?, ?, ?, ?, ?, ?)", [
      this.#name,
      this.#geometryColumn === null ? "attributes" : "features",
      this.#name,
      this.#lastChange,
      found ? minX : null,
      found ? minY : null,
      found ? maxX : null,
      found ? maxY : null,
      this.#geometryColumn === null ? null : this.#srsId,
    ]);
    database.run("INSERT INTO gpkg_ogr_contents VALUES (?, ?)", [this.#name, this.#count]);
    this.#describeJson();
    database.exec("COMMIT");
    this.#createTriggers();
    const { nan, cut, renumbered } = this.#seen;
    if (cut > 0) this.#warnings.push(`${cut} texts are cut at their first NUL: SQLite ends text there`);
    if (nan > 0) this.#warnings.push(`${nan} NaN values are written as null: GeoPackage has no NaN`);
    if (renumbered > 0) {
      this.#warnings.push(
        `${renumbered} of ${this.#count} features got a new id: ids in a GeoPackage are whole numbers, here in rising order`,
      );
    }
    return {
      count: this.#count,
      ...(Object.keys(this.#renamed).length === 0 ? {} : { renamed: this.#renamed }),
      warnings: this.#warnings,
    };
  }

  finalize(): void {
    if (this.#finalized) return;
    this.#finalized = true;
    this.#insert.finalize();
  }

  #nextId(id: string | number | null): number {
    if (
      typeof id === "number" &&
      Number.isSafeInteger(id) &&
      (id > this.#lastId || (this.#count === 0 && id >= 0))
    ) {
      this.#lastId = id;
    } else {
      if (id !== null) this.#seen.renumbered++;
      this.#lastId++;
    }
    return this.#lastId;
  }

  #geometry(column: GeometryColumn, row: number, boxes: Float64Array, id: number): SqlValue {
    const type = column.types[row]!;
    if (type === 0) return null;
    const seen = this.#seen;
    seen.typeBits |= 1 << type;
    seen.rows++;
    const blob = writeGeometry(column, row, this.#srsId, boxes, 4 * row);
    // The code of the geometry type says whether the row has Z and M.
    const code = new DataView(blob.buffer).getUint32((blob[3]! & 0x0e) === 0 ? 9 : 41, true);
    const thousands = Math.floor(code / 1000);
    if ((thousands & 1) !== 0) seen.z++;
    if ((thousands & 2) !== 0) seen.m++;
    const at = 4 * row;
    if (boxes[at]! <= boxes[at + 2]! && boxes[at + 1]! <= boxes[at + 3]!) {
      const extent = this.#extent;
      extent[0] = Math.min(extent[0]!, boxes[at]!);
      extent[1] = Math.min(extent[1]!, boxes[at + 1]!);
      extent[2] = Math.max(extent[2]!, boxes[at + 2]!);
      extent[3] = Math.max(extent[3]!, boxes[at + 3]!);
      this.#index?.add(id, boxes, at);
    }
    return blob;
  }

  #cell(column: Column, i: number): SqlValue {
    if (isNull(column, i)) return null;
    switch (column.type) {
      case "int32":
      case "boolean":
        return column.values[i]!;
      case "int64":
        return column.values[i]!;
      case "float64": {
        const value = column.values[i]!;
        if (!Number.isNaN(value)) return value;
        this.#seen.nan++;
        return null;
      }
      case "date":
        return isoDate(column.values[i]!);
      case "datetime":
        return new Date(column.values[i]!).toISOString();
      case "time":
        return isoTime(column.values[i]!);
      case "string":
      case "json": {
        const text = textAt(column.values, i);
        if (text.includes("\0")) this.#seen.cut++;
        return text;
      }
      case "binary":
        return column.values.bytes.subarray(column.values.offsets[i]!, column.values.offsets[i + 1]!);
    }
  }

  /** Names as SQL sees them: without regard to case, never empty. */
  #uniqueFields(fields: readonly Field[]): readonly Field[] {
    const used = new Set<string>();
    return fields.map((field) => {
      const base = field.name === "" ? "field" : field.name;
      let name = base;
      for (let k = 1; used.has(name.toLowerCase()); k++) name = `${base}_${k}`;
      used.add(name.toLowerCase());
      if (name === field.name) return field;
      this.#renamed[field.name] = name;
      return { ...field, name };
    });
  }

  #tableSql(geometryType: string): string {
    const columns = [`${quoteName(this.#key)} INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL`];
    if (this.#geometryColumn !== null) columns.push(`${quoteName(this.#geometryColumn)} ${geometryType}`);
    for (const field of this.#fields) {
      columns.push(`${quoteName(field.name)} ${declaredType(field)}`);
    }
    return `CREATE TABLE ${quoteName(this.#name)} (${columns.join(", ")})`;
  }

  /** Tables that every GeoPackage has (GeoPackage 1.3, annex C), with the rows that it must have. */
  #createMetadata(): void {
    this.#database.exec(
      `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION};` +
        "CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT, definition_12_063 TEXT NOT NULL);" +
        "CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER, CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));" +
        "CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL, CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name), CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name), CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));" +
        "CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));" +
        "CREATE TABLE gpkg_ogr_contents (table_name TEXT NOT NULL PRIMARY KEY, feature_count INTEGER DEFAULT NULL);",
    );
    this.#extension("gpkg_spatial_ref_sys", "definition_12_063", "gpkg_crs_wkt", "crs_wkt", "read-write");
    const wgs84 = crsFromEpsg(4326);
    const rows: [string, number, string, number, string, string, string][] = [
      [
        "Undefined Cartesian SRS",
        -1,
        "NONE",
        -1,
        "undefined",
        "undefined Cartesian coordinate reference system",
        "undefined",
      ],
      [
        "Undefined geographic SRS",
        0,
        "NONE",
        0,
        "undefined",
        "undefined geographic coordinate reference system",
        "undefined",
      ],
    ];
    if (wgs84 !== null) {
      rows.push([
        "WGS 84 geodetic",
        4326,
        "EPSG",
        4326,
        toWkt1(wgs84),
        "longitude/latitude coordinates in decimal degrees on the WGS 84 spheroid",
        toWkt2(wgs84),
      ]);
    }
    for (const row of rows)
      this.#database.run("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?, ?)", row);
  }

  #extension(table: string, column: string | null, name: string, anchor: string, scope: string): void {
    const definition = `http://www.geopackage.org/spec130/#extension_${anchor}`;
    this.#database.run("INSERT INTO gpkg_extensions VALUES (?, ?, ?, ?, ?)", [
      table,
      column,
      name,
      definition,
      scope,
    ]);
  }

  /** Row of the layer's system in `gpkg_spatial_ref_sys`; returns its id. */
  #defineCrs(): number {
    const crs = this.#crs;
    if (crs === null) return 0;
    const match = /^([A-Za-z]+):(\d+)$/.exec(crs.code === "OGC:CRS84" ? "EPSG:4326" : (crs.code ?? ""));
    if (match !== null && match[1] === "EPSG" && match[2] === "4326") return 4326;
    const wkt1 = definitionOr(() => toWkt1(crs));
    const wkt2 = definitionOr(() => toWkt2(crs));
    if (wkt1 === "undefined" && wkt2 === "undefined" && match === null) {
      this.#warnings.push(
        "the coordinate reference system cannot be written as WKT; the layer is left without one",
      );
      return -1;
    }
    // 100000 and up are free for systems without a code.
    const id = match === null ? 100_000 : Number(match[2]);
    this.#database.run("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, NULL, ?)", [
      crs.name === "" ? (crs.code ?? "custom") : crs.name,
      id,
      match === null ? "NONE" : match[1]!.toUpperCase(),
      id,
      wkt1,
      wkt2,
    ]);
    return id;
  }

  /** The row in `gpkg_geometry_columns`, the declared type of the column, the index. */
  #describeGeometry(column: string): void {
    const { typeBits, rows, z, m } = this.#seen;
    const types = GEOMETRY_NAMES.filter((_, code) => code > 0 && (typeBits & (1 << code)) !== 0);
    const type =
      types.length === 0 ? this.#declared : types.length === 1 ? types[0]!.toUpperCase() : "GEOMETRY";
    // A layer without vertices has the heights and measures that its schema promises.
    const isEmpty = !(this.#extent[0]! <= this.#extent[2]!);
    const some = (count: number, promised: boolean): number =>
      count === 0 ? Number(isEmpty && promised) : count === rows ? 1 : 2;
    this.#database.run("INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, ?, ?)", [
      this.#name,
      column,
      type,
      this.#srsId,
      some(z, this.#hasZ),
      some(m, this.#hasM),
    ]);
    if (this.#index !== null) {
      this.#extension(this.#name, column, "gpkg_rtree_index", "rtree", "write-only");
      this.#index.write(this.#database, this.#indexName(column), (boxes) => hilbertOrder(boxes));
    }
    if (type !== this.#declared) {
      this.#database.exec(
        "PRAGMA writable_schema = ON;" +
          `UPDATE sqlite_master SET sql = ${quoteText(this.#tableSql(type))} WHERE type = 'table' AND name = ${quoteText(this.#name)};` +
          "PRAGMA writable_schema = OFF",
      );
    }
  }

  #indexName(column: string): string {
    return `rtree_${this.#name}_${column}`;
  }

  /** JSON columns, as the schema extension says (GeoPackage 1.3, annex F.9). */
  #describeJson(): void {
    const columns = this.#fields.filter((field) => field.type === "json");
    if (columns.length === 0) return;
    this.#database.exec(
      "CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT, constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name));" +
        "CREATE TABLE gpkg_data_column_constraints (constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT, CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));",
    );
    for (const table of ["gpkg_data_columns", "gpkg_data_column_constraints"]) {
      this.#extension(table, null, "gpkg_schema", "schema", "read-write");
    }
    for (const field of columns) {
      this.#database.run(
        "INSERT INTO gpkg_data_columns VALUES (?, ?, NULL, NULL, NULL, 'application/json', NULL)",
        [this.#name, field.name],
      );
    }
  }

  /** Triggers that keep index and count right when others edit (GeoPackage 1.3, annex F.3; the count is OGR's). */
  #createTriggers(): void {
    const table = quoteName(this.#name);
    const count = (event: string, sign: string): string =>
      `CREATE TRIGGER ${quoteName(`trigger_${event.toLowerCase()}_feature_count_${this.#name}`)} AFTER ${event} ON ${table} BEGIN UPDATE gpkg_ogr_contents SET feature_count = feature_count ${sign} 1 WHERE lower(table_name) = lower(${quoteText(this.#name)}); END;`;
    this.#database.exec(count("INSERT", "+") + count("DELETE", "-"));
    if (this.#index === null || this.#geometryColumn === null) return;
    const name = this.#indexName(this.#geometryColumn);
    const index = quoteName(name);
    const id = quoteName(this.#key);
    const geom = quoteName(this.#geometryColumn);
    const present = `NEW.${geom} NOT NULL AND NOT ST_IsEmpty(NEW.${geom})`;
    const absent = `(NEW.${geom} IS NULL OR ST_IsEmpty(NEW.${geom}))`;
    const put = `INSERT OR REPLACE INTO ${index} VALUES (NEW.${id}, ST_MinX(NEW.${geom}), ST_MaxX(NEW.${geom}), ST_MinY(NEW.${geom}), ST_MaxY(NEW.${geom}));`;
    const trigger = (suffix: string, when: string, body: string): string =>
      `CREATE TRIGGER ${quoteName(`${name}_${suffix}`)} AFTER ${when} BEGIN ${body} END;`;
    this.#database.exec(
      trigger("insert", `INSERT ON ${table} WHEN (${present})`, put) +
        trigger("update1", `UPDATE OF ${geom} ON ${table} WHEN OLD.${id} = NEW.${id} AND (${present})`, put) +
        trigger(
          "update2",
          `UPDATE OF ${geom} ON ${table} WHEN OLD.${id} = NEW.${id} AND ${absent}`,
          `DELETE FROM ${index} WHERE id = OLD.${id};`,
        ) +
        trigger(
          "update3",
          `UPDATE ON ${table} WHEN OLD.${id} != NEW.${id} AND (${present})`,
          `DELETE FROM ${index} WHERE id = OLD.${id}; ${put}`,
        ) +
        trigger(
          "update4",
          `UPDATE ON ${table} WHEN OLD.${id} != NEW.${id} AND ${absent}`,
          `DELETE FROM ${index} WHERE id IN (OLD.${id}, NEW.${id});`,
        ) +
        trigger(
          "delete",
          `DELETE ON ${table} WHEN OLD.${geom} NOT NULL`,
          `DELETE FROM ${index} WHERE id = OLD.${id};`,
        ),
    );
  }
}

/** Tables may not begin like those of GeoPackage and SQLite. */
function layerName(name: string): string {
  if (name === "") return "layer";
  return /^(gpkg_|sqlite_|rtree_|trigger_)/i.test(name) ? `layer_${name}` : name;
}

function freeName(candidates: readonly string[], taken: ReadonlySet<string>): string {
  for (const name of candidates) if (!taken.has(name)) return name;
  for (let k = 2; ; k++) if (!taken.has(`${candidates[0]}_${k}`)) return `${candidates[0]}_${k}`;
}

function typeName(type: number): string {
  return type === 0 ? "GEOMETRY" : GEOMETRY_NAMES[type]!.toUpperCase();
}

function definitionOr(make: () => string): string {
  try {
    return make();
  } catch {
    return "undefined";
  }
}
