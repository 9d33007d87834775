/** The place that a run is about: an administrative unit or a project. */
export type Area =
  | { readonly state: string; readonly district: string; readonly block: string }
  | { readonly project: string; readonly id: string };

/** GeoServer, Earth Engine and file systems all take names of this length. */
const MAX_LENGTH = 100;

/**
 * A name that Earth Engine ids, GeoServer, STAC ids and file systems all take: letters, digits, `_` and `-`,
 * lower case. Accents are taken off; every other run of characters becomes one `_`. When that loses letters of
 * another script, or nothing is left, a short hash of the original keeps distinct names distinct.
 */
export function validName(text: string): string {
  const plain = text.normalize("NFKD").replace(/\p{M}+/gu, "");
  const name = plain
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "_")
    .replace(/_{2,}/g, "_")
    .replace(/^[_-]+|[_-]+$/g, "");
  const lost = /[^\p{ASCII}]/u.test(plain);
  if (name !== "" && !lost && name.length <= MAX_LENGTH) return name;
  const short = name.slice(0, MAX_LENGTH - 8);
  return `${short === "" ? "n" : short}_${fnv1a(text)}`;
}

/** Name of a layer of an area: `drainage_lines_<district>_<block>`, or `<prefix>_<project>_<id>`. */
export function layerName(prefix: string, area: Area, suffix: string = ""): string {
  const place = "project" in area ? [area.project, area.id] : [area.district, area.block];
  return [prefix, ...place.map(validName), suffix].filter((part) => part !== "").join("_");
}

/** Folder of an area's assets in Earth Engine: `projects/{project}/assets/apps/{app}/{state}/{district}/{block}/`. */
export function assetPath(project: string, app: string, area: Area): string {
  const place = "project" in area ? [area.project, area.id] : [area.state, area.district, area.block];
  return `projects/${project}/assets/apps/${validName(app)}/${place.map(validName).join("/")}/`;
}

/** 32-bit FNV-1a of the UTF-16 code units, eight hexadecimal digits. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
