import {
  SEEN_BOOLEAN,
  SEEN_FLOAT,
  SEEN_INT32,
  SEEN_INT64,
  SEEN_NULL,
  SEEN_TEXT,
  textKind,
} from "../../model/geojson.ts";
import { asciiText, type NumberReader } from "../text/number.ts";

/**
 * What a cell looks like, as a bit of `columnTypeOf`. Numbers with leading zeros or a plus sign are text (codes and
 * telephone numbers), so are whole numbers beyond 64 bits; `inf` and `nan` are floating point; booleans are the words
 * true and false; dates are ISO.
 */
export function cellKind(
  bytes: Uint8Array,
  from: number,
  to: number,
  quotes: number,
  numbers: NumberReader,
): number {
  if (from === to) return quotes === 0 ? SEEN_NULL : 0;
  if (quotes === 2) return SEEN_TEXT;
  let start = from;
  let stop = to;
  while (start < stop && isSpace(bytes[start]!)) start++;
  while (stop > start && isSpace(bytes[stop - 1]!)) stop--;
  if (start === stop) return SEEN_TEXT;
  const first = bytes[start]!;
  if ((first >= 48 && first <= 57) || first === 45 || first === 46) {
    const value = numbers.read(bytes, start, stop);
    if (numbers.end === stop) return numberKind(bytes, start, stop, value, numbers);
    if (first <= 57 && first >= 48 && stop - start >= 5 && stop - start <= 40 && looksLikeDate(bytes, start))
      return textKind(asciiText(bytes, start, stop));
  }
  return wordKind(bytes, start, stop);
}

function numberKind(
  bytes: Uint8Array,
  start: number,
  stop: number,
  value: number,
  numbers: NumberReader,
): number {
  const digit = bytes[start] === 45 ? start + 1 : start;
  const next = digit + 1 < stop ? bytes[digit + 1]! : 0;
  if (bytes[digit] === 48 && next >= 48 && next <= 57) return SEEN_TEXT;
  if (!numbers.integer) return SEEN_FLOAT;
  if (value === (value | 0)) return SEEN_INT32;
  if (Number.isSafeInteger(value)) return SEEN_INT64;
  if (stop - start > 20) return SEEN_TEXT;
  const exact = BigInt(asciiText(bytes, start, stop));
  return exact === BigInt.asIntN(64, exact) ? SEEN_INT64 : SEEN_TEXT;
}

/** Whether the cell could be a date or a time: `....-`, `..../` or `..:`. */
function looksLikeDate(bytes: Uint8Array, start: number): boolean {
  return bytes[start + 4] === 45 || bytes[start + 4] === 47 || bytes[start + 2] === 58;
}

function wordKind(bytes: Uint8Array, start: number, stop: number): number {
  if (stop - start > 9) return SEEN_TEXT;
  const word = asciiText(bytes, start, stop).toLowerCase();
  if (word === "true" || word === "false") return SEEN_BOOLEAN;
  return specialNumber(bytes, start, stop) === null ? SEEN_TEXT : SEEN_FLOAT;
}

/** Value of `nan`, `inf`, `infinity` with a sign, in any case; `null` for anything else. */
export function specialNumber(bytes: Uint8Array, start: number, stop: number): number | null {
  if (stop - start < 3 || stop - start > 9) return null;
  switch (asciiText(bytes, start, stop).toLowerCase()) {
    case "nan":
    case "-nan":
      return Number.NaN;
    case "inf":
    case "+inf":
    case "infinity":
    case "+infinity":
      return Infinity;
    case "-inf":
    case "-infinity":
      return -Infinity;
    default:
      return null;
  }
}

export function isSpace(byte: number): boolean {
  return byte === 32 || byte === 9;
}
