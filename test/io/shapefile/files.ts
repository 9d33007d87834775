import { existsSync, readFileSync } from "node:fs";
import { memoryBytes } from "../../../src/io/bytes/memory.ts";
import type { ByteSource } from "../../../src/io/bytes/source.ts";
import type { ShapefileParts } from "../../../src/io/shapefile/read.ts";

/** The files of a Shapefile in memory, by its path without ending. */
export function shapefileParts(stem: string): ShapefileParts {
  const parts: Record<string, ByteSource> = {};
  for (const ending of ["shp", "shx", "dbf", "prj", "cpg"]) {
    for (const name of [`${stem}.${ending}`, `${stem}.${ending.toUpperCase()}`]) {
      if (existsSync(name)) parts[ending] = memoryBytes(readFileSync(name), name);
    }
  }
  return parts as unknown as ShapefileParts;
}
