// Runs the commands of README.md: every line of its ```sh blocks, in order, from the root of the project.
// `npm ci` and `npm test` are left to the caller, which runs them with more reporting.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const commands = [...readme.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
  .flatMap(([, block]) => block.split("\n"))
  .map((line) => line.replace(/\s+#.*$/, "").trim())
  .filter((line) => line !== "" && !line.startsWith("#"))
  .flatMap((line) => line.split(" && "))
  .filter((line) => !/^npm (ci|test|install)\b/.test(line));

for (const command of commands) {
  console.log(`$ ${command}`);
  const { status } = spawnSync("bash", ["-c", command], {
    stdio: "inherit",
    cwd: new URL("..", import.meta.url),
  });
  if (status !== 0) {
    console.error(`README command failed with status ${status}: ${command}`);
    process.exit(1);
  }
}
console.log(`${commands.length} README commands ran`);
