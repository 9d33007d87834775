/** Bytes of a column name in a .dbf. */
const NAME_BYTES = 10;
const encoder = new TextEncoder();

/**
 * Names that a .dbf can hold, by GDAL's rule: the first ten bytes; where these are taken (letter case aside), the
 * first eight with `_1` to `_9`, then the first eight with two digits, and here further the first seven with three.
 * Characters are never cut in two. An empty name becomes `FIELD`.
 *
 * @returns In the order given; all different.
 */
export function dbfNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  /** Where the search for a free number goes on, by the name that is taken. */
  const next = new Map<string, number>();
  return names.map((name) => {
    const whole = cut(name.trim() === "" ? "FIELD" : name, NAME_BYTES);
    let safe = whole;
    let n = next.get(whole.toUpperCase()) ?? 1;
    for (; taken.has(safe.toUpperCase()); n++) {
      if (n < 10) safe = `${cut(whole, 8)}_${n}`;
      else if (n < 100) safe = `${cut(whole, 8)}${n}`;
      else safe = `${cut(whole, NAME_BYTES - String(n).length)}${n}`;
    }
    next.set(whole.toUpperCase(), n);
    taken.add(safe.toUpperCase());
    return safe;
  });
}

/** The longest beginning of `text` of at most `bytes` bytes of UTF-8, in whole characters. */
function cut(text: string, bytes: number): string {
  if (text.length <= bytes && encoder.encode(text).length <= bytes) return text;
  let kept = "";
  let used = 0;
  for (const character of text) {
    used += encoder.encode(character).length;
    if (used > bytes) break;
    kept += character;
  }
  return kept;
}
