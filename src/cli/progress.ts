import type { CliIo } from "./command.ts";

/** Where a command reports how far it is. */
export interface Progress {
  /**
   * @param done   Units done.
   * @param total  Units in all, `null` when not known.
   * @param unit   What is counted: `"pixels"`, `"features"`.
   */
  update(step: string, done: number, total: number | null, unit: string): void;
  /** Take the bar away. */
  finish(): void;
}

const SILENT: Progress = { update: () => {}, finish: () => {} };
/** A bar is redrawn at most ten times a second, a line printed every five seconds. */
const BAR_MS = 100;
const LINE_MS = 5000;

/**
 * A bar with rate and time left on a terminal, a line now and then elsewhere, or nothing. Goes to standard
 * error, so that results stay alone on standard output.
 */
export function createProgress(
  mode: "auto" | "plain" | "none",
  io: CliIo,
  now: () => number = Date.now,
): Progress {
  if (mode === "none") return SILENT;
  return mode === "auto" && io.terminal ? bar(io, now) : plain(io, now);
}

function bar(io: CliIo, now: () => number): Progress {
  let last = 0;
  let step = "";
  let started = 0;
  let shown = false;
  return {
    update(name, done, total, unit) {
      const time = now();
      if (name !== step) {
        step = name;
        started = time;
        last = 0;
      }
      if (time - last < BAR_MS && done !== total) return;
      last = time;
      const words = describe(done, total, unit, time - started);
      const room = Math.max(10, Math.min(30, io.columns - name.length - words.length - 6));
      const filled = total === null || total === 0 ? 0 : Math.round((room * Math.min(done, total)) / total);
      const drawn = total === null ? "" : ` ${"█".repeat(filled)}${"░".repeat(room - filled)}`;
      io.err(`\r\u001b[2K${`${name}${drawn}  ${words}`.slice(0, Math.max(20, io.columns - 1))}`);
      shown = true;
    },
    finish() {
      if (shown) io.err("\r\u001b[2K");
      shown = false;
    },
  };
}

function plain(io: CliIo, now: () => number): Progress {
  let last = now();
  let step = "";
  let started = last;
  return {
    update(name, done, total, unit) {
      const time = now();
      if (name !== step) {
        step = name;
        started = time;
      }
      if (time - last < LINE_MS) return;
      last = time;
      io.err(`${name}: ${describe(done, total, unit, time - started)}\n`);
    },
    finish() {},
  };
}

function describe(done: number, total: number | null, unit: string, elapsedMs: number): string {
  const rate = elapsedMs > 200 ? done / (elapsedMs / 1000) : 0;
  const speed = rate > 0 ? `, ${count(rate)} ${unit}/s` : "";
  if (total === null) return `${count(done)} ${unit}${speed}`;
  const left = rate > 0 && done < total ? `, ${duration((total - done) / rate)} left` : "";
  return `${total === 0 ? 100 : Math.floor((100 * done) / total)}% of ${count(total)} ${unit}${speed}${left}`;
}

/** A number for people: `1.2 M`. */
export function count(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)} G`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(0)} k`;
  return String(Math.round(value));
}

/** Seconds for people: `1 min 05 s`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3600)
    return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")} min`;
}
