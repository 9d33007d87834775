import { z } from "zod";

/** Parameters that every pipeline takes. */
export const area: z.ZodType<
  { state: string; district: string; block: string } | { project: string; id: string }
> = z
  .union([
    z.strictObject({ state: z.string().min(1), district: z.string().min(1), block: z.string().min(1) }),
    z.strictObject({ project: z.string().min(1), id: z.string().min(1) }),
  ])
  .describe("the place: {state, district, block} or {project, id}; names the layers");

export const idColumn: z.ZodDefault<z.ZodString> = z
  .string()
  .default("uid")
  .describe("column of the unit layer that identifies a unit");

export const format: z.ZodDefault<
  z.ZodEnum<{ geojson: "geojson"; fgb: "fgb"; gpkg: "gpkg"; parquet: "parquet"; shp: "shp" }>
> = z
  .enum(["geojson", "fgb", "gpkg", "parquet", "shp"])
  .default("geojson")
  .describe("format of the vector layers");
