import { validateFile } from "../../jobs/files/validate.ts";
import type { Command } from "../command.ts";
import { fileOptions, fileResult } from "../shared.ts";

export const validate: Command = {
  name: "validate",
  summary:
    "Check geometry (vectors) or that a raster is a valid Cloud Optimized GeoTIFF; exit 1 when there are problems",
  usage: "FILE",
  arguments: [1, 1],
  options: {
    layer: { type: "string", value: "NAME", help: "layer of a file that holds several" },
    repair: { type: "string", value: "OUT", help: "vectors: write the layer with its polygons repaired" },
  },
  examples: ["tilth validate landcover.tif", "tilth validate villages.shp --repair villages_ok.gpkg"],
  async run(context) {
    const { problems, total, ...result } = await validateFile(context.positionals[0]!, {
      ...fileOptions(context),
      layer: context.text("layer"),
      repair: context.text("repair"),
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
    ? "Pass --repair OUT to write the layer with its polygons repaired."
    : `The repaired layer is ${repaired}.`;
}

const SHOWN = 20;
