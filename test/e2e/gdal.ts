import { execFileSync, spawnSync } from "node:child_process";
import { describe } from "vitest";

/** Whether GDAL's programs are here. They are witnesses of the tests, not needs of the library. */
export const HAS_GDAL: boolean = spawnSync("gdalinfo", ["--version"]).status === 0;

/** `describe` for tests that ask GDAL; skipped with a plain message when it is absent. */
export const describeGdal: typeof describe.skip = HAS_GDAL ? describe : describe.skip;

/** Title of such a test. */
export function withGdal(name: string): string {
  return HAS_GDAL ? name : `${name} [skipped: gdalinfo is not on PATH]`;
}

/** Standard output of one of GDAL's programs. */
export function gdal(program: string, ...argv: string[]): string {
  return execFileSync(program, argv, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

export interface LayerFacts {
  readonly count: number;
  readonly extent: readonly number[] | null;
}

/** Count and extent of the first layer of a file, as `ogrinfo` reads them. */
export function layerFacts(path: string, ...options: string[]): LayerFacts {
  const text = gdal("ogrinfo", "-ro", "-so", "-al", ...options, path);
  const extent = /^Extent: \((.+), (.+)\) - \((.+), (.+)\)$/m.exec(text);
  return {
    count: Number(/^Feature Count: (\d+)$/m.exec(text)?.[1]),
    extent: extent === null ? null : extent.slice(1).map(Number),
  };
}

/** The number that an SQL statement gives. */
export function sqlNumber(path: string, statement: string): number {
  const text = gdal("ogrinfo", "-ro", "-q", "-dialect", "sqlite", "-sql", statement, path);
  return Number(/ = (\S+)\s*$/.exec(text)?.[1]);
}

/** Checksum of every band. */
export function checksums(path: string): number[] {
  const text = gdal("gdalinfo", "-checksum", path);
  return [...text.matchAll(/Checksum=(\d+)/g)].map(([, sum]) => Number(sum));
}
