import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { openFile } from "../src/io/bytes/file.ts";
import { openShapefile } from "../src/io/shapefile/read.ts";
import { createShapefile } from "../src/io/shapefile/write.ts";
import { contest, lookAt, lookAtFeature, type Seen, withPlots } from "./polygons.ts";

/** The `shapefile` package has no types of its own. */
const peer = createRequire(import.meta.url)("shapefile") as {
  open(path: string): Promise<{ read(): Promise<{ done: boolean; value: GeoJSON.Feature }> }>;
};

/**
 * Polygons of a Shapefile into columns, against the `shapefile` package making GeoJSON of the same bytes.
 * The file is `io500k.shp` in $TILTH_BENCH_DATA, else one made from a fixed seed.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const given = join(process.env["TILTH_BENCH_DATA"] ?? "out/bench", "io500k.shp");
  if (!smoke && existsSync(given)) await compare(given);
  else await withPlots("plots.shp", smoke ? 5_000 : 500_000, createShapefile, compare);
}

async function compare(path: string): Promise<void> {
  const part = (ending: string): string => path.replace(/shp$/, ending);
  const ours = async (): Promise<Seen> => {
    const seen = { features: 0, coordinates: 0, area: 0 };
    const source = await openShapefile({
      shp: await openFile(path),
      shx: await openFile(part("shx")),
      dbf: await openFile(part("dbf")),
      prj: await openFile(part("prj")),
      ...(existsSync(part("cpg")) ? { cpg: await openFile(part("cpg")) } : {}),
    });
    for await (const batch of source.batches()) lookAt(seen, batch);
    await source.close();
    return seen;
  };
  const theirs = async (): Promise<Seen> => {
    const seen = { features: 0, coordinates: 0, area: 0 };
    const source = await peer.open(path);
    for (;;) {
      const { done, value } = await source.read();
      if (done) return seen;
      lookAtFeature(seen, value);
    }
  };
  const megabytes = (statSync(path).size + statSync(part("dbf")).size) / 1e6;
  await contest(ours, theirs, { peer: "shapefile", goal: 0.15, runs: 1, megabytes });
}
