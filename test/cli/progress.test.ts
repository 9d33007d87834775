import { expect, it } from "vitest";
import type { CliIo } from "../../src/cli/command.ts";
import { count, createProgress, duration } from "../../src/cli/progress.ts";

function screen(terminal: boolean): { io: CliIo; written: string[] } {
  const written: string[] = [];
  const io: CliIo = {
    out: () => expect.fail("progress belongs on standard error"),
    err: (text) => written.push(text),
    terminal,
    columns: 80,
    signal: new AbortController().signal,
  };
  return { io, written };
}

it("draws a bar with share, rate and time left on a terminal, and takes it away at the end", () => {
  const { io, written } = screen(true);
  let now = 5000;
  const progress = createProgress("auto", io, () => now);
  progress.update("clipping", 0, 1000, "pixels");
  now = 6000;
  progress.update("clipping", 250, 1000, "pixels");
  progress.finish();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequence that clears a line
  const drawn = written.map((text) => text.replace(/^\r\u001b\[2K/, ""));
  expect(drawn[1]).toMatch(/^clipping █+░+ {2}25% of 1000 pixels, 250 pixels\/s, 3 s left$/);
  expect(drawn.at(-1)).toBe("");
});

it("redraws at most ten times a second, but always the last state", () => {
  const { io, written } = screen(true);
  let now = 0;
  const progress = createProgress("auto", io, () => now);
  for (let done = 1; done <= 1000; done++) {
    now = done;
    progress.update("reading", done, 1000, "features");
  }
  expect(written.length).toBeLessThanOrEqual(12);
  expect(written.at(-1)).toContain("100% of 1000 features");
});

it("counts up when the total is not known", () => {
  const { io, written } = screen(true);
  const progress = createProgress("auto", io, () => 1000);
  progress.update("reading", 12_345, null, "features");
  expect(written[0]).toContain("reading  12 k features");
  expect(written[0]).not.toMatch(/[█░%]/);
});

it("never draws wider than the terminal", () => {
  const { io, written } = screen(true);
  const progress = createProgress("auto", { ...io, columns: 30 }, () => 1000);
  progress.update("a step with a long name indeed", 5, 10, "pixels");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequence that clears a line
  expect(written[0]!.replace(/^\r\u001b\[2K/, "").length).toBeLessThan(30);
});

it.each([
  ["auto", false],
  ["plain", true],
] as const)(
  "prints a plain line every five seconds with --progress %s when terminal is %s",
  (mode, terminal) => {
    const { io, written } = screen(terminal);
    let now = 0;
    const progress = createProgress(mode, io, () => now);
    for (let second = 0; second <= 11; second++) {
      now = second * 1000;
      progress.update("writing", second, 20, "tiles");
    }
    progress.finish();
    expect(written).toEqual([
      "writing: 25% of 20 tiles, 1 tiles/s, 15 s left\n",
      "writing: 50% of 20 tiles, 1 tiles/s, 10 s left\n",
    ]);
  },
);

it("says nothing with --progress none", () => {
  const { io, written } = screen(true);
  const progress = createProgress("none", io);
  progress.update("writing", 1, 2, "tiles");
  progress.finish();
  expect(written).toEqual([]);
});

it("writes numbers and times for people", () => {
  expect([999, 12_345, 1_234_567, 2.5e9].map(count)).toEqual(["999", "12 k", "1.2 M", "2.5 G"]);
  expect([0.2, 59, 65, 3660].map(duration)).toEqual(["1 s", "59 s", "1 min 05 s", "1 h 01 min"]);
});
