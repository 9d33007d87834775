import { openFeatures } from "../../io/open.ts";
import type { Crs } from "../../model/crs.ts";
import { describeCrs } from "../../model/crs.ts";
import type { FeatureSource } from "../../model/features.ts";
import { GEOMETRY_NAMES, type GeometryType, rowBounds } from "../../model/geometry.ts";

/** A layer as `tilth info` tells it. */
export interface LayerInfo {
  readonly name: string;
  readonly count: number;
  readonly geometryTypes: readonly string[];
  /** `"EPSG:n"`, a WKT or PROJ text, or `null`. */
  readonly crs: string | null;
  readonly bbox: readonly number[] | null;
  readonly fields: readonly { readonly name: string; readonly type: string; readonly nullable: boolean }[];
  /** Rows without geometry; only when the rows were read. */
  readonly nulls?: number;
  /** Rows with invalid geometry; only with `stats`. */
  readonly invalid?: number;
}

export interface VectorInfo {
  readonly kind: "vector";
  readonly driver: string;
  readonly layers: readonly LayerInfo[];
}

/**
 * What a vector file holds. Headers answer where they can; rows are read when the header says too little, and
 * always with `stats`, which also checks every geometry.
 */
export async function describeVector(
  path: string,
  options: { stats?: boolean; signal?: AbortSignal } = {},
): Promise<VectorInfo & { warnings: readonly string[] }> {
  const first = await openFeatures(path);
  const layers: LayerInfo[] = [];
  const warnings = new Set<string>();
  let driver = first.driver;
  for (const [k, name] of first.layers.entries()) {
    const source = k === 0 ? first : await openFeatures(path, { layer: name });
    driver = source.driver;
    try {
      layers.push(await describeLayer(source, name, options));
      for (const warning of source.warnings) warnings.add(warning);
    } finally {
      await source.close();
    }
  }
  return { kind: "vector", driver, layers, warnings: [...warnings] };
}

async function describeLayer(
  source: FeatureSource,
  name: string,
  options: { stats?: boolean; signal?: AbortSignal },
): Promise<LayerInfo> {
  const { schema } = source;
  const plain = schema.geometryTypes.length === 1 && schema.geometryTypes[0] === 0;
  const known = schema.count !== null && schema.geometryTypes.length > 0 && (plain || schema.bounds !== null);
  const base = {
    name,
    crs: crsText(schema.crs),
    fields: schema.fields.map(({ name, type, nullable }) => ({ name, type, nullable })),
  };
  if (known && options.stats !== true) {
    const names = plain ? [] : typeNames(schema.geometryTypes);
    return {
      ...base,
      count: schema.count,
      geometryTypes: names,
      bbox: schema.bounds === null ? null : [...schema.bounds],
    };
  }
  const types = new Set<GeometryType>();
  const bbox = [Infinity, Infinity, -Infinity, -Infinity];
  let count = 0;
  let nulls = 0;
  let invalid = 0;
  const check = options.stats === true ? (await import("../../operators/validity.ts")).countInvalid : null;
  for await (const { geometry, count: rows } of source.batches(
    options.signal === undefined ? {} : { signal: options.signal },
  )) {
    count += rows;
    if (geometry === null) continue;
    for (const type of geometry.types) {
      if (type === 0) nulls++;
      else types.add(type as GeometryType);
    }
    const boxes = rowBounds(geometry);
    for (let i = 0; i < boxes.length; i += 4) {
      bbox[0] = Math.min(bbox[0]!, boxes[i]!);
      bbox[1] = Math.min(bbox[1]!, boxes[i + 1]!);
      bbox[2] = Math.max(bbox[2]!, boxes[i + 2]!);
      bbox[3] = Math.max(bbox[3]!, boxes[i + 3]!);
    }
    if (check !== null) invalid += check(geometry);
  }
  return {
    ...base,
    count,
    geometryTypes: plain ? [] : typeNames([...types].sort((a, b) => a - b)),
    bbox: bbox[0]! <= bbox[2]! ? bbox : null,
    ...(plain ? {} : { nulls }),
    ...(check === null || plain ? {} : { invalid }),
  };
}

function typeNames(types: readonly GeometryType[]): string[] {
  return types.filter((type) => type !== 0).map((type) => GEOMETRY_NAMES[type]);
}

/** Code of a CRS, else the text it was defined by, else its PROJ string; `null` when there is none. */
export function crsText(crs: Crs | null): string | null {
  return crs === null ? null : (crs.code ?? crs.definition ?? crs.proj4);
}

/** Lines for a person. */
export function vectorLines(
  path: string,
  { driver, layers }: VectorInfo,
  sources: ReadonlyMap<string, Crs | null>,
): string[] {
  const lines = [`${path}`, `  format    ${driver}`];
  for (const { name, count, geometryTypes, bbox, fields, nulls, invalid } of layers) {
    lines.push(
      `  layer     ${name}: ${count} feature${count === 1 ? "" : "s"}, ${geometryTypes.join(", ") || "no geometry"}`,
    );
    if (geometryTypes.length > 0) {
      lines.push(`  crs       ${describeCrs(sources.get(name) ?? null)}`);
      if (bbox !== null) lines.push(`  bbox      ${bbox.map((v) => Number(v.toPrecision(12))).join(", ")}`);
    }
    if (nulls !== undefined && nulls > 0) lines.push(`  null      ${nulls} without geometry`);
    if (invalid !== undefined) lines.push(`  invalid   ${invalid}`);
    const width = Math.max(0, ...fields.map((field) => field.name.length));
    for (const field of fields)
      lines.push(`    ${field.name.padEnd(width)}  ${field.type}${field.nullable ? "" : ", not null"}`);
  }
  return lines;
}
