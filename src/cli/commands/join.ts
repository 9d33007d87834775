import { type JoinFileOptions, joinFile } from "../../jobs/files/join.ts";
import { type JoinPredicate, parseAggregates } from "../../operators/spatial-join.ts";
import type { Command, CommandContext } from "../command.ts";
import { oneOf, usage, wrongValue } from "../main.ts";
import { fileOptions, fileResult, list } from "../shared.ts";

/** Words of the command line, and the predicates that they mean. */
const PREDICATES: Readonly<Record<string, JoinPredicate>> = {
  intersects: "intersects",
  within: "within",
  contains: "contains",
  covers: "covers",
  "covered-by": "coveredBy",
  touches: "touches",
  crosses: "crosses",
  overlaps: "overlaps",
  equals: "equals",
  "contains-properly": "containsProperly",
  disjoint: "disjoint",
  dwithin: "dwithin",
  none: "none",
};

/** Options of a nearest join alone, and those that it does not take. */
const NEAREST_ONLY = ["k", "max-distance", "distance-column"] as const;
const NOT_NEAREST = [
  "predicate",
  "distance",
  "on",
  "aggregate",
  "min-overlap-share",
  "min-overlap-area",
  "share-of",
  "overlap-column",
  "assign",
  "as-of",
  "max-difference",
  "direction",
  "difference-column",
  "right-id-column",
] as const;

export const join: Command = {
  name: "join",
  summary: "Join two layers by where their features lie, by attributes, or by distance",
  usage: "LEFT RIGHT OUT",
  arguments: [3, 3],
  options: {
    predicate: {
      type: "string",
      value: "NAME",
      help: "read from LEFT to RIGHT: intersects (default), within, contains, covers, covered-by, touches, crosses, overlaps, equals, contains-properly, disjoint, dwithin, none (attributes alone)",
    },
    distance: {
      type: "string",
      value: "M",
      help: "for dwithin: metres for degrees, else units of LEFT's CRS",
    },
    how: {
      type: "string",
      value: "inner|left|semi|anti",
      help: "pairs (default), pairs and left features without one, left features with a partner, those without",
    },
    on: {
      type: "string",
      multiple: true,
      value: "left=right",
      help: "columns that must be equal besides; may be repeated, or a list with commas",
    },
    fields: { type: "string", value: "a,b", help: "columns of RIGHT to take (default all)" },
    prefix: { type: "string", value: "TEXT", help: "before the names of columns from RIGHT" },
    aggregate: {
      type: "string",
      value: "sum:x,count",
      help: "one row for each left feature: count, sum, mean, min, max, median, mode, first, last, collect, weighted-mean:x[:weight], extensive, intensive",
    },
    "largest-overlap": { type: "boolean", help: "only the partner that shares most area or length" },
    "min-overlap-share": { type: "string", value: "F", help: "only partners that share this part, 0 to 1" },
    "share-of": { type: "string", value: "left|right|smaller", help: "of which feature (default left)" },
    "min-overlap-area": {
      type: "string",
      value: "A",
      help: "only partners that share this area, m2 for degrees",
    },
    "overlap-column": { type: "string", value: "NAME", help: "column for what each pair shares" },
    assign: {
      type: "string",
      value: "half-open",
      help: "points: each to exactly one polygon of a partition",
    },
    ties: {
      type: "string",
      value: "all|first|lowest-id",
      help: "which of several that qualify equally (default all)",
    },
    "as-of": { type: "string", value: "left=right", help: "columns with dates: the closest in time" },
    "max-difference": { type: "string", value: "DAYS", help: "how far apart in time at the most" },
    direction: {
      type: "string",
      value: "backward|forward|nearest",
      help: "where RIGHT's date lies (default nearest)",
    },
    "difference-column": { type: "string", value: "NAME", help: "column for the days between" },
    nearest: { type: "boolean", help: "join with the nearest features instead" },
    k: { type: "string", value: "N", help: "with --nearest: so many neighbours (default 1)" },
    "max-distance": { type: "string", value: "M", help: "with --nearest: none farther" },
    "distance-column": { type: "string", value: "NAME", help: "with --nearest: column for the distance" },
    exclusive: { type: "boolean", help: "with --nearest: a feature is not its own neighbour" },
    measure: {
      type: "string",
      value: "plane|ellipsoid",
      help: "how distances and areas are measured (default: ellipsoid for degrees)",
    },
    "right-id-column": { type: "string", value: "NAME", help: "column for the id of the right feature" },
    layer: { type: "string", value: "NAME", help: "layer of LEFT" },
    "right-layer": { type: "string", value: "NAME", help: "layer of RIGHT" },
  },
  examples: [
    "tilth join points.csv districts.geojson out.fgb --predicate within --fields name --prefix district_",
    "tilth join zones.gpkg parcels.fgb out.geojson --aggregate sum:area,count",
    "tilth join parcels.fgb soils.shp out.gpkg --largest-overlap --fields soil",
    "tilth join villages.geojson hospitals.geojson out.geojson --nearest --distance-column metres",
  ],
  async run(context) {
    const [left, right, output] = context.positionals as [string, string, string];
    const options = context.flag("nearest") ? nearestOptions(context) : spatialOptions(context);
    return fileResult(
      await joinFile(left, right, output, {
        ...fileOptions(context),
        ...options,
        layer: context.text("layer"),
        rightLayer: context.text("right-layer"),
      }),
    );
  },
};

function nearestOptions(context: CommandContext): JoinFileOptions {
  for (const name of NOT_NEAREST) {
    if (context.texts(name).length > 0)
      throw usage(`--${name} does not go with --nearest`, "Leave one of them away, or join twice.");
  }
  if (context.flag("largest-overlap"))
    throw usage("--largest-overlap does not go with --nearest", "Leave one of them away, or join twice.");
  const measure = context.text("measure");
  return {
    nearest: {
      k: context.number("k"),
      maxDistance: context.number("max-distance"),
      distanceColumn: context.text("distance-column"),
      exclusive: context.flag("exclusive"),
      how: oneOf("how", context.text("how"), ["inner", "left"] as const, "inner"),
      ties: ties(context),
      fields: list(context.text("fields")),
      prefix: context.text("prefix"),
      metric: measure === undefined ? "auto" : measured(measure) === "plane" ? "planar" : "geodesic",
    },
  };
}

function spatialOptions(context: CommandContext): JoinFileOptions {
  for (const name of NEAREST_ONLY) {
    if (context.text(name) !== undefined)
      throw usage(`--${name} needs --nearest`, "Add --nearest, or use --predicate dwithin --distance M.");
  }
  if (context.flag("exclusive")) throw usage("--exclusive needs --nearest", "Add --nearest.");
  const how = context.text("how");
  const measure = context.text("measure");
  const aggregate = context.text("aggregate");
  const assign = context.text("assign");
  const shareOf = context.text("share-of");
  return {
    predicate: predicate(context.text("predicate")),
    distance: context.number("distance"),
    how:
      how === undefined ? undefined : oneOf("how", how, ["inner", "left", "semi", "anti"] as const, "inner"),
    on: context.texts("on").flatMap((text) => text.split(",").map((pair) => equation("on", pair))),
    fields: list(context.text("fields")),
    prefix: context.text("prefix"),
    aggregate: aggregate === undefined ? undefined : parseAggregates(aggregate),
    largestOverlap: context.flag("largest-overlap"),
    minOverlapShare: context.number("min-overlap-share"),
    minOverlapArea: context.number("min-overlap-area"),
    shareOf: oneOf("share-of", shareOf, ["left", "right", "smaller"] as const, "left"),
    overlapColumn: context.text("overlap-column"),
    assign: assign === undefined ? undefined : oneOf("assign", assign, ["half-open"] as const, "half-open"),
    ties: ties(context),
    asOf: asOf(context),
    differenceColumn: context.text("difference-column"),
    rightIdColumn: context.text("right-id-column"),
    measure: measure === undefined ? undefined : measured(measure),
  };
}

function ties(context: CommandContext): "all" | "first" | "lowest-id" {
  return oneOf("ties", context.text("ties"), ["all", "first", "lowest-id"] as const, "all");
}

function measured(text: string): "plane" | "ellipsoid" {
  return oneOf("measure", text, ["plane", "ellipsoid"] as const, "plane");
}

function predicate(text: string | undefined): JoinPredicate {
  const name = text ?? "intersects";
  if (Object.hasOwn(PREDICATES, name)) return PREDICATES[name]!;
  throw wrongValue("predicate", name, Object.keys(PREDICATES).join(", "));
}

function asOf(context: CommandContext): JoinFileOptions["asOf"] {
  const text = context.text("as-of");
  if (text === undefined) {
    for (const name of ["max-difference", "direction"] as const)
      if (context.text(name) !== undefined)
        throw usage(`--${name} needs --as-of`, "Name the columns: --as-of left=right.");
    return undefined;
  }
  return {
    ...equation("as-of", text),
    maxDifference: context.number("max-difference"),
    direction: oneOf(
      "direction",
      context.text("direction"),
      ["backward", "forward", "nearest"] as const,
      "nearest",
    ),
  };
}

/** `left=right`, or one name for both. */
function equation(option: string, text: string): { left: string; right: string } {
  const [left = "", right = left, ...more] = text.split("=").map((name) => name.trim());
  if (left === "" || right === "" || more.length > 0)
    throw wrongValue(option, text, "two columns, left=right, or one that both layers have");
  return { left, right };
}
