import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { GeoError } from "../model/errors.ts";
import type { JsonValue } from "../model/features.ts";
import type { InputSpec, OutputSpec, Pipeline } from "../pipelines/define.ts";
import { PIPELINES } from "../pipelines/registry.ts";

/**
 * A pipeline by its name, or the one that a file of the user's exports (default export or `pipeline`).
 *
 * @throws GeoError `INVALID_INPUT` unknown name, `NOT_FOUND`, `INVALID_FORMAT` no pipeline in the file,
 * `UNSUPPORTED` a `.ts` file on a Node without type stripping
 */
export async function loadPipeline(name: string): Promise<Pipeline> {
  const builtIn = Object.hasOwn(PIPELINES, name) ? PIPELINES[name] : undefined;
  if (builtIn !== undefined) return await builtIn();
  if (!/\.[cm]?[jt]s$/.test(name)) {
    throw new GeoError(
      "INVALID_INPUT",
      `there is no pipeline "${name}"`,
      { path: "pipeline", expected: Object.keys(PIPELINES).join(", ") },
      {
        hint: `There are: ${Object.keys(PIPELINES).join(", ")}; or pass the path of a .js or .ts file of your own.`,
      },
    );
  }
  const path = resolve(name);
  if (!existsSync(path)) throw new GeoError("NOT_FOUND", `${name} does not exist`, { path: name });
  let module: Record<string, unknown>;
  try {
    module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_UNKNOWN_FILE_EXTENSION") {
      throw new GeoError(
        "UNSUPPORTED",
        `${name}: Node ${process.version} does not run TypeScript files by itself`,
        { feature: "TypeScript pipelines", path: name },
        { hint: "Use Node 22.18 or newer, or run with NODE_OPTIONS='--import tsx' after npm install tsx." },
      );
    }
    throw new GeoError(
      "INVALID_FORMAT",
      `${name} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      { format: "pipeline", path: name },
      {
        cause: error,
        hint: "Expected a module that exports a pipeline; run it with node to see where it fails.",
      },
    );
  }
  const pipeline = [module["default"], module["pipeline"]].find(isPipeline);
  if (pipeline === undefined) {
    throw new GeoError(
      "INVALID_FORMAT",
      `${name} exports no pipeline`,
      { format: "pipeline", path: name },
      {
        hint: "Export it as default: export default definePipeline({ name, version, title, parameters, inputs, outputs, sources, run }).",
      },
    );
  }
  return pipeline;
}

function isPipeline(value: unknown): value is Pipeline {
  const one = value as Partial<Pipeline> | null | undefined;
  return (
    typeof one === "object" &&
    one !== null &&
    typeof one.run === "function" &&
    [one.name, one.version, one.title].every((text) => typeof text === "string") &&
    typeof one.parameters?.strict === "function" &&
    typeof one.inputs === "object" &&
    Array.isArray(one.outputs) &&
    Array.isArray(one.sources)
  );
}

/** One parameter, for help and documents. */
export interface ParameterInfo {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly default?: JsonValue;
  readonly description: string;
}

/** A pipeline, for help and documents. */
export interface PipelineInfo {
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly question: string;
  readonly shape: string;
  readonly parameters: readonly ParameterInfo[];
  readonly inputs: readonly ({ readonly name: string } & InputSpec)[];
  readonly outputs: readonly OutputSpec[];
  readonly sources: readonly string[];
}

/** Describe a pipeline: its parameters come from its schema. */
export async function describePipeline(pipeline: Pipeline): Promise<PipelineInfo> {
  const { z } = await import("zod");
  const schema = z.toJSONSchema(pipeline.parameters, { io: "input", unrepresentable: "any" });
  const properties = (schema.properties ?? {}) as Record<string, { [key: string]: JsonValue }>;
  const required = new Set(schema.required ?? []);
  const { name, version, title, question, shape, inputs, outputs, sources } = pipeline;
  return {
    name,
    version,
    title,
    question,
    shape,
    parameters: Object.entries(properties).map(([key, property]) => ({
      name: key,
      type: typeWords(property),
      required: required.has(key),
      ...(property["default"] === undefined ? {} : { default: property["default"] }),
      description: typeof property["description"] === "string" ? property["description"] : "",
    })),
    inputs: Object.entries(inputs).map(([key, spec]) => ({ name: key, ...spec })),
    outputs,
    sources,
  };
}

function typeWords(property: { [key: string]: JsonValue }): string {
  const { enum: values, anyOf, type } = property;
  if (Array.isArray(values)) return values.join(" | ");
  if (Array.isArray(anyOf))
    return anyOf.map((one) => typeWords(one as { [key: string]: JsonValue })).join(" | ");
  if (type === "object" && typeof property["properties"] === "object" && property["properties"] !== null) {
    return `{${Object.keys(property["properties"]).join(", ")}}`;
  }
  return typeof type === "string" ? type : "any";
}
