import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { geojson } from "flatgeobuf";
import { openFile } from "../src/io/bytes/file.ts";
import { openFlatGeobuf } from "../src/io/flatgeobuf/read.ts";
import { createFlatGeobuf } from "../src/io/flatgeobuf/write.ts";
import { contest, lookAt, lookAtFeature, type Seen, withPlots } from "./polygons.ts";

/**
 * Polygons of a FlatGeobuf file into columns, against the `flatgeobuf` package making GeoJSON of the same bytes.
 * The file is `io500k.fgb` in $TILTH_BENCH_DATA, else one made from a fixed seed.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  const given = join(process.env["TILTH_BENCH_DATA"] ?? "out/bench", "io500k.fgb");
  if (!smoke && existsSync(given)) await compare(given);
  else await withPlots("plots.fgb", smoke ? 5_000 : 500_000, createFlatGeobuf, compare);
}

async function compare(path: string): Promise<void> {
  const ours = async (): Promise<Seen> => {
    const seen = { features: 0, coordinates: 0, area: 0 };
    const source = await openFlatGeobuf(await openFile(path));
    for await (const batch of source.batches()) lookAt(seen, batch);
    await source.close();
    return seen;
  };
  const theirs = async (): Promise<Seen> => {
    const seen = { features: 0, coordinates: 0, area: 0 };
    for await (const feature of geojson.deserialize(new Uint8Array(readFileSync(path))))
      lookAtFeature(seen, feature as GeoJSON.Feature);
    return seen;
  };
  await contest(ours, theirs, {
    peer: "flatgeobuf",
    goal: 0.5,
    runs: 3,
    megabytes: statSync(path).size / 1e6,
  });
}
