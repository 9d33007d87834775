import { expect, it } from "vitest";
import { parseSize } from "../../src/cli/main.ts";
import { call, callJson } from "./call.ts";

const COMMANDS = [
  "info",
  "convert",
  "validate",
  "clip",
  "join",
  "zonal",
  "dominant",
  "composite",
  "warp",
  "rasterize",
  "polygonize",
  "pipelines",
  "run",
  "doctor",
];

it("lists every command and nothing else", async () => {
  const { status, out } = await call(["--help"]);
  expect(status).toBe(0);
  const listed = [...out.matchAll(/^ {2}(\S+) {2}/gm)].map(([, name]) => name);
  expect(listed).toEqual(COMMANDS);
});

it.each(COMMANDS)("explains %s with usage, options and examples that name real options", async (name) => {
  const { status, out, err } = await call([name, "--help"]);
  expect(status).toBe(0);
  expect(err).toBe("");
  expect(out).toContain(`Usage: tilth ${name}`);
  expect(out).toContain("Options of every command");
  for (const option of [
    "--json",
    "--workers",
    "--memory",
    "--on-crs-mismatch",
    "--overwrite",
    "--progress",
    "--quiet",
    "--verbose",
  ])
    expect(out).toContain(option);
  const [help, examples] = out.split("Examples\n");
  for (const [, option] of (examples ?? "").matchAll(/(--[a-z-]+)/g)) expect(help).toContain(`${option}`);
  expect((await call(["help", name])).out).toBe(out);
});

it("prints the version of the package, alone and as JSON", async () => {
  const { status, out } = await call(["--version"]);
  expect(status).toBe(0);
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(JSON.parse((await call(["--version", "--json"])).out)).toMatchObject({
    ok: true,
    version: out.trim(),
  });
});

it("shows the overview and exits with 2 when called with nothing", async () => {
  const { status, out } = await call([]);
  expect(status).toBe(2);
  expect(out).toContain("Usage: tilth COMMAND");
});

it.each([
  [["covnert"], /there is no command "covnert"/, /tilth --help/],
  [["conv"], /there is no command "conv"/, /Did you mean convert/],
  [["--quiet", "info"], /first argument is --quiet, expected a command/, /options follow the command/],
  [["info"], /was given no arguments, expected FILE/, /Usage: tilth info FILE/],
  [["info", "a", "b"], /was given 2 argument\(s\), expected FILE/, /tilth info --help/],
  [["convert", "a"], /expected IN OUT/, /tilth convert --help/],
  [["info", "a", "--colour"], /Unknown option '--colour'/, /tilth info --help/],
  [["info", "a", "-z"], /Unknown option '-z'/, /tilth info --help/],
  [["convert", "a", "b", "--to"], /--to <value>' argument missing/, /tilth convert --help/],
  [["info", "a", "--stats=yes"], /--stats' does not take an argument/, /tilth info --help/],
  [["info", "a", "--workers", "0"], /--workers 0 is not usable, expected a whole number from 1/, null],
  [["info", "a", "--memory", "lots"], /--memory lots is not usable, expected a size of at least 1MB/, null],
  [["info", "a", "--progress", "fancy"], /expected auto, plain, none/, null],
  [["info", "a", "--on-crs-mismatch", "ignore"], /expected error, transform/, null],
  [["clip", "a", "b"], /needs one region/, /--by ROI, or --bbox/],
  [["clip", "a", "b", "--by", "c", "--bbox", "0,0,1,1"], /needs one region/, /--by ROI, or --bbox/],
  [["clip", "a", "b", "--bbox", "0,0,1"], /four numbers W,S,E,N/, null],
  [["clip", "a", "b", "--bbox", "2,0,1,1"], /four numbers W,S,E,N/, null],
  [
    ["clip", "a", "b", "--by", "c", "--keep", "some"],
    /--keep some is not usable, expected cut, whole, inside/,
    null,
  ],
  [["clip", "a", "b", "--by", "c", "--pixels", "coverage:2"], /coverage:F with F above 0/, null],
  [["clip", "a", "b", "--by", "c", "--fill", "none"], /--fill none is not usable, expected a number/, null],
  [["convert", "a", "b", "--overviews", "many"], /auto, none or a number of levels/, null],
  [["dominant", "a", "b", "c", "--area-unit", "acre"], /expected ha, km2, m2, share/, null],
  [["run", "no-such-pipeline"], /there is no pipeline "no-such-pipeline"/, /drainage-lines, land-cover/],
  [["run", "land-cover"], /needs a folder/, /--out DIR/],
  [["run", "land-cover", "--out", "x", "--set", "keep"], /--set keep is not key=value/, null],
  [["pipelines", "nope"], /there is no pipeline "nope"/, /There are: drainage-lines/],
])("exits with 2 for %j and says what is wrong and what to do", async (argv, message, hint) => {
  const { status, out, err } = await call(argv);
  expect(err).toMatch(message);
  expect(status).toBe(2);
  expect(out).toBe("");
  if (hint !== null) expect(err).toMatch(hint);
  expect(err).not.toMatch(/\n\s+at /);
});

it("puts a usage error into the JSON document when that is asked for", async () => {
  const { status, json, err } = await callJson(["info", "a", "--colour"]);
  expect(status).toBe(2);
  expect(err).toBe("");
  expect(json).toEqual({
    ok: false,
    error: { code: "USAGE", message: "Unknown option '--colour'", hint: "See tilth info --help." },
  });
});

it.each([
  ["512MB", 512 * 2 ** 20],
  ["2g", 2 * 2 ** 30],
  ["1.5 GiB", 1.5 * 2 ** 30],
  ["4000000", 4_000_000],
  ["2048k", 2 ** 21],
])("takes --memory %s as %d bytes", (text, bytes) => {
  expect(parseSize("memory", text)).toBe(bytes);
});

it.each(["", "0", "-5MB", "512XB", "1e9", "MB", "1023k"])("refuses --memory %j", (text) => {
  expect(() => parseSize("memory", text)).toThrow(/at least 1MB/);
});

it("describes the pipelines with parameters, inputs, outputs and sources", async () => {
  const { json } = await callJson(["pipelines"]);
  expect(json.summary.pipelines.map(({ name }: { name: string }) => name)).toEqual([
    "drainage-lines",
    "land-cover",
    "aquifer",
    "facilities-proximity",
    "catchment-area",
    "stream-order",
  ]);
  const { out } = await call(["pipelines", "drainage-lines"]);
  for (const words of [
    "Inputs",
    "units",
    "Parameters",
    "keep",
    'default "whole"',
    "Outputs",
    "drainage_lines_<district>_<block>",
    "Sources",
  ])
    expect(out).toContain(words);
});

it("reports what is installed", async () => {
  const { status, json } = await callJson(["doctor"]);
  expect(status).toBe(0);
  const parts = Object.fromEntries(
    json.summary.parts.map(({ part, state }: { part: string; state: string }) => [part, state]),
  );
  expect(parts).toMatchObject({ node: "ok", sqlite: "ok", "crs table": "ok", encodings: "ok" });
});
