// Writes the sample landscape: node scripts/make-sample.mjs [FOLDER]. Needs `npm run build` first.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { writeFeatures, writeRaster } from "../dist/index.js";
import { makeLandscape, sampleFiles } from "../dist/testing/index.js";

/**
 * Write every file of the sample landscape and a manifest into a folder. The folder appears under its name only
 * when it is complete; one that is there is replaced.
 *
 * @param {string} folder
 * @param {{ seed?: number, side?: number }} [options]
 * @returns the manifest: `{seed, files: [{path, bytes, sha256, about}]}`
 */
export async function makeSample(folder, options = {}) {
  const landscape = makeLandscape(options);
  const temporary = `${resolve(folder)}.part`;
  await rm(temporary, { recursive: true, force: true });
  const about = new Map();
  for (const file of sampleFiles(landscape)) {
    const path = join(temporary, file.path);
    await mkdir(dirname(path), { recursive: true });
    about.set(file.path, file.about);
    if (file.kind === "raster") await writeRaster(path, file.source, { classes: file.classes });
    else if (file.kind === "features") await writeFeatures(path, file.table);
    else await writeFile(path, file.text);
  }
  const files = [];
  const names = (await readdir(temporary, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(temporary.length + 1));
  for (const name of names.map((one) => one.replaceAll("\\", "/")).sort()) {
    const bytes = await readFile(join(temporary, name));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    files.push({
      path: name,
      bytes: bytes.length,
      sha256,
      ...(about.has(name) ? { about: about.get(name) } : {}),
    });
  }
  const manifest = { seed: landscape.seed, files };
  await writeFile(join(temporary, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await rm(folder, { recursive: true, force: true });
  await rename(temporary, folder);
  return manifest;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = process.argv[2] ?? fileURLToPath(new URL("../data/sample", import.meta.url));
  const { files } = await makeSample(folder);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  console.log(`${files.length} files, ${(bytes / 1e6).toFixed(1)} MB in ${folder}`);
}
