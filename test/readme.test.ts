import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const readme = readFileSync(join(ROOT, "README.md"), "utf8");

function node(args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
}

beforeAll(() => {
  if (existsSync(join(ROOT, "data/sample/manifest.json"))) return;
  const { status, stderr } = node(["scripts/make-sample.mjs"]);
  expect(status, stderr).toBe(0);
});

describe("README", () => {
  it("has a code example that runs and prints what it says", () => {
    const [, code] = /^```ts\n([\s\S]*?)^```/m.exec(readme)!;
    const { status, stdout, stderr } = node(["--input-type=module", "-e", code!]);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^\d+ pixels in \d+ bytes\n/);
    expect(stdout).toContain("dominant_share");
  });

  it("links to files that are there", () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target!);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((target) => !/^https?:/.test(target) && !existsSync(join(ROOT, target)))).toEqual([]);
  });

  it("promises commands that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const [, name] of readme.matchAll(/npm run ([\w-]+)/g)) expect(Object.keys(scripts)).toContain(name);
  });
});
