import type { OutputFile } from "../io/open.ts";
import type { JsonValue } from "../model/features.ts";
import type { Progress } from "./progress.ts";

/** One option of a command, as `node:util` parses it, with the words of `--help`. */
export interface OptionSpec {
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  readonly short?: string;
  /** Placeholder of the value in the help, such as `FILE`. */
  readonly value?: string;
  readonly help: string;
}

/** The world as a command sees it; tests pass arrays instead of streams. */
export interface CliIo {
  out(text: string): void;
  err(text: string): void;
  /** Whether standard error is a terminal, and how wide. */
  readonly terminal: boolean;
  readonly columns: number;
  readonly signal: AbortSignal;
}

/** Options that every command takes. */
export interface CommonOptions {
  readonly json: boolean;
  /** Threads or tasks in flight. */
  readonly workers: number | "auto";
  /** Budget for pixels in flight, bytes. */
  readonly memory: number;
  readonly onCrsMismatch: "error" | "transform";
  readonly overwrite: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

export interface CommandContext {
  readonly positionals: readonly string[];
  /** Value of a string option. */
  text(name: string): string | undefined;
  /** Values of an option that may be repeated. */
  texts(name: string): readonly string[];
  /** A number; `INVALID_INPUT` when it is not one. */
  number(name: string): number | undefined;
  flag(name: string): boolean;
  readonly common: CommonOptions;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface CommandResult {
  readonly outputs: readonly OutputFile[];
  readonly summary: { readonly [key: string]: JsonValue };
  readonly warnings: readonly string[];
  /** What a person reads on standard output. */
  readonly lines: readonly string[];
  /** Problems that a check found: the command did its work and exits with 1. */
  readonly failed?: string;
  /** What to do about them. */
  readonly hint?: string;
}

export interface Command {
  readonly name: string;
  /** One line, imperative, no full stop. */
  readonly summary: string;
  /** Positional arguments, as in `IN OUT`. */
  readonly usage: string;
  /** Number of positional arguments: at least and at most. */
  readonly arguments: readonly [min: number, max: number];
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly examples: readonly string[];
  run(context: CommandContext): Promise<CommandResult>;
}
