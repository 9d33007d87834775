import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { exitStatus, GeoError } from "../model/errors.ts";
import type { CliIo, Command, CommandContext, CommandResult, CommonOptions, OptionSpec } from "./command.ts";

/** Commands by name; each is loaded only when called. */
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<Command> }>> = {
  info: { summary: "Say what a file holds", load: async () => (await import("./commands/info.ts")).info },
  convert: {
    summary: "Convert format and CRS; rasters become COGs",
    load: async () => (await import("./commands/convert.ts")).convert,
  },
  validate: {
    summary: "Check geometry, or that a raster is a valid COG",
    load: async () => (await import("./commands/validate.ts")).validate,
  },
  clip: {
    summary: "Clip a layer or a raster to a region",
    load: async () => (await import("./commands/clip.ts")).clip,
  },
  join: {
    summary: "Join two layers by where their features lie, by attributes, or by distance",
    load: async () => (await import("./commands/join.ts")).join,
  },
  zonal: {
    summary: "Statistics of a raster per zone",
    load: async () => (await import("./commands/zonal.ts")).zonal,
  },
  dominant: {
    summary: "Area of each class and the dominant class per zone",
    load: async () => (await import("./commands/dominant.ts")).dominant,
  },
  composite: {
    summary: "Composite a dated stack of rasters, one band or file per period",
    load: async () => (await import("./commands/composite.ts")).composite,
  },
  warp: {
    summary: "Bring a raster to another CRS, resolution, extent or grid",
    load: async () => (await import("./commands/warp.ts")).warp,
  },
  rasterize: {
    summary: "Burn features into a raster",
    load: async () => (await import("./commands/rasterize.ts")).rasterize,
  },
  polygonize: {
    summary: "Polygons of the regions of equal value of a raster",
    load: async () => (await import("./commands/polygonize.ts")).polygonize,
  },
  pipelines: {
    summary: "List the pipelines, or describe one",
    load: async () => (await import("./commands/pipelines.ts")).pipelines,
  },
  run: { summary: "Run a pipeline into a folder", load: async () => (await import("./commands/run.ts")).run },
  doctor: {
    summary: "Say what is installed and which optional parts can be used",
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
};

/** Options that every command takes. */
const COMMON: Readonly<Record<string, OptionSpec>> = {
  json: { type: "boolean", help: "print one JSON document on standard output" },
  workers: { type: "string", value: "N|auto", help: "tasks at a time; the output is the same for every N" },
  memory: { type: "string", value: "SIZE", help: "budget for pixels in flight, such as 512MB (default)" },
  "on-crs-mismatch": {
    type: "string",
    value: "error|transform",
    help: "what to do with inputs in different CRSs (default: transform, with a warning)",
  },
  overwrite: { type: "boolean", help: "replace an output that is already there" },
  progress: { type: "string", value: "auto|plain|none", help: "progress on standard error" },
  quiet: { type: "boolean", short: "q", help: "no progress and no warnings on standard error" },
  verbose: { type: "boolean", short: "v", help: "stack traces and details" },
  help: { type: "boolean", short: "h", help: "show this help" },
};

/** Run the command line: prints, and sets `process.exitCode`. */
export async function main(argv: readonly string[]): Promise<void> {
  const abort = new AbortController();
  const interrupt = (): void => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort(new GeoError("ABORTED", "interrupted", { reason: "signal" }));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  // A reader that leaves early (`| head`) has what it wanted; without one for messages the work still goes on.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  process.stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  process.exitCode = await runCli(argv, {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    terminal: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 80,
    signal: abort.signal,
  });
  process.off("SIGINT", interrupt);
  process.off("SIGTERM", interrupt);
}

/**
 * Run one command line against `io`. Exit status: 0 done; 1 the operation failed; 2 the command line is wrong;
 * 3 an input is missing, unreadable or invalid; 130 interrupted.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const started = performance.now();
  const [name, ...rest] = argv;
  const json = argv.includes("--json");
  const verbose = argv.includes("--verbose") || argv.includes("-v");
  try {
    if (name === "--version" || name === "version") {
      io.out(
        json ? `${JSON.stringify({ ok: true, command: "version", version: version() })}\n` : `${version()}\n`,
      );
      return 0;
    }
    if (name === undefined || name === "--help" || name === "-h" || name === "help") {
      const asked = rest[0] === undefined ? undefined : COMMANDS[rest[0]];
      io.out(asked === undefined ? overview() : helpOf(await asked.load()));
      return name === undefined ? 2 : 0;
    }
    const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (entry === undefined) {
      if (name.startsWith("-")) {
        throw usage(
          `the first argument is ${name}, expected a command`,
          "Run tilth --help; options follow the command.",
        );
      }
      const near = Object.keys(COMMANDS).find((known) => known.startsWith(name.slice(0, 3)));
      throw usage(
        `there is no command "${name}", expected one of ${Object.keys(COMMANDS).join(", ")}`,
        near === undefined ? "Run tilth --help." : `Did you mean ${near}?`,
      );
    }
    const command = await entry.load();
    return await runCommand(command, rest, io, started);
  } catch (error) {
    return fail(error, name, json, verbose, io);
  }
}

async function runCommand(
  command: Command,
  argv: readonly string[],
  io: CliIo,
  started: number,
): Promise<number> {
  const { values, positionals } = parse(command, argv);
  if (values["help"] === true) {
    io.out(helpOf(command));
    return 0;
  }
  const [min, max] = command.arguments;
  if (positionals.length < min || positionals.length > max) {
    const found = positionals.length === 0 ? "no arguments" : `${positionals.length} argument(s)`;
    throw usage(
      `tilth ${command.name} was given ${found}, expected ${command.usage || "none"}`,
      `Usage: tilth ${command.name} ${command.usage} [options]; see tilth ${command.name} --help.`,
    );
  }
  const common = commonOptions(values);
  const mode = choice(values, "progress", ["auto", "plain", "none"] as const, "auto");
  const { createProgress } = await import("./progress.ts");
  const progress = createProgress(common.quiet ? "none" : mode, io);
  const context: CommandContext = { positionals, ...readers(values), common, progress, signal: io.signal };
  let result: CommandResult;
  try {
    result = await command.run(context);
  } finally {
    progress.finish();
  }
  const elapsedMs = Math.round(performance.now() - started);
  const failed = result.failed !== undefined;
  if (common.json) {
    const hint = result.hint === undefined ? {} : { hint: result.hint };
    const error = failed ? { error: { code: "CHECK_FAILED", message: result.failed, ...hint } } : {};
    const { outputs, summary, warnings } = result;
    io.out(
      `${toJsonText({ ok: !failed, command: command.name, outputs, summary, warnings, elapsedMs, ...error })}\n`,
    );
  } else {
    if (!common.quiet) for (const warning of result.warnings) io.err(`warning: ${warning}\n`);
    for (const line of result.lines) io.out(`${line}\n`);
    if (failed) io.err(`${result.failed}\n${result.hint === undefined ? "" : `${result.hint}\n`}`);
  }
  return failed ? 1 : 0;
}

/** JSON with whole numbers of any size, and numbers that JSON lacks as text. */
function toJsonText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === "bigint")
      return Number.isSafeInteger(Number(inner)) ? Number(inner) : inner.toString();
    if (typeof inner === "number" && !Number.isFinite(inner)) {
      return Number.isNaN(inner) ? "nan" : inner > 0 ? "inf" : "-inf";
    }
    return inner;
  });
}

function fail(
  error: unknown,
  command: string | undefined,
  json: boolean,
  verbose: boolean,
  io: CliIo,
): number {
  const aborted = io.signal.aborted;
  const status = aborted ? 130 : exitStatus(error);
  const message = aborted ? "interrupted" : error instanceof Error ? error.message : String(error);
  const code = aborted ? "ABORTED" : error instanceof GeoError ? error.code : "INTERNAL";
  const hint = error instanceof GeoError ? (error.hint ?? remedy(error, command)) : undefined;
  if (json) {
    const path = error instanceof GeoError ? (error.details as { path?: string }).path : undefined;
    const body = {
      code,
      message,
      ...(path === undefined ? {} : { path }),
      ...(hint === undefined ? {} : { hint }),
    };
    io.out(`${JSON.stringify({ ok: false, error: body })}\n`);
  } else {
    io.err(`error: ${message}\n`);
    if (hint !== undefined && !aborted) io.err(`${hint}\n`);
    if (code === "INTERNAL")
      io.err("This is a fault of tilth: run again with --verbose and report what it prints.\n");
  }
  if (verbose && error instanceof Error) io.err(`${error.stack ?? ""}\n`);
  return status;
}

/** What to do about an error that does not say so itself. */
function remedy({ code }: GeoError, command: string | undefined): string | undefined {
  if (code === "INVALID_INPUT") return `See tilth ${command ?? ""} --help.`;
  if (code === "UNREADABLE") return "Check that it is a file that you may read.";
  if (code === "INVALID_FORMAT") return "Copy or download the file again, or write it again from its source.";
  return undefined;
}

type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

function parse(command: Command, argv: readonly string[]): { values: Values; positionals: string[] } {
  const options: Record<string, { type: "string" | "boolean"; multiple?: boolean; short?: string }> = {};
  for (const [name, { type, multiple, short }] of Object.entries({ ...COMMON, ...command.options })) {
    options[name] = {
      type,
      ...(multiple === true ? { multiple } : {}),
      ...(short === undefined ? {} : { short }),
    };
  }
  try {
    return parseArgs({ args: joinNegative(argv, options), options, allowPositionals: true });
  } catch (error) {
    const message = (error as Error).message.replace(/\. To specify a positional.*/s, "");
    throw usage(message, `See tilth ${command.name} --help.`);
  }
}

/** `--bbox -71.8,18,-71,19` means what it says: a value that begins with a minus and a digit belongs to its option. */
function joinNegative(
  argv: readonly string[],
  options: Readonly<Record<string, { type: string }>>,
): string[] {
  const joined: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    const next = argv[i + 1];
    if (
      arg.startsWith("--") &&
      options[arg.slice(2)]?.type === "string" &&
      next !== undefined &&
      /^-[\d.]/.test(next)
    ) {
      joined.push(`${arg}=${next}`);
      i++;
    } else joined.push(arg);
  }
  return joined;
}

function readers(values: Values): Pick<CommandContext, "text" | "texts" | "number" | "flag"> {
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    text,
    texts: (name) => {
      const value = values[name];
      return Array.isArray(value) ? value.map(String) : typeof value === "string" ? [value] : [];
    },
    number: (name) => {
      const value = text(name);
      if (value === undefined) return undefined;
      const number = Number(value);
      if (value.trim() === "" || Number.isNaN(number)) throw wrongValue(name, value, "a number");
      return number;
    },
    flag: (name) => values[name] === true,
  };
}

function commonOptions(values: Values): CommonOptions {
  const workers = values["workers"];
  if (workers !== undefined && workers !== "auto" && !/^[1-9]\d{0,2}$/.test(String(workers))) {
    throw wrongValue("workers", String(workers), "a whole number from 1 to 999, or auto");
  }
  return {
    json: values["json"] === true,
    workers: workers === undefined || workers === "auto" ? "auto" : Number(workers),
    memory: values["memory"] === undefined ? 512 * 2 ** 20 : parseSize("memory", String(values["memory"])),
    onCrsMismatch: choice(values, "on-crs-mismatch", ["error", "transform"] as const, "transform"),
    overwrite: values["overwrite"] === true,
    quiet: values["quiet"] === true,
    verbose: values["verbose"] === true,
  };
}

/** `512MB`, `1.5 GiB`, `1000000`: bytes. K, M and G are powers of 1024. */
export function parseSize(name: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?b)?$/i.exec(text.trim());
  const bytes =
    match === null ? 0 : Number(match[1]) * 1024 ** " kmgt".indexOf((match[2] || " ").toLowerCase());
  if (bytes < 2 ** 20) throw wrongValue(name, text, "a size of at least 1MB, such as 512MB or 2GB");
  return Math.floor(bytes);
}

function choice<T extends string>(values: Values, name: string, allowed: readonly T[], fallback: T): T {
  const value = values[name];
  if (value === undefined) return fallback;
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw wrongValue(name, String(value), allowed.join(", "));
  return found;
}

/** One of the values that an option allows. */
export function oneOf<T extends string>(
  name: string,
  value: string | undefined,
  allowed: readonly T[],
  fallback: T,
): T {
  return choice({ [name]: value }, name, allowed, fallback);
}

/** `INVALID_INPUT` for an option. */
export function wrongValue(name: string, value: string, expected: string): GeoError {
  return new GeoError("INVALID_INPUT", `--${name} ${value} is not usable, expected ${expected}`, {
    path: name,
    expected,
  });
}

/** `USAGE` with what to do. */
export function usage(message: string, hint: string): GeoError {
  return new GeoError("USAGE", message, {}, { hint });
}

/** Version of the package. */
export function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    "tilth: local-first geoprocessing",
    "",
    "Usage: tilth COMMAND IN... OUT [options]",
    "",
    ...rows,
    "",
    "tilth COMMAND --help tells the options of a command. Results go to standard output, the rest to standard error.",
    "",
  ].join("\n");
}

function helpOf(command: Command): string {
  const lines = [`${command.summary}`, "", `Usage: tilth ${command.name} ${command.usage} [options]`, ""];
  const section = (title: string, options: Readonly<Record<string, OptionSpec>>): void => {
    const rows = Object.entries(options).map(([name, { short, value, help }]) => {
      const left = `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
      return [left, help] as const;
    });
    if (rows.length === 0) return;
    const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)));
    lines.push(title);
    for (const [left, help] of rows) {
      if (left.length > width) lines.push(`  ${left}`, `  ${" ".repeat(width)}  ${help}`);
      else lines.push(`  ${left.padEnd(width)}  ${help}`);
    }
    lines.push("");
  };
  section("Options", command.options);
  section("Options of every command", COMMON);
  if (command.examples.length > 0)
    lines.push("Examples", ...command.examples.map((example) => `  ${example}`), "");
  return lines.join("\n");
}
