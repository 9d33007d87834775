import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * npm run bench -- [NAME...] [--smoke]
 *
 * Runs the benches of this folder one after the other. Each checks that its contestants give equal results before it
 * times them, and prints ratios. `--smoke` takes small inputs: it proves that the benches run, not how fast.
 */
const args = process.argv.slice(2);
const smoke = args.includes("--smoke");
const names = args.filter((arg) => !arg.startsWith("--"));
const files = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".bench.ts"))
  .filter((file) => names.length === 0 || names.includes(file.replace(".bench.ts", "")))
  .sort();

let failed = 0;
for (const file of files) {
  console.log(`\n## ${file.replace(".bench.ts", "")}`);
  const bench = (await import(join(import.meta.dirname, file))) as {
    run(options: { smoke: boolean }): Promise<void>;
  };
  try {
    await bench.run({ smoke });
  } catch (error) {
    failed++;
    console.error(error);
  }
}
console.log(`\n${files.length - failed} benches ran, ${failed} failed`);
if (failed > 0 || files.length === 0) process.exitCode = 1;
