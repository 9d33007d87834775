import { readFile } from "node:fs/promises";
import { SaxesParser } from "saxes";

/** Name and colour of a class value. */
export interface ClassName {
  readonly name?: string | undefined;
  /** As in `"#1f6fb4"`. */
  readonly color?: string | undefined;
}

/** Longest list of names that is read. */
const MAX_NAMES = 65536;

/** What the columns of a raster attribute table hold, as GDAL numbers it. */
const USAGE = { name: 2, min: 3, value: 5, red: 6, green: 7, blue: 8 } as const;

/**
 * Names and colours of classes that GDAL keeps beside a raster, in `FILE.aux.xml`: the category names of a band or its
 * attribute table. Empty when there is no such file, or it says nothing about classes; a file that is not XML says nothing.
 *
 * @param path  Of the raster. Addresses are not asked for a second file.
 * @param band  0-based.
 */
export async function readClassNames(path: string, band: number): Promise<Map<number, ClassName>> {
  if (/^https?:\/\//.test(path)) return new Map();
  let text: string;
  try {
    text = await readFile(`${path}.aux.xml`, "utf8");
  } catch {
    return new Map();
  }
  try {
    return parseClassNames(text, band);
  } catch {
    return new Map();
  }
}

interface Field {
  name: string;
  type: number;
  usage: number;
}

/** The same from the text of the file. @throws Error when it is not XML */
export function parseClassNames(text: string, band: number): Map<number, ClassName> {
  const names = new Map<number, ClassName>();
  const fields: Field[] = [];
  const rows: string[][] = [];
  const path: string[] = [];
  let current = 0;
  let category = 0;
  let content = "";
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    path.push(name);
    content = "";
    if (name === "PAMRasterBand") current = Number(attributes["band"] ?? 1) - 1;
    if (current !== band) return;
    if (name === "FieldDefn") fields.push({ name: "", type: 0, usage: 0 });
    else if (name === "Row" && rows.length < MAX_NAMES) rows.push([]);
  });
  parser.on("text", (part) => {
    content += part;
  });
  parser.on("closetag", ({ name }) => {
    path.pop();
    if (current !== band) return;
    const parent = path.at(-1);
    const field = fields.at(-1);
    if (name === "Category" && category < MAX_NAMES) {
      const trimmed = content.trim();
      if (trimmed !== "") names.set(category, { name: trimmed });
      category++;
    } else if (parent === "FieldDefn" && field !== undefined) {
      if (name === "Name") field.name = content.trim();
      else if (name === "Type") field.type = Number(content);
      else if (name === "Usage") field.usage = Number(content);
    } else if (name === "F" && parent === "Row") rows.at(-1)?.push(content.trim());
    content = "";
  });
  parser.write(text).close();
  for (const [value, look] of fromTable(fields, rows)) names.set(value, { ...names.get(value), ...look });
  return names;
}

function fromTable(fields: readonly Field[], rows: readonly (readonly string[])[]): Map<number, ClassName> {
  const looks = new Map<number, ClassName>();
  const by = (usage: number): number => fields.findIndex((field) => field.usage === usage);
  const first = (...columns: number[]): number => columns.find((column) => column >= 0) ?? -1;
  const value = first(
    by(USAGE.value),
    by(USAGE.min),
    fields.findIndex(({ name }) => /^value$/i.test(name)),
  );
  const name = first(
    by(USAGE.name),
    fields.findIndex(({ type }) => type === 2),
  );
  const channels = [by(USAGE.red), by(USAGE.green), by(USAGE.blue)];
  if (value < 0) return looks;
  for (const row of rows) {
    const number = Number(row[value]);
    if (row[value] === undefined || row[value] === "" || Number.isNaN(number)) continue;
    const text = name < 0 ? "" : (row[name] ?? "");
    const rgb = channels.map((column) => (column < 0 ? Number.NaN : Number(row[column])));
    const colored = rgb.every((channel) => channel >= 0 && channel <= 255);
    looks.set(number, {
      ...(text === "" ? {} : { name: text }),
      ...(colored
        ? { color: `#${rgb.map((channel) => Math.round(channel).toString(16).padStart(2, "0")).join("")}` }
        : {}),
    });
  }
  return looks;
}
