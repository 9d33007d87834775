import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** What each folder of src/ may import besides itself. The picture and the reasons are in src/README.md. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  model: [],
  crs: ["model"],
  kernels: ["model"],
  io: ["model", "crs"],
  execution: ["model", "kernels"],
  operators: ["model", "crs", "kernels", "execution"],
  pipelines: ["model", "crs", "execution", "operators"],
  catalog: ["model", "io"],
  adapters: ["model", "crs", "io", "catalog"],
  jobs: ["model", "crs", "io", "execution", "operators", "pipelines", "catalog"],
  http: ["model", "crs", "io", "execution", "operators", "pipelines", "catalog", "adapters", "jobs"],
  cli: ["model", "crs", "io", "execution", "operators", "pipelines", "catalog", "adapters", "jobs", "http"],
  testing: ["model"],
};

/** npm packages and node modules a floor may name; floors not listed may name any. */
const MAY_REQUIRE: Record<string, readonly string[]> = {
  model: [],
  kernels: ["robust-predicates", "flatbush", "geographiclib-geodesic"],
  operators: [],
  pipelines: ["zod"],
};

const SRC = join(import.meta.dirname, "../src");
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts") && file.includes("/"));

function specifiers(source: string): string[] {
  const found = source.matchAll(/(?:^|\s)(?:from|import)\s*\(?\s*"([^"]+)"/g);
  return [...found].map(([, specifier]) => specifier!);
}

test.each(files)("%s imports only what its floor allows", (file) => {
  const floor = file.split("/", 1)[0]!;
  const allowed = MAY_IMPORT[floor];
  expect(allowed, `src/${floor} is not in the floor plan`).toBeDefined();
  for (const specifier of specifiers(readFileSync(join(SRC, file), "utf8"))) {
    if (specifier.startsWith(".")) {
      const target = join(file, "..", specifier).replaceAll("\\", "/").split("/", 1)[0]!;
      if (target !== floor) expect(allowed, `${file} imports ${specifier}`).toContain(target);
    } else if (MAY_REQUIRE[floor] !== undefined) {
      expect(MAY_REQUIRE[floor], `${file} imports ${specifier}`).toContain(specifier);
    }
  }
});

test("no file of src imports an entry point of the package", () => {
  for (const file of files) {
    for (const specifier of specifiers(readFileSync(join(SRC, file), "utf8"))) {
      expect(/^(\.\.\/)+(index|geometry)\.ts$/.test(specifier), `${file} imports ${specifier}`).toBe(false);
    }
  }
});
