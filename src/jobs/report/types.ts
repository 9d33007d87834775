import type { Crs } from "../../model/crs.ts";
import type { JsonValue } from "../../model/features.ts";
import type { GeometryColumn } from "../../model/geometry.ts";
import type { Bounds } from "../../model/grid.ts";
import type { Rgba } from "../../model/raster.ts";
import type { Picture } from "./png.ts";

/** Everything that a page or a picture of a run shows. Text may come from anywhere: it is escaped when drawn. */
export interface ReportInput {
  readonly title: string;
  /** The place, for example. */
  readonly subtitle?: string;
  /** The question that the run answers. */
  readonly question?: string;
  /** Program and version. */
  readonly createdBy: string;
  /** Instant, ISO 8601. */
  readonly createdAt?: string;
  readonly summary: readonly SummaryItem[];
  readonly map: MapView;
  /** From the bottom to the top. Coordinates are those of `map`. */
  readonly layers: readonly ReportLayer[];
  readonly table: ReportTable | null;
  readonly charts: readonly ChartSpec[];
  readonly warnings: readonly string[];
  readonly provenance: Provenance | null;
}

export interface SummaryItem {
  readonly label: string;
  readonly value: number | string;
  readonly unit?: string;
}

/** What part of the world the map shows, and in which system. */
export interface MapView {
  /** `null`: coordinates of an unknown system, drawn as they are. */
  readonly crs: Crs | null;
  readonly bounds: Bounds;
}

export type ReportLayer = RasterLayer | VectorLayer;

interface LayerBase {
  /** Unique on the page; letters, digits, `-` and `_`. */
  readonly id: string;
  readonly title: string;
  readonly legend: Legend;
  /** Shown when the page opens. */
  readonly visible: boolean;
  /** 0 to 1. */
  readonly opacity: number;
}

export interface RasterLayer extends LayerBase {
  readonly kind: "raster";
  readonly picture: Picture;
  /** Outer edges of the picture. */
  readonly bounds: Bounds;
  /** Blend between pixels; false keeps classes sharp. */
  readonly smooth: boolean;
}

export interface VectorLayer extends LayerBase {
  readonly kind: "vector";
  readonly geometry: GeometryColumn;
  /** Key of each feature, by which rows of the table are linked; `null`: not linked. */
  readonly keys: readonly string[] | null;
  /** What a pointer shows of each feature; `null`: nothing. */
  readonly labels: readonly string[] | null;
  /** How features are drawn; `classes` says which style each one has. */
  readonly styles: readonly ShapeStyle[];
  /** Index into `styles` for each feature; `null`: all have the first. */
  readonly classes: Uint16Array | null;
}

/** Widths are in pixels. `null`: not drawn. */
export interface ShapeStyle {
  readonly stroke: Rgba | null;
  readonly width: number;
  readonly fill: Rgba | null;
  /** Of points. */
  readonly radius: number;
  /** Drawn under outlines and lines, a little wider, so that they stand out from a raster. */
  readonly casing?: Rgba | undefined;
}

export type Legend =
  | { readonly kind: "classes"; readonly items: readonly { readonly name: string; readonly color: Rgba }[] }
  | {
      readonly kind: "ramp";
      /** Evenly spaced from `min` to `max`. */
      readonly colors: readonly Rgba[];
      readonly min: number;
      readonly max: number;
      readonly unit: string;
    }
  | {
      readonly kind: "symbols";
      readonly shape: "point" | "line" | "polygon";
      readonly items: readonly { readonly name: string; readonly style: ShapeStyle }[];
    };

export interface ReportTable {
  readonly title: string;
  readonly columns: readonly { readonly name: string; readonly numeric: boolean }[];
  /** Cells as text or numbers; `null` is empty. */
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
  /** Key of each row, as in {@link VectorLayer.keys}; `null`: not linked. */
  readonly keys: readonly string[] | null;
  /** Rows of the whole layer, when `rows` are only the first of them. */
  readonly total: number;
}

/** Horizontal bars: for each category one bar a series, or all series stacked in one. */
export interface ChartSpec {
  readonly title: string;
  readonly unit: string;
  readonly stacked: boolean;
  readonly categories: readonly string[];
  readonly series: readonly {
    readonly name: string;
    readonly color: Rgba;
    readonly values: readonly number[];
  }[];
}

export interface Provenance {
  readonly parameters: { readonly [key: string]: JsonValue };
  readonly inputs: readonly ProvenanceFile[];
  readonly outputs: readonly ProvenanceFile[];
  readonly steps: readonly { readonly name: string; readonly elapsedMs: number }[];
  readonly counts: { readonly [key: string]: JsonValue };
  /** Where the method comes from. */
  readonly sources: readonly string[];
  readonly machine: string;
}

export interface ProvenanceFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number | null;
  readonly sha256: string | null;
}
