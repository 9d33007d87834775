import { type BatchOptions, concatTables, type FeatureSource, type FeatureTable } from "../model/features.ts";

/** All rows of a layer as one table. For layers that fit in memory: zones, regions, units. */
export async function readTable(source: FeatureSource, options: BatchOptions = {}): Promise<FeatureTable> {
  const batches: FeatureTable[] = [];
  for await (const batch of source.batches(options)) batches.push(batch);
  return concatTables(batches, source.schema);
}
