import { readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative } from "node:path";
import { readError } from "../io/read-errors.ts";
import { GeoError } from "../model/errors.ts";
import type { JsonValue } from "../model/features.ts";

/** Configurations are small; a larger file is some other file. */
const MAX_BYTES = 4 * 2 ** 20;

export type Config = { [key: string]: JsonValue };

/** A configuration and the folder that its relative paths count from. */
export interface LoadedConfig {
  readonly values: Config;
  readonly folder: string;
}

/**
 * Read a configuration of `tilth run`: a JSON or YAML object.
 *
 * @throws GeoError `NOT_FOUND`, `UNREADABLE`, `INVALID_FORMAT`
 */
export async function readConfig(path: string): Promise<LoadedConfig> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) {
      throw new GeoError(
        "INVALID_FORMAT",
        `${path} has ${size} bytes, too large for a configuration (${MAX_BYTES} at most)`,
        { format: "config", path },
        { hint: "Pass the JSON or YAML file with the parameters of the run." },
      );
    }
    text = await readFile(path, "utf8");
  } catch (error) {
    throw readError(path, error);
  }
  let values: unknown;
  try {
    values = /\.ya?ml$/i.test(path)
      ? (await import("yaml")).parse(text, { maxAliasCount: 100 })
      : JSON.parse(text);
  } catch (error) {
    throw new GeoError(
      "INVALID_FORMAT",
      `${path} is not ${/\.ya?ml$/i.test(path) ? "YAML" : "JSON"}: ${(error as Error).message}`,
      { format: "config", path },
      { cause: error, hint: "Expected one object with the parameters of the run." },
    );
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new GeoError(
      "INVALID_FORMAT",
      `${path} holds no object`,
      { format: "config", path },
      {
        hint: "Expected one object with the parameters of the run.",
      },
    );
  }
  return { values: values as Config, folder: dirname(path) };
}

/**
 * Put `--set key=value` pairs over a configuration. `key` may go into objects by dots (`area.district=x`). A value
 * that is JSON is taken as JSON, else as text.
 *
 * @throws GeoError `INVALID_INPUT`
 */
export function applySettings(config: Config, settings: readonly string[]): Config {
  const result = structuredClone(config);
  for (const setting of settings) {
    const at = setting.indexOf("=");
    if (at <= 0) {
      throw new GeoError("INVALID_INPUT", `--set ${setting} is not key=value`, {
        path: "set",
        expected: "key=value",
      });
    }
    const keys = setting.slice(0, at).split(".");
    if (
      keys.some((key) => key === "__proto__" || key === "constructor" || key === "prototype" || key === "")
    ) {
      throw new GeoError("INVALID_INPUT", `--set ${setting}: that key cannot be set`, {
        path: "set",
        expected: "a name",
      });
    }
    let target = result;
    for (const key of keys.slice(0, -1)) {
      const inner = target[key];
      if (typeof inner !== "object" || inner === null || Array.isArray(inner)) target[key] = {};
      target = target[key] as Config;
    }
    target[keys.at(-1)!] = settingValue(setting.slice(at + 1));
  }
  return result;
}

/**
 * `--set` pairs with the paths of inputs written anew, so that they count from the folder one is in, as on any
 * command line, although paths of the configuration count from `folder`.
 *
 * @param names  Settings that hold paths.
 */
export function settingsFromHere(
  settings: readonly string[],
  names: readonly string[],
  folder: string,
): string[] {
  return settings.map((setting) => {
    const at = setting.indexOf("=");
    const keys = setting.slice(0, Math.max(0, at)).split(".");
    if (!names.includes(keys[0]!) || NO_PATHS.has(keys.at(-1)!)) return setting;
    const value = pathsFrom(folder, settingValue(setting.slice(at + 1)));
    return `${setting.slice(0, at)}=${typeof value === "string" ? value : JSON.stringify(value)}`;
  });
}

/** Members of an input that are names. */
const NO_PATHS: ReadonlySet<string> = new Set(["layer", "label", "year"]);

function pathsFrom(folder: string, value: JsonValue): JsonValue {
  if (typeof value === "string") {
    return isAbsolute(value) || /^https?:\/\//.test(value) ? value : relative(folder, value) || ".";
  }
  if (Array.isArray(value)) return value.map((one: JsonValue) => pathsFrom(folder, one));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value);
  return Object.fromEntries(
    members.map(([name, inner]) => [name, NO_PATHS.has(name) ? inner : pathsFrom(folder, inner)]),
  );
}

function settingValue(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

/** A path of a configuration, relative to the configuration's folder. */
export function resolveFrom(folder: string, path: string): string {
  return isAbsolute(path) || /^https?:\/\//.test(path) ? path : join(folder, path);
}
