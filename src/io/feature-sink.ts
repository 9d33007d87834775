import type { BatchOptions, FeatureSource, FeatureTable } from "../model/features.ts";

/** What a writer did. */
export interface WriteSummary {
  /** Features written. */
  readonly count: number;
  /** Attributes that had to be renamed for the format: name given -> name in the file. Absent when none. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** What the format could not hold and what was done about it, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Where features go: one layer of one file, written batch by batch in the order of the calls. Made by
 * `createGeoJson`, `createFlatGeobuf` and so on; the path it is given is a temporary name that the caller
 * renames after {@link FeatureSink.close}.
 */
export interface FeatureSink {
  /** Append a batch. Await it before the next: this is how a slow disk slows the reader down. */
  write(batch: FeatureTable): Promise<void>;
  /** Finish the file. The sink cannot be used afterwards. */
  close(): Promise<WriteSummary>;
  /** Give up and release the file; what was written is worthless. Never throws, may be called twice. */
  abort(): Promise<void>;
}

/**
 * Write every batch of a source into a sink and close it. On any error, also of the reader, the sink is aborted
 * and the error passed on. The source stays open. Memory: one batch, and what the sink keeps.
 */
export async function pipeFeatures(
  source: Pick<FeatureSource, "batches">,
  sink: FeatureSink,
  options: BatchOptions = {},
): Promise<WriteSummary> {
  try {
    for await (const batch of source.batches(options)) {
      options.signal?.throwIfAborted();
      await sink.write(batch);
    }
    return await sink.close();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}
