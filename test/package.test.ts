import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILT } from "./cli/call.ts";

const ROOT = join(import.meta.dirname, "..");

interface Manifest {
  readonly exports: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;

const describeBuilt = BUILT ? describe : describe.skip;

describeBuilt(BUILT ? "the packed package" : "the packed package [skipped: not built; npm run build]", () => {
  let files: readonly string[];
  beforeAll(() => {
    const text = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [pack] = JSON.parse(text) as [{ files: { path: string }[] }];
    files = pack.files.map(({ path }) => path);
  });

  it("holds the command, the code with types and sources, the EPSG table, licence, readme and changes", () => {
    for (const path of [
      "bin/tilth.js",
      "dist/index.js",
      "dist/index.d.ts",
      "src/index.ts",
      "LICENSE",
      "README.md",
      "CHANGELOG.md",
      "package.json",
    ])
      expect(files).toContain(path);
    expect(files.filter((path) => path.startsWith("assets/")).length).toBeGreaterThan(0);
    expect(files.filter((path) => path.startsWith("assets/") && /epsg/i.test(path)).length).toBeGreaterThan(
      0,
    );
  });

  it("holds nothing else", () => {
    const allowed =
      /^(bin\/tilth\.js|dist\/.+\.(js|d\.ts|js\.map|d\.ts\.map)|src\/.+\.ts|assets\/.+|LICENSE|README\.md|CHANGELOG\.md|package\.json)$/;
    expect(files.filter((path) => !allowed.test(path))).toEqual([]);
    expect(files.filter((path) => /\.(test|bench)\.|fixtures|__snapshots__|^data\//.test(path))).toEqual([]);
  });

  it("has every file that an entry point names, with its types", () => {
    for (const target of [...Object.values(manifest.exports), ...Object.values(manifest.bin)]) {
      expect(files).toContain(target.replace(/^\.\//, ""));
      if (target.startsWith("./dist/"))
        expect(files).toContain(target.replace(/^\.\//, "").replace(/\.js$/, ".d.ts"));
    }
  });

  it("has types and a source for every module", () => {
    for (const path of files.filter((one) => one.startsWith("dist/") && one.endsWith(".js"))) {
      expect(files).toContain(path.replace(/\.js$/, ".d.ts"));
      expect(files, "dist holds a module that src does not: remove dist and build again").toContain(
        path.replace(/^dist\/(.*)\.js$/, "src/$1.ts"),
      );
    }
  });
});

describe("dependencies", () => {
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => readFileSync(join(ROOT, "src", path), "utf8"));

  /** Packages that the sources load: statically, lazily, through require, or for their types only. */
  const named = new Set<string>();
  for (const text of sources) {
    const code = text.replaceAll(/^\s*(\*|\/\/).*$/gm, "");
    for (const [, specifier] of code.matchAll(
      /(?:\bfrom\s|\bimport\s|\bimport\(|\brequire\(|\bresolve\(|createRequire\(import\.meta\.url\)\()\s*"([^".][^"]*)"/g,
    )) {
      if (specifier!.startsWith("node:") || builtinModules.includes(specifier!)) continue;
      named.add(
        specifier!
          .split("/")
          .slice(0, specifier!.startsWith("@") ? 2 : 1)
          .join("/"),
      );
    }
  }

  it("are all used by the sources", () => {
    expect(Object.keys(manifest.dependencies).filter((name) => !named.has(name))).toEqual([]);
  });

  it("are all declared", () => {
    const known = new Set(Object.keys(manifest.dependencies));
    expect([...named].filter((name) => !known.has(name) && name !== "tilth")).toEqual([]);
  });

  it("are pinned and installed", () => {
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      expect(existsSync(join(ROOT, "node_modules", name)), name).toBe(true);
    }
  });

  it("bring no native addon", () => {
    for (const name of Object.keys(manifest.dependencies)) {
      const own = JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")) as {
        gypfile?: boolean;
        scripts?: Record<string, string>;
      };
      expect(own.gypfile, name).toBeUndefined();
      expect(own.scripts?.["install"], name).toBeUndefined();
      expect(own.scripts?.["postinstall"], name).toBeUndefined();
    }
  });
});
