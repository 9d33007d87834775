// node scripts/ci-summary.mjs conformance FILE | total FOLDER
// Prints what the runs left as JSON: a row per conformance file, or the closing line of the whole check.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [mode, path] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, "utf8"));

if (mode === "conformance") {
  for (const { family, file, cases, passed, failed, notCovered, failures } of read(path)) {
    console.log(
      `${family}/${file}: ${cases} cases, ${passed} passed, ${failed} failed, ${notCovered} not covered`,
    );
    for (const { id, why } of failures.slice(0, 10)) console.log(`  FAILED ${id}: ${why}`);
  }
} else if (mode === "total") {
  const tests = read(join(path, "tests.json"));
  const vectors = read(join(path, "conformance.json"));
  const sum = (key) => vectors.reduce((total, row) => total + row[key], 0);
  const passed = tests.numPassedTests + sum("passed");
  const failed = tests.numFailedTests + sum("failed");
  console.log(
    `tests: ${tests.numPassedTests} passed, ${tests.numFailedTests} failed, ${tests.numPendingTests} skipped`,
  );
  console.log(
    `conformance: ${sum("passed")} passed, ${sum("failed")} failed, ${sum("notCovered")} not covered`,
  );
  console.log(`${passed} passed, ${failed} failed`);
} else {
  console.error("usage: ci-summary.mjs conformance FILE | total FOLDER");
  process.exitCode = 2;
}
