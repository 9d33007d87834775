import { transformer } from "../../crs/transformer.ts";
import { sameCrs } from "../../model/crs.ts";
import { type Column, columnNamed, type FeatureTable, type Value, valueAt } from "../../model/features.ts";
import { type GeometryColumn, rowBounds, typeDimension } from "../../model/geometry.ts";
import type { Bounds } from "../../model/grid.ts";
import type { Rgba } from "../../model/raster.ts";
import type { LayerStyle } from "../../pipelines/define.ts";
import { parseColor, rampColor, SERIES, WATER } from "./colors.ts";
import type { Legend, MapView, ShapeStyle, VectorLayer } from "./types.ts";

export interface VectorLayerOptions {
  readonly id: string;
  readonly title: string;
  readonly map: MapView;
  readonly style?: LayerStyle | undefined;
  /** Column by which rows of the table are linked; default that of the style. */
  readonly keyColumn?: string | undefined;
  /** Keys of the features, instead of a column. */
  readonly keys?: readonly string[] | undefined;
  /** Fill of polygons whose style asks for none; default: really none. */
  readonly ground?: Rgba | undefined;
  /** Drawn under outlines of polygons without fill; default none. */
  readonly casing?: Rgba | undefined;
  readonly visible?: boolean | undefined;
  readonly opacity?: number | undefined;
}

/**
 * A table of features as a layer of the map, moved into its system. Colours come from the style: one for all, or by
 * the classes of a column (numbers in a column named like a stream order grow wider and darker). `null` for a
 * table without geometry. The table is not changed.
 */
export function vectorLayer(table: FeatureTable, options: VectorLayerOptions): VectorLayer | null {
  if (table.geometry === null) return null;
  const { style = {}, keyColumn = style.idColumn } = options;
  const geometry = moved(table, options.map);
  const shape = mainShape(geometry);
  const styled = grounded(styleOf(table, style, shape), options.ground, options.casing);
  const key = keyColumn === undefined ? undefined : columnNamed(table, keyColumn);
  return {
    kind: "vector",
    id: options.id,
    title: options.title,
    visible: options.visible ?? true,
    opacity: options.opacity ?? 1,
    geometry,
    keys: options.keys ?? (key === undefined ? null : columnKeys(key, table.count)),
    labels: labelsOf(table, style),
    ...styled,
  };
}

/** Cells of a column as keys that link the map and the table. */
export function columnKeys(column: Column, count: number): string[] {
  return Array.from({ length: count }, (_, i) => textOf(valueAt(column, i)));
}

/** Bounds of a table in a map's system; `null` when it has none. */
export function tableBounds(table: FeatureTable, crs: MapView["crs"]): Bounds | null {
  if (table.geometry === null) return null;
  const boxes = rowBounds(moved(table, { crs, bounds: [0, 0, 0, 0] }));
  let bounds: [number, number, number, number] | null = null;
  for (let i = 0; i < boxes.length; i += 4) {
    if (!(boxes[i]! <= boxes[i + 2]!)) continue;
    bounds ??= [Infinity, Infinity, -Infinity, -Infinity];
    bounds[0] = Math.min(bounds[0], boxes[i]!);
    bounds[1] = Math.min(bounds[1], boxes[i + 1]!);
    bounds[2] = Math.max(bounds[2], boxes[i + 2]!);
    bounds[3] = Math.max(bounds[3], boxes[i + 3]!);
  }
  return bounds;
}

function moved({ geometry, crs }: FeatureTable, map: MapView): GeometryColumn {
  if (crs === null || map.crs === null || sameCrs(crs, map.crs)) return geometry!;
  const xy = geometry!.xy.slice();
  transformer(crs, map.crs)(xy);
  return { ...geometry!, xy };
}

type Shape = "point" | "line" | "polygon";

/** What most features are. */
function mainShape({ types }: GeometryColumn): Shape {
  const counts = [0, 0, 0];
  for (const type of types) {
    const dimension = typeDimension(type);
    if (dimension >= 0) counts[dimension]!++;
  }
  return (["point", "line", "polygon"] as const)[counts.indexOf(Math.max(...counts))]!;
}

type Styled = Pick<VectorLayer, "styles" | "classes" | "legend">;

function styleOf(table: FeatureTable, style: LayerStyle, shape: Shape): Styled {
  const by = style.by === undefined ? undefined : columnNamed(table, style.by);
  if (by !== undefined && style.classes !== undefined && style.classes.length > 0) {
    const index = new Map(style.classes.map((one, k) => [String(one.value), k]));
    const other = style.classes.length;
    const classes = Uint16Array.from(
      { length: table.count },
      (_, i) => index.get(textOf(valueAt(by, i))) ?? other,
    );
    const styles = [
      ...style.classes.map(({ color }) => colored(style, shape, color)),
      colored(style, shape, [150, 150, 150, 255]),
    ];
    const used = new Set(classes);
    const items = [...style.classes.map(({ name }) => name), "other or none"]
      .map((name, k) => ({ name, style: styles[k]!, used: used.has(k) }))
      .filter((item) => item.used)
      .map(({ name, style: itemStyle }) => ({ name, style: itemStyle }));
    return { styles, classes, legend: { kind: "symbols", shape, items } };
  }
  const orders = shape === "line" ? orderColumn(table) : null;
  if (orders !== null) return orderStyles(table, orders.name, orders.values, style);
  const one = colored(style, shape, parseColor(style.color, SERIES[0]!) ?? SERIES[0]!);
  return {
    styles: [one],
    classes: null,
    legend: { kind: "symbols", shape, items: [{ name: "", style: one }] },
  };
}

/** Polygons without fill are given one, or a casing, as the map asks. */
function grounded(styled: Styled, ground: Rgba | undefined, casing: Rgba | undefined): Styled {
  const { legend } = styled;
  if (
    (ground === undefined && casing === undefined) ||
    legend.kind !== "symbols" ||
    legend.shape !== "polygon"
  )
    return styled;
  const filled = (style: ShapeStyle): ShapeStyle =>
    style.fill === null ? { ...style, fill: ground ?? null, casing } : style;
  const items = legend.items.map(({ name, style }) => ({ name, style: filled(style) }));
  return { ...styled, styles: styled.styles.map(filled), legend: { ...legend, items } };
}

/** The column with stream orders, if there is one: small whole numbers under a name that says so. */
export function orderColumn(table: FeatureTable): { name: string; values: Int32Array } | null {
  for (const column of table.columns) {
    if (!/^(order|strahler|str(ea)?m?_?order|ord_stra|horton)$/i.test(column.name)) continue;
    const values = Int32Array.from({ length: table.count }, (_, i) => {
      const value = Number(valueAt(column, i));
      return Number.isInteger(value) && value >= 0 && value <= 15 ? value : 0;
    });
    if (values.some((value) => value > 0)) return { name: column.name, values };
  }
  return null;
}

function orderStyles(table: FeatureTable, name: string, values: Int32Array, style: LayerStyle): Styled {
  const highest = values.reduce((a, b) => Math.max(a, b), 1);
  const present = [...new Set(values)].sort((a, b) => a - b);
  const styles = present.map((order): ShapeStyle => {
    const share = highest === 1 ? 0.6 : Math.max(0, order - 1) / (highest - 1);
    const width = (style.width ?? 1.2) * (0.8 + 0.5 * Math.max(0, order - 1));
    return {
      stroke: order === 0 ? [150, 150, 150, 255] : rampColor(WATER, share),
      width: Math.min(6, width),
      fill: null,
      radius: 3,
    };
  });
  const at = new Map(present.map((order, k) => [order, k]));
  const items = present.map((order, k) => ({
    name: order === 0 ? `no ${name}` : `${name} ${order}`,
    style: styles[k]!,
  }));
  return {
    styles,
    classes: Uint16Array.from({ length: table.count }, (_, i) => at.get(values[i]!)!),
    legend: { kind: "symbols", shape: "line", items } satisfies Legend,
  };
}

function colored(style: LayerStyle, shape: Shape, color: Rgba): ShapeStyle {
  const classed = style.classes !== undefined && style.by !== undefined;
  if (shape === "line") return { stroke: color, width: style.width ?? 1.4, fill: null, radius: 3 };
  if (shape === "point") return { stroke: [255, 255, 255, 255], width: 1, fill: color, radius: 4 };
  const fill = classed ? color : parseColor(style.fill, [color[0], color[1], color[2], 60]);
  // Outlines that can be seen on both light and dark classes.
  const dark = 0.3 * color[0] + 0.59 * color[1] + 0.11 * color[2] < 75;
  const stroke: Rgba = classed ? (dark ? [235, 240, 236, 255] : [60, 60, 60, 255]) : color;
  return { stroke, width: style.width ?? 1, fill, radius: 3 };
}

/** What is said of each feature: its id, its class, then other attributes; five at most, one a line. */
function labelsOf(table: FeatureTable, { idColumn, by, classes = [] }: LayerStyle): string[] | null {
  const rank = ({ name }: Column): number => (name === idColumn ? 0 : name === by ? 1 : 2);
  const columns = table.columns
    .filter(({ type }) => type !== "json" && type !== "binary")
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, 5);
  if (columns.length === 0) return null;
  const names = new Map(classes.map(({ value, name }) => [String(value), name]));
  return Array.from({ length: table.count }, (_, i) =>
    columns
      .map((column) => {
        const text = textOf(valueAt(column, i));
        return { name: column.name, text: column.name === by ? (names.get(text) ?? text) : text };
      })
      .filter(({ text }) => text !== "")
      .map(({ name, text }) => `${name}: ${text.length > 60 ? `${text.slice(0, 59)}…` : text}`)
      .join("\n"),
  );
}

/** A cell as text; null is empty. */
export function textOf(value: Value): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number")
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(10)));
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? "" : value.toISOString().replace("T00:00:00.000Z", "");
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
