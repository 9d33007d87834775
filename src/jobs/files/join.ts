import type { Executor } from "../../execution/executor.ts";
import { threads } from "../../execution/threads.ts";
import { openFeatures, writeFeatures } from "../../io/open.ts";
import type { FeatureSource } from "../../model/features.ts";
import type { NearestJoinOptions } from "../../operators/nearest-join.ts";
import { type JoinedFeatures, type SpatialJoinOptions, spatialJoin } from "../../operators/spatial-join.ts";
import type { FileOptions, FileResult } from "./result.ts";

export interface JoinFileOptions
  extends FileOptions,
    Omit<SpatialJoinOptions, "signal" | "onCrsMismatch" | "executor"> {
  /** Layer of the left file. */
  readonly layer?: string | undefined;
  /** Layer of the right file. */
  readonly rightLayer?: string | undefined;
  /** Join each left feature with the nearest right ones instead; the options of `nearestJoin`. */
  readonly nearest?: Omit<NearestJoinOptions, "signal" | "onCrsMismatch" | "executor"> | undefined;
}

/**
 * Join two layers, file to file; `tilth join`. The left file streams; the right one is read into memory.
 *
 * @throws GeoError those of {@link spatialJoin} and `nearestJoin`
 */
export async function joinFile(
  left: string,
  right: string,
  output: string,
  options: JoinFileOptions = {},
): Promise<FileResult> {
  const { overwrite, signal, onProgress } = options;
  const leftSource = await openFeatures(left, { layer: options.layer });
  try {
    const rightSource = await openFeatures(right, { layer: options.rightLayer });
    const executor = threads(options.workers);
    try {
      onProgress?.("reading", 0, null, "features");
      const joined = await joinedFeatures(leftSource, rightSource, executor, options);
      const { path, kind, bytes, sha256, summary } = await writeFeatures(output, joined, {
        overwrite,
        signal,
        onProgress: (written) => onProgress?.("joining", written, null, "features"),
      });
      const { warnings, leftIn, ...counts } = joined.report;
      return {
        outputs: [{ path, kind, bytes, sha256 }],
        summary: {
          kind: "vector",
          featuresIn: leftIn,
          ...counts,
          ...(summary.renamed === undefined ? {} : { renamed: summary.renamed }),
        },
        warnings: [...leftSource.warnings, ...rightSource.warnings, ...warnings, ...summary.warnings],
      };
    } finally {
      await executor.close();
      await rightSource.close();
    }
  } finally {
    await leftSource.close();
  }
}

async function joinedFeatures(
  left: FeatureSource,
  right: FeatureSource,
  executor: Executor,
  options: JoinFileOptions,
): Promise<JoinedFeatures> {
  const { nearest, onCrsMismatch, signal } = options;
  if (nearest === undefined) return await spatialJoin(left, right, { ...options, executor });
  const { nearestJoin } = await import("../../operators/nearest-join.ts");
  return await nearestJoin(left, right, { ...nearest, executor, onCrsMismatch, signal });
}
