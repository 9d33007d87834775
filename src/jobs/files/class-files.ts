import { readFile } from "node:fs/promises";
import { readError } from "../../io/read-errors.ts";
import { GeoError } from "../../model/errors.ts";
import type { ClassInfo } from "../../operators/dominant.ts";
import type { PolygonClass } from "../../operators/dominant-polygons.ts";

/** Classes of a raster, whose values are numbers. */
export async function numberClasses(path: string | undefined): Promise<ClassInfo[] | undefined> {
  if (path === undefined) return undefined;
  const classes = await readClasses(path);
  const text = classes.find(({ value }) => typeof value !== "number");
  if (text !== undefined) throw notClasses(path, `${JSON.stringify(text.value)} is no sample of a raster`);
  return classes as ClassInfo[];
}

/**
 * The classes listed in a JSON file: `[{value, name, color?}]`, or `colour`.
 * @throws GeoError `INVALID_FORMAT` for anything else, or a value that is listed twice
 */
export async function readClasses(path: string): Promise<PolygonClass[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw readError(path, error);
  }
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw notClasses(path, (error as Error).message);
  }
  if (!Array.isArray(list) || list.length === 0) throw notClasses(path, "it is not a list with entries");
  const seen = new Set<unknown>();
  return list.map((entry: unknown, k) => {
    const { value, name, color, colour } = (entry ?? {}) as { readonly [key: string]: unknown };
    if ((typeof value !== "number" && typeof value !== "string") || typeof name !== "string")
      throw notClasses(path, `entry ${k + 1} lacks a value or a name`);
    if (seen.has(value)) throw notClasses(path, `the value ${JSON.stringify(value)} is listed twice`);
    seen.add(value);
    const shown = color ?? colour;
    return { value, name, ...(typeof shown === "string" ? { color: shown } : {}) };
  });
}

function notClasses(path: string, found: string): GeoError<"INVALID_FORMAT"> {
  return new GeoError(
    "INVALID_FORMAT",
    `${path} is no list of classes: ${found}`,
    { format: "classes", path },
    { hint: 'Expected JSON such as [{"value": 1, "name": "Built-up", "color": "#c43737"}].' },
  );
}
