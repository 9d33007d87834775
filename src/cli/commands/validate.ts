import { validateFile } from "../../jobs/files/validate.ts";
import type { Command } from "../command.ts";
import { oneOf } from "../main.ts";
import { fileOptions, fileResult } from "../shared.ts";

export const validate: Command = {
  name: "validate",
  summary:
    "Check geometry (vectors) or that a raster is a valid Cloud Optimized GeoTIFF; exit 1 when there are problems",
  usage: "FILE",
  arguments: [1, 1],
  options: {
    layer: { type: "string", value: "NAME", help: "layer of a file that holds several" },
    repair: { type: "string", value: "OUT", help: "vectors: write the layer with its geometries made valid" },
    "repair-method": {
      type: "string",
      value: "linework|structure",
      help: "--repair: inside is what an odd number of rings encloses (linework, default), or what a shell winds around less its holes, parts united (structure)",
    },
    "keep-collapsed": {
      type: "boolean",
      help: "--repair: keep what has lost its area or length as lines and points",
    },
  },
  examples: ["tilth validate landcover.tif", "tilth validate villages.shp --repair villages_ok.gpkg"],
  async run(context) {
    const { problems, total, ...result } = await validateFile(context.positionals[0]!, {
      ...fileOptions(context),
      layer: context.text("layer"),
      repair: context.text("repair"),
      repairMethod: oneOf(
        "repair-method",
        context.text("repair-method"),
        ["linework", "structure"] as const,
        "linework",
      ),
      keepCollapsed: context.flag("keep-collapsed"),
    });
    const lines = problems
      .slice(0, SHOWN)
      .map(({ level, where, message }) => `${level}: ${where === "" ? "" : `${where}: `}${message}`);
    if (problems.length > SHOWN) lines.push(`... and ${problems.length - SHOWN} more (--json lists them)`);
    const errors = problems.filter(({ level }) => level === "error").length;
    const base = fileResult(result);
    const failed = errors > 0 ? `${errors} problem${errors === 1 ? "" : "s"} in ${total}` : undefined;
    return {
      ...base,
      lines: [
        ...lines,
        ...(failed === undefined ? [`valid: ${total}`] : []),
        ...base.lines.filter((line) => line.startsWith("wrote")),
      ],
      ...(failed === undefined ? {} : { failed, hint: remedy(base.summary["kind"], context.text("repair")) }),
    };
  },
};

function remedy(kind: unknown, repaired: string | undefined): string {
  if (kind === "raster") return "tilth convert IN OUT.tif writes it again as a valid COG.";
  return repaired === undefined
    ? "Pass --repair OUT to write the layer with its geometries made valid."
    : `The repaired layer is ${repaired}.`;
}

const SHOWN = 20;
