import { describeFile } from "../../jobs/files/info.ts";
import type { JsonValue } from "../../model/features.ts";
import type { Command } from "../command.ts";

export const info: Command = {
  name: "info",
  summary:
    "Say what a file holds: driver, CRS, extent, size, bands or columns, nodata, tiling, overviews, counts",
  usage: "FILE",
  arguments: [1, 1],
  options: {
    stats: {
      type: "boolean",
      help: "read the pixels or rows: statistics per band, null and invalid geometries",
    },
    checksum: { type: "boolean", help: "SHA-256 of each band's samples" },
  },
  examples: ["tilth info landcover.tif --stats", "tilth info villages.shp --json"],
  async run({ positionals, flag, common, progress, signal }) {
    const { summary, warnings, lines } = await describeFile(positionals[0]!, {
      stats: flag("stats"),
      checksum: flag("checksum"),
      memory: common.memory,
      signal,
      onProgress: (done, total) => progress.update("reading", done, total, "pixels"),
    });
    return {
      outputs: [],
      summary: summary as unknown as { readonly [key: string]: JsonValue },
      warnings,
      lines,
    };
  },
};
