/** What one file of vectors gave. A case is counted exactly once: passed, failed or not covered. */
export interface FileResult {
  family: string;
  /** Path inside the family's folder. */
  file: string;
  cases: number;
  passed: number;
  failed: number;
  /** Cases of a kind that the library does not do yet; each is named by `why` in `notCoveredWhy`. */
  notCovered: number;
  notCoveredWhy: Record<string, number>;
  failures: { id: string; why: string }[];
  /** Largest error seen among compared numbers, in the unit of the family's tolerance; `null` when none applies. */
  worst: number | null;
}

/** A family of vectors: a folder under the conformance folder. */
export interface Family {
  readonly name: string;
  /** Run every vector in `dir` (the family's own folder). Never throws for a case: a throw is a failed case. */
  run(dir: string): Promise<FileResult[]>;
}

/** Collects the cases of one file. */
export class Tally {
  readonly result: FileResult;

  constructor(family: string, file: string) {
    this.result = {
      family,
      file,
      cases: 0,
      passed: 0,
      failed: 0,
      notCovered: 0,
      notCoveredWhy: {},
      failures: [],
      worst: null,
    };
  }

  /** Run one case; `check` returns `null` when it passes, else why not. A throw is a failure. */
  async check(id: string, check: () => string | null | Promise<string | null>): Promise<void> {
    this.result.cases++;
    let why: string | null;
    try {
      why = await check();
    } catch (error) {
      why = `threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
    }
    if (why === null) this.result.passed++;
    else {
      this.result.failed++;
      this.result.failures.push({ id, why });
    }
  }

  /** Count a case that the library does not do, with the reason. */
  skip(why: string): void {
    this.result.cases++;
    this.result.notCovered++;
    this.result.notCoveredWhy[why] = (this.result.notCoveredWhy[why] ?? 0) + 1;
  }

  /** Note the error of a compared number. */
  error(value: number): void {
    if (this.result.worst === null || value > this.result.worst) this.result.worst = value;
  }
}
