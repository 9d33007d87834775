import type { Rgba } from "../../model/raster.ts";
import type { Canvas } from "./canvas.ts";

/**
 * Letters as strokes, drawn for this project: a plain sans serif for labels. Positions are two digits, x and y, on
 * a grid where the baseline is y = 2, small letters reach 7, capitals 9 and descenders 0. Strokes are separated by
 * blanks; `~` marks one that is rounded, `o` a rounded one that is closed. A stroke of one place is a dot.
 */
const GLYPHS: Readonly<Record<string, string>> = {
  A: "023962 1454",
  B: "0209 0939 ~39585736 0636 ~36555332 0232",
  C: "~5839180605133253",
  D: "0209 0929 ~294856554322 0222",
  E: "49090242 0636",
  F: "490902 0636",
  G: "~5839180605133253 535535",
  H: "0209 5259 0656",
  I: "0209",
  J: "3934 ~34221203",
  K: "0209 5905 2652",
  L: "090242",
  M: "0209356962",
  N: "02095259",
  O: "o39586665533213050618",
  P: "0209 0939 ~39585635 0535",
  Q: "o39586665533213050618 4462",
  R: "0209 0939 ~39585635 0535 3552",
  S: "~584929080726455453321203",
  T: "0949 2922",
  U: "0904 ~04123254 5459",
  V: "093269",
  W: "0922486289",
  X: "0952 0259",
  Y: "093569 3532",
  Z: "09590252",
  a: "o274643220306 4742",
  b: "o274643220306 0209",
  c: "~462706032243",
  d: "o274643220306 4942",
  e: "0545 ~45462706032243",
  f: "~392918 1812 0737",
  g: "o274643220306 4741 ~412001",
  h: "0209 ~06274645 4542",
  i: "0207 09",
  j: "1711 1100 19",
  k: "0209 4704 1542",
  l: "0209",
  m: "0702 ~06172736 3632 ~36475766 6662",
  n: "0702 ~06274645 4542",
  o: "o274643220306",
  p: "o274643220306 0700",
  q: "o274643220306 4740",
  r: "0702 ~052737",
  s: "~4627061534432203",
  t: "1914 ~14132232 0737",
  u: "0704 ~04032244 4742",
  v: "072247",
  w: "0712375267",
  x: "0742 0247",
  y: "0722 4710",
  z: "07470242",
  "0": "o294843220308",
  "1": "072922",
  "2": "~082948460302 0242",
  "3": "~08294726 ~2645432203",
  "4": "32390444",
  "5": "490906 ~062745442203",
  "6": "~4829070422442604",
  "7": "094912",
  "8": "o294847260708 o264543220305",
  "9": "~0322444729072547",
  ".": "12",
  ",": "1201",
  ":": "02 06",
  ";": "1201 16",
  "-": "0535",
  "+": "0545 2723",
  "=": "0646 0444",
  _: "0141",
  "/": "0149",
  "\\": "0941",
  "(": "~29070421",
  ")": "~09272401",
  "[": "29090121",
  "]": "09292101",
  "'": "0907",
  '"': "0907 2927",
  "!": "0904 02",
  "?": "~0829484625 22",
  "%": "0249 o09191808 o33434232",
  "&": "~5217182938370503224355",
  "*": "2925 0846 4806",
  "#": "1219 3239 0747 0444",
  "<": "480542",
  ">": "084502",
  "|": "0109",
  "~": "~05163445",
  "°": "o08192817",
  "′": "1907",
  "″": "1907 3927",
  "·": "05",
  "–": "0545",
  "—": "0575",
  "×": "0743 0347",
  "≤": "490644 0242",
  "≥": "094604 0242",
  "…": "02 22 42",
  "\u{fffd}": "0307474303",
};

/** Space between letters, and the width of blanks, in grid units. */
const GAP = 1.7;
const BLANKS: Readonly<Record<string, number>> = { " ": 3, "\u2009": 1.8, "\u00a0": 3 };

export interface LetteringOptions {
  /** Height of capitals, pixels. */
  readonly size: number;
  readonly color: Rgba;
  readonly bold?: boolean;
  readonly align?: "left" | "center" | "right";
  /** Colour of a halo behind the letters. */
  readonly halo?: Rgba;
}

/** Draw a line of text on a baseline. Characters without a drawing lose their accents, or become a box. */
export function write(canvas: Canvas, text: string, x: number, y: number, options: LetteringOptions): void {
  const { size, color, bold = false, align = "left", halo } = options;
  const unit = size / 7;
  const width = textWidth(text, size);
  let at = align === "left" ? x : align === "center" ? x - width / 2 : x - width;
  const paths: Float64Array[] = [];
  for (const letter of letters(text)) {
    const blank = BLANKS[letter];
    if (blank !== undefined) {
      at += blank * unit;
      continue;
    }
    for (const stroke of GLYPHS[letter]!.split(" ")) {
      const path = outline(stroke);
      for (let i = 0; i < path.length; i += 2) {
        path[i] = at + path[i]! * unit;
        path[i + 1] = y - (path[i + 1]! - 2) * unit;
      }
      paths.push(path);
    }
    at += (reach(letter) + GAP) * unit;
  }
  const thick = Math.max(1.1, size * (bold ? 0.19 : 0.125));
  if (halo !== undefined) canvas.stroke(paths, thick + 4, halo);
  canvas.stroke(paths, thick, color);
  const dots = paths.filter((path) => path.length === 2);
  if (dots.length > 0) canvas.stroke(dots, 1.4 * thick, color);
}

/** Pixels that a line of text takes. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const letter of letters(text)) width += BLANKS[letter] ?? reach(letter) + GAP;
  return (Math.max(0, width - GAP) * size) / 7;
}

/** Break text into lines of at most `width` pixels, at blanks; longer words are cut. */
export function wrapText(text: string, size: number, width: number, mostLines: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((one) => one !== "")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer, size) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
    if (lines.length >= mostLines) break;
  }
  if (line !== "") lines.push(line);
  const kept = lines.slice(0, mostLines).map((one) => fitText(one, size, width));
  if (lines.length > mostLines) kept[mostLines - 1] = fitText(`${kept[mostLines - 1]}…`, size, width);
  return kept;
}

/** The text, or as much of it as fits with `…`. */
export function fitText(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text;
  let cut = [...text].slice(0, 400);
  while (cut.length > 1 && textWidth(`${cut.join("")}…`, size) > width) cut = cut.slice(0, -1);
  return `${cut.join("").trimEnd()}…`;
}

function* letters(text: string): Generator<string> {
  for (const char of text) {
    if (BLANKS[char] !== undefined || Object.hasOwn(GLYPHS, char)) yield char;
    else {
      const [plain] = char.normalize("NFKD");
      if (/^[\p{M}\p{C}]$/u.test(plain!)) continue;
      yield Object.hasOwn(GLYPHS, plain!) ? plain! : /\s/.test(char) ? " " : "\u{fffd}";
    }
  }
}

function reach(letter: string): number {
  let most = 0.4;
  for (const stroke of GLYPHS[letter]!.split(" ")) {
    const digits = stroke.replace(/^[~o]/, "");
    for (let i = 0; i < digits.length; i += 2) most = Math.max(most, Number(digits[i]));
  }
  return most;
}

/** Places of a stroke in grid units; rounded ones as short chords of a Catmull-Rom spline. */
function outline(stroke: string): Float64Array {
  const digits = stroke.replace(/^[~o]/, "");
  const xy = Float64Array.from(digits, Number);
  if (digits === stroke || xy.length < 6) return xy;
  const closed = stroke.startsWith("o");
  const count = xy.length / 2;
  const at = (i: number, k: 0 | 1): number => {
    const place = closed ? (i + count) % count : Math.max(0, Math.min(count - 1, i));
    return xy[2 * place + k]!;
  };
  const chords = 6;
  const out: number[] = [];
  for (let i = 0; i < (closed ? count : count - 1); i++) {
    for (let step = 0; step < chords; step++) {
      const t = step / chords;
      for (const k of [0, 1] as const) {
        const [a, b, c, d] = [at(i - 1, k), at(i, k), at(i + 1, k), at(i + 2, k)];
        out.push(b + (t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))) / 2);
      }
    }
  }
  out.push(at(closed ? 0 : count - 1, 0), at(closed ? 0 : count - 1, 1));
  return Float64Array.from(out);
}
