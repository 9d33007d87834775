import type { ZodObject, z } from "zod";
import type { FeatureSource, FeatureTable, JsonValue } from "../model/features.ts";
import type { RasterSource, Rgba } from "../model/raster.ts";

/** A file (or several) that a pipeline reads. The parameter of the same name holds its path. */
export interface InputSpec {
  /** `features`: one layer; `raster`: one raster; `rasters`: one raster a year, by label. */
  readonly kind: "features" | "raster" | "rasters";
  readonly title: string;
  /** Columns or bands it must have, in words. */
  readonly expects: string;
  readonly optional?: boolean;
}

/** A layer that a pipeline makes. `name` may hold `<district>` and `<block>`. */
export interface OutputSpec {
  readonly name: string;
  readonly kind: "vector" | "raster" | "table";
  readonly title: string;
  /** Columns with units, in words. */
  readonly columns?: readonly { readonly name: string; readonly unit: string; readonly meaning: string }[];
}

/** A raster of a list, with the label it was given (a year). */
export interface LabelledRaster {
  readonly label: string;
  readonly source: RasterSource;
}

/** Inputs of a run, opened by the job. Names are those of {@link Pipeline.inputs}. */
export interface PipelineInputs {
  features(name: string): FeatureSource;
  raster(name: string): RasterSource;
  rasters(name: string): readonly LabelledRaster[];
  /** Whether an optional input was given. */
  has(name: string): boolean;
}

/** What a pipeline may use besides its parameters. It knows no file and no service. */
export interface PipelineContext {
  readonly inputs: PipelineInputs;
  /** Budget for pixels in flight, bytes. */
  readonly memory: number;
  readonly onCrsMismatch: "error" | "transform";
  readonly signal: AbortSignal;
  progress(step: string, done: number, total: number | null, unit: string): void;
  /** A finding that the person should read; goes to run.json, the page and standard error. */
  warn(message: string): void;
}

/** A class of a raster or a column, with how to draw it. */
export interface ClassStyle {
  readonly value: number | string;
  readonly name: string;
  readonly color: Rgba;
}

/** How the page and the picture draw a layer. */
export interface LayerStyle {
  readonly color?: string;
  readonly fill?: string;
  readonly width?: number;
  /** Column that colours the features, with its classes. */
  readonly by?: string;
  readonly classes?: readonly ClassStyle[];
  /** Column of the unit id, so that map and table are linked. */
  readonly idColumn?: string;
}

export type LayerOutput =
  | {
      readonly kind: "vector";
      readonly name: string;
      readonly title: string;
      readonly source: FeatureTable | FeatureSource;
      readonly style?: LayerStyle;
    }
  | {
      readonly kind: "raster";
      readonly name: string;
      readonly title: string;
      readonly source: RasterSource;
      readonly style?: LayerStyle;
      /** Class values: overviews take the most frequent class, not the average. */
      readonly classes?: boolean;
    }
  | { readonly kind: "table"; readonly name: string; readonly title: string; readonly source: FeatureTable };

/** A figure for the summary. */
export interface Figure {
  readonly label: string;
  readonly value: number | string;
  readonly unit?: string;
}

/** Bars of one chart: a value for each category and series. */
export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly categories: readonly string[];
  readonly series: readonly {
    readonly name: string;
    readonly color?: string;
    readonly values: readonly number[];
  }[];
}

export interface PipelineResult {
  /** Layers still to be written, in order. */
  readonly layers: readonly LayerOutput[];
  /** Layers that only help the eye on the map: the units, for example. */
  readonly context?: readonly Extract<LayerOutput, { kind: "vector" | "raster" }>[];
  /** Called when the layers are written: figures that are known only then. */
  summarize(): {
    readonly figures: readonly Figure[];
    readonly charts: readonly Chart[];
    /** Dropped, cut, repaired and the like; goes to run.json. */
    readonly counts: { readonly [key: string]: JsonValue };
  };
}

/** A named recipe: parameters and opened inputs go in, layers still to be written come out. */
export interface Pipeline<S extends ZodObject = ZodObject> {
  /** Kebab-case; also the argument of `tilth run` and the HTTP process id. */
  readonly name: string;
  /** Changes whenever the same inputs would give other numbers. */
  readonly version: string;
  readonly title: string;
  /** The question that it answers. */
  readonly question: string;
  /** `vector clip`, `dominant class` and so on. */
  readonly shape: string;
  /** Parameters but the inputs' paths; every field has a `.describe()`. */
  readonly parameters: S;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly outputs: readonly OutputSpec[];
  /** Where the method comes from. */
  readonly sources: readonly string[];
  run(parameters: z.output<S>, context: PipelineContext): Promise<PipelineResult>;
}

/** Returns its argument; infers the types of the parameters. */
export function definePipeline<S extends ZodObject>(pipeline: Pipeline<S>): Pipeline<S> {
  return pipeline;
}
