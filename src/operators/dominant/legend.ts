import type { RasterSource, Rgba } from "../../model/raster.ts";
import type { ClassInfo } from "../dominant.ts";

/** What is known of one value. */
export interface ClassLook {
  readonly name?: string | undefined;
  /** As in `"#1f6fb4"`. */
  readonly color?: string | undefined;
}

/**
 * Names and colours that a raster gives its classes: the colour table of the band (entries that are not transparent), and
 * metadata of the band or the file whose keys end in `class_values`, `class_names` and `class_palette`, lists in JSON or with
 * commas, as Earth Engine has them. Empty when it says nothing.
 */
export function fileClasses(source: RasterSource, band: number): Map<number, ClassLook> {
  const looks = new Map<number, ClassLook>();
  const { colorTable, metadata } = source.bands[band]!;
  for (const [value, color] of (colorTable ?? []).entries()) {
    if (color[3] !== 0) looks.set(value, { color: toHex(color) });
  }
  for (const about of [source.metadata, metadata]) {
    for (const [key, text] of Object.entries(about)) {
      if (!key.endsWith("class_values")) continue;
      const stem = key.slice(0, -"values".length);
      const names = listOf(about[`${stem}names`]);
      const palette = listOf(about[`${stem}palette`]);
      for (const [k, one] of listOf(text).entries()) {
        const value = Number(one);
        if (one === "" || Number.isNaN(value)) continue;
        const name = names[k]?.trim();
        const color = hexColor(palette[k]);
        looks.set(value, {
          ...looks.get(value),
          ...(name === undefined || name === "" ? {} : { name }),
          ...(color === undefined ? {} : { color }),
        });
      }
    }
  }
  return looks;
}

function listOf(text: string | undefined): string[] {
  if (text === undefined) return [];
  if (text.trimStart().startsWith("[")) {
    try {
      const list: unknown = JSON.parse(text);
      if (Array.isArray(list)) return list.map(String);
    } catch {
      // Not JSON after all.
    }
  }
  return text.replace(/^\s*[[{(]|[\]})]\s*$/g, "").split(",");
}

function hexColor(text: string | undefined): string | undefined {
  const digits = /^\s*["']?#?([0-9a-f]{6})["']?\s*$/i.exec(text ?? "")?.[1];
  return digits === undefined ? undefined : `#${digits.toLowerCase()}`;
}

function toHex([red, green, blue]: Rgba): string {
  return `#${((red << 16) | (green << 8) | blue).toString(16).padStart(6, "0")}`;
}

/** The classes of a result: those listed, then the other values found, upward. */
export function classList(
  found: ReadonlySet<number>,
  listed: readonly ClassInfo[] | undefined,
  looks: ReadonlyMap<number, ClassLook>,
  others: "keep" | "ignore",
  warnings: Set<string>,
): ClassInfo[] {
  const list: ClassInfo[] = (listed ?? []).map((info) => {
    const color = info.color ?? looks.get(info.value)?.color;
    return color === info.color ? info : { ...info, color };
  });
  const known = new Set(list.map(({ value }) => value));
  const rest = [...found].filter((value) => !known.has(value)).sort((a, b) => a - b);
  if (listed !== undefined && rest.length > 0)
    warnings.add(
      `values that no class is named for were ${others === "keep" ? "kept" : "left out"}: ${rest.join(", ")}`,
    );
  if (listed === undefined || others === "keep")
    for (const value of rest) {
      const { name = `class_${value}`, color } = looks.get(value) ?? {};
      list.push({ value, name, ...(color === undefined ? {} : { color }) });
    }
  return list;
}
