import { isAscii, isUtf8 } from "node:buffer";
import { BytesBuilder, type VariableBytes } from "../../model/features.ts";
import { fromWindows1252 } from "../text/windows-1252.ts";
import { DOS_CODE_PAGES } from "./code-pages.ts";

/** How the text of a .dbf is read. */
export interface TextEncoding {
  /** As in `"UTF-8"`, `"windows-1252"`, `"cp850"`. */
  readonly name: string;
  /** What was assumed, when the file says nothing or something unknown; else `null`. */
  readonly warning: string | null;
  /** Turn cells as stored into UTF-8. `width` is the declared length of a cell in bytes. */
  convert(cells: VariableBytes, width: number): VariableBytes;
  /** One piece of text. */
  decode(bytes: Uint8Array): string;
}

/**
 * The encoding of a .dbf: what the .cpg says, else the language driver in its header, else a guess cell by cell: UTF-8
 * where that is possible, Windows-1252 where not.
 *
 * @param cpg   Text of the .cpg; `null` when there is none.
 * @param ldid  Byte 29 of the .dbf header.
 */
export function dbfEncoding(cpg: string | null, ldid: number): TextEncoding {
  if (cpg !== null && cpg.trim() !== "") {
    const known = encodingNamed(cpg);
    if (known !== null) return known;
    const shown = cpg.trim().slice(0, 40);
    return guessing(`the .cpg names the encoding "${shown}", which is not known`);
  }
  if (ldid === 0) return guessing("no encoding is declared (.cpg)");
  const label = LANGUAGE_DRIVERS[ldid];
  return label === undefined
    ? guessing(`the .dbf names the language driver 0x${ldid.toString(16)}, which is not known`)
    : encodingOf(label);
}

/** The encoding that the words of a .cpg mean, or `null`. */
function encodingNamed(words: string): TextEncoding | null {
  const text = words
    .replace(/^\uFEFF/, "")
    .trim()
    .toLowerCase();
  const driver = /^ldid\s*\/\s*(\d+)$/.exec(text);
  if (driver !== null) {
    const label = LANGUAGE_DRIVERS[Number(driver[1])];
    return label === undefined ? null : encodingOf(label);
  }
  if (/^(utf[-_ ]?8|65001|cp65001)$/.test(text)) return encodingOf("utf-8");
  const iso = /^(?:iso[-_ ]?)?8859[-_ ]?(\d{1,2})$/.exec(text);
  if (iso !== null) return isoPart(Number(iso[1]));
  const page = /^(?:cp|oem|ansi|windows|win|ibm|dos|msdos)?[-_ ]?(\d{3,5})$/.exec(text);
  if (page !== null) return codePage(Number(page[1]));
  if (text === "ansi" || text === "latin1") return encodingOf("windows-1252");
  if (text === "oem") return encodingOf("cp437");
  if (text === "sjis") return encodingOf("shift_jis");
  if (text === "euc") return encodingOf("euc-jp");
  return knows(text) ? encodingOf(text) : null;
}

function isoPart(part: number): TextEncoding | null {
  // The web's reading of parts 1, 9 and 11 is the Windows page that fills their gaps.
  if (part === 1) return encodingOf("windows-1252");
  if (part === 9) return encodingOf("windows-1254");
  if (part === 11) return encodingOf("windows-874");
  return knows(`iso-8859-${part}`) ? encodingOf(`iso-8859-${part}`) : null;
}

function codePage(page: number): TextEncoding | null {
  if (DOS_CODE_PAGES[page] !== undefined) return encodingOf(`cp${page}`);
  const label = NAMED_PAGES[page] ?? `windows-${page}`;
  return knows(label) ? encodingOf(label) : null;
}

const NAMED_PAGES: Readonly<Record<number, string>> = {
  866: "ibm866",
  874: "windows-874",
  932: "shift_jis",
  936: "gbk",
  949: "euc-kr",
  950: "big5",
  1361: "euc-kr",
  10000: "macintosh",
  10007: "x-mac-cyrillic",
  20866: "koi8-r",
  20932: "euc-jp",
  21866: "koi8-u",
  28591: "windows-1252",
  28592: "iso-8859-2",
  28595: "iso-8859-5",
  28597: "iso-8859-7",
  28599: "windows-1254",
  28605: "iso-8859-15",
  51932: "euc-jp",
  51949: "euc-kr",
  54936: "gb18030",
  65001: "utf-8",
};

/** Language drivers, byte 29 of the header (dBASE, FoxPro and Esri). */
const LANGUAGE_DRIVERS: Readonly<Record<number, string>> = languageDrivers();

function languageDrivers(): Record<number, string> {
  const drivers: Record<number, string> = {};
  const add = (label: string, ...ids: number[]): void => {
    for (const id of ids) drivers[id] = label;
  };
  add("cp437", 0x01, 0x09, 0x0b, 0x0d, 0x0f, 0x11, 0x15, 0x18, 0x19, 0x1b);
  add("cp850", 0x02, 0x0a, 0x0e, 0x10, 0x12, 0x14, 0x16, 0x1a, 0x1d, 0x25, 0x37);
  add("windows-1252", 0x03, 0x57, 0x58, 0x59);
  add("macintosh", 0x04);
  add("cp865", 0x08, 0x17, 0x66);
  add("shift_jis", 0x13, 0x7b);
  add("cp863", 0x1c, 0x6c);
  add("cp852", 0x1f, 0x22, 0x23, 0x40, 0x64, 0x87);
  add("cp860", 0x24);
  add("ibm866", 0x26, 0x65);
  add("gbk", 0x4d, 0x7a);
  add("euc-kr", 0x4e, 0x79);
  add("big5", 0x4f, 0x78);
  add("windows-874", 0x50, 0x7c);
  add("cp861", 0x67);
  add("cp737", 0x6a, 0x86);
  add("cp857", 0x6b, 0x88);
  add("x-mac-cyrillic", 0x96);
  add("windows-1250", 0xc8);
  add("windows-1251", 0xc9);
  add("windows-1254", 0xca);
  add("windows-1253", 0xcb);
  add("windows-1257", 0xcc);
  return drivers;
}

function knows(label: string): boolean {
  try {
    new TextDecoder(label);
    return true;
  } catch {
    return false;
  }
}

function encodingOf(label: string): TextEncoding {
  if (label === "utf-8") return utf8;
  const decode = decoderOf(label);
  return {
    name: label,
    warning: null,
    decode,
    convert: (cells) => (isAscii(cells.bytes) ? cells : mapCells(cells, decode)),
  };
}

function decoderOf(label: string): (bytes: Uint8Array) => string {
  if (label === "windows-1252") return windows1252;
  const upper = DOS_CODE_PAGES[Number(label.replace("cp", ""))];
  if (upper === undefined) {
    const decoder = new TextDecoder(label);
    return (bytes) => decoder.decode(bytes);
  }
  return (bytes) => {
    let text = "";
    for (const byte of bytes) text += byte < 128 ? String.fromCharCode(byte) : upper[byte - 128]!;
    return text;
  };
}

const utf8Decoder = new TextDecoder();

const utf8: TextEncoding = {
  name: "UTF-8",
  warning: null,
  decode: (bytes) => utf8Decoder.decode(bytes),
  convert: (cells, width) =>
    isUtf8(cells.bytes)
      ? cells
      : mapCells(cells, (bytes) => utf8Decoder.decode(bytes.length === width ? withoutTorn(bytes) : bytes)),
};

/** Without the beginning of a character that the end of a full cell has cut: writers cut text by bytes. */
function withoutTorn(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
    }
    if (byte < 0x80) break;
  }
  return bytes;
}

/** UTF-8 where the bytes allow it, else Windows-1252: text that is not UTF-8 hardly ever looks as if it were. */
function guessing(because: string): TextEncoding {
  const decode = (bytes: Uint8Array): string =>
    isUtf8(bytes) ? utf8Decoder.decode(bytes) : windows1252(bytes);
  return {
    name: "UTF-8 or windows-1252",
    warning: `${because}; text is read as UTF-8 where it can be, else as Windows-1252`,
    decode,
    convert: (cells) => (isUtf8(cells.bytes) ? cells : mapCells(cells, decode)),
  };
}

function windows1252(bytes: Uint8Array): string {
  return utf8Decoder.decode(fromWindows1252(bytes));
}

function mapCells(cells: VariableBytes, decode: (bytes: Uint8Array) => string): VariableBytes {
  const { offsets, bytes } = cells;
  const builder = new BytesBuilder();
  for (let i = 0; i + 1 < offsets.length; i++)
    builder.pushText(decode(bytes.subarray(offsets[i]!, offsets[i + 1]!)));
  return builder.finish();
}
