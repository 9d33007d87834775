import { GeoError } from "../model/errors.ts";

/** A node of WKT: `KEYWORD["text", 1, OTHER[...]]`. */
export interface WktNode {
  /** Upper case. */
  readonly keyword: string;
  readonly values: readonly (string | number | WktNode)[];
}

/** Deepest nesting and longest text accepted: no real definition comes near. */
const MAX_DEPTH = 40;
const MAX_LENGTH = 1_000_000;

/** Whether a text starts like WKT. */
export function isWkt(text: string): boolean {
  return /^\s*[A-Za-z_0-9]+\s*[[(]/.test(text);
}

/**
 * Reads the nodes of a WKT text; Esri's .prj may hold two, the second a vertical system. Bare words (directions
 * of axes) come out as texts.
 *
 * @throws GeoError `CRS_UNKNOWN` when brackets or quotes do not match.
 */
export function parseWktNodes(text: string): WktNode[] {
  const shown = text.slice(0, 60);
  const fail = (reason: string): GeoError =>
    new GeoError("CRS_UNKNOWN", `broken WKT "${shown}...": ${reason}`, { crs: shown });
  if (text.length > MAX_LENGTH) throw fail(`${text.length} characters are too many`);
  // Quoted text with doubled quotes, brackets, commas, numbers and bare words.
  const token = /\s*(?:"([^"]*(?:""[^"]*)*)"|([[(])|([\])])|(,)|([^\s"[\](),]+))/y;
  const roots: WktNode[] = [];
  const open: { keyword: string; values: (string | number | WktNode)[] }[] = [];
  let word: string | null = null;
  const put = (value: string | number | WktNode): void => {
    const parent = open.at(-1);
    if (parent !== undefined) parent.values.push(value);
    else if (typeof value === "object") roots.push(value);
  };
  const flush = (): void => {
    if (word === null) return;
    const number = Number(word);
    put(Number.isNaN(number) ? word : number);
    word = null;
  };
  const end = text.trimEnd().length;
  while (token.lastIndex < end) {
    const match = token.exec(text);
    if (match === null) throw fail("a quote is not closed");
    const [, quoted, opening, closing, comma, bare] = match;
    if (quoted !== undefined) put(quoted.replaceAll('""', '"'));
    else if (bare !== undefined) {
      flush();
      word = bare;
    } else if (opening !== undefined) {
      if (word === null) throw fail("a bracket without a keyword");
      if (open.length >= MAX_DEPTH) throw fail("brackets are nested too deeply");
      open.push({ keyword: word.toUpperCase(), values: [] });
      word = null;
    } else if (closing !== undefined) {
      flush();
      const node = open.pop();
      if (node === undefined) throw fail("a bracket too many");
      put(node);
    } else if (comma !== undefined) flush();
  }
  if (open.length > 0) throw fail("a bracket is not closed");
  if (roots.length === 0) throw fail("no keyword with brackets");
  return roots;
}

/** First child with one of the keywords. */
export function child(node: WktNode, ...keywords: readonly string[]): WktNode | null {
  for (const value of node.values)
    if (typeof value === "object" && keywords.includes(value.keyword)) return value;
  return null;
}

/** All children with one of the keywords. */
export function children(node: WktNode, ...keywords: readonly string[]): WktNode[] {
  return node.values.filter(
    (value): value is WktNode => typeof value === "object" && keywords.includes(value.keyword),
  );
}

/** The text at a position, `""` when there is none. */
export function textAt(node: WktNode, index: number): string {
  const value = node.values[index];
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

/** The number at a position, NaN when there is none. */
export function numberAt(node: WktNode, index: number): number {
  const value = node.values[index];
  return typeof value === "number"
    ? value
    : typeof value === "string" && value !== ""
      ? Number(value)
      : Number.NaN;
}

/** A code such as `"EPSG:4326"` from `AUTHORITY["EPSG","4326"]` or `ID["EPSG",4326]` of a node, or `null`. */
export function idOf(node: WktNode): string | null {
  const id = child(node, "ID", "AUTHORITY");
  if (id === null) return null;
  const authority = textAt(id, 0).toUpperCase();
  const code = textAt(id, 1);
  return authority === "" || code === "" ? null : `${authority}:${code}`;
}
