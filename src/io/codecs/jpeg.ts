import { CodecError } from "./codec-error.ts";

/** What the JPEG stream of a block must hold, and what to make of its colours. */
export interface JpegShape {
  readonly width: number;
  readonly height: number;
  /** Height that a block has when it is not the last one: a last strip may be stored at that height. */
  readonly fullHeight: number;
  /** Components per pixel. */
  readonly bands: number;
  /** Convert YCbCr to RGB (full range, BT.601), as readers of TIFF do for photometric interpretation 6. */
  readonly toRgb: boolean;
}

interface Component {
  readonly id: number;
  /** Sampling factors. */
  readonly h: number;
  readonly v: number;
  readonly quantizer: number;
  /** Blocks across and down that hold pixels. */
  readonly blocksWide: number;
  readonly blocksHigh: number;
  /** Blocks in a row of `coefficients`: whole groups of `h`. */
  readonly stride: number;
  /** 64 per block, in natural order, kept for the whole image. */
  readonly coefficients: Int16Array;
  /** Huffman tables and DC prediction of the current scan. */
  dc: Huffman | null;
  ac: Huffman | null;
  predicted: number;
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly progressive: boolean;
  readonly components: readonly Component[];
  readonly maxH: number;
  readonly maxV: number;
  readonly groupsWide: number;
  readonly groupsHigh: number;
}

interface Huffman {
  /** By the next 9 bits: code length << 8 | symbol; 0 when the code is longer. */
  readonly fast: Uint16Array;
  /** Largest code of each length, -1 where there is none; and where its symbols start. */
  readonly maxCode: Int32Array;
  readonly firstIndex: Int32Array;
  readonly symbols: Uint8Array;
}

interface Tables {
  readonly quantizers: (Uint16Array | undefined)[];
  readonly dc: (Huffman | undefined)[];
  readonly ac: (Huffman | undefined)[];
  restart: number;
}

// biome-ignore format: the zigzag order reads as the square it is
const NATURAL_ORDER: Uint8Array = Uint8Array.of(
   0,  1,  8, 16,  9,  2,  3, 10,
  17, 24, 32, 25, 18, 11,  4,  5,
  12, 19, 26, 33, 40, 48, 41, 34,
  27, 20, 13,  6,  7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36,
  29, 22, 15, 23, 30, 37, 44, 51,
  58, 59, 52, 45, 38, 31, 39, 46,
  53, 60, 61, 54, 47, 55, 62, 63,
);

/**
 * A JPEG stream (ITU-T T.81): baseline, extended sequential and progressive, Huffman coded, 8 bits. Bands come
 * out interleaved by pixel. The arithmetic is that of the reference decoder in its accurate integer mode with
 * smooth chroma upsampling, so that pixels equal those of GDAL bit for bit.
 *
 * @param tables An abbreviated stream with quantization and Huffman tables (TIFF tag 347), or `null`.
 * @returns `width * height * bands` bytes. A stream that is higher is cut, one that is lower leaves zeros below.
 * @throws CodecError
 */
export function decodeJpeg(bytes: Uint8Array, tables: Uint8Array | null, shape: JpegShape): Uint8Array {
  const state: Tables = { quantizers: [], dc: [], ac: [], restart: 0 };
  if (tables !== null) readMarkers(tables, state, null);
  const frame = readMarkers(bytes, state, shape);
  if (frame === null) throw new CodecError("JPEG stream holds no image");
  const planes = frame.components.map((component) => reconstruct(component, frame, state));
  return assemble(planes, frame, shape);
}

/** Walk the markers of a stream; decodes scans as they come. Returns the frame, `null` for tables alone. */
function readMarkers(bytes: Uint8Array, tables: Tables, shape: JpegShape | null): Frame | null {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8)
    throw new CodecError("JPEG stream does not start with a start-of-image marker");
  let frame: Frame | null = null;
  let scans = 0;
  let at = 2;
  for (;;) {
    while (at < bytes.length && bytes[at] !== 0xff) at++;
    while (at < bytes.length && bytes[at] === 0xff) at++;
    if (at >= bytes.length) {
      if (shape === null || scans > 0) return frame;
      throw new CodecError("JPEG stream ends before its image");
    }
    const marker = bytes[at++]!;
    if (marker === 0xd9) {
      if (shape === null || scans > 0) return frame;
      throw new CodecError("JPEG stream ends before its image");
    }
    if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    if (at + 2 > bytes.length) throw new CodecError("JPEG stream ends inside a marker");
    const length = (bytes[at]! << 8) | bytes[at + 1]!;
    const end = at + length;
    if (length < 2 || end > bytes.length) throw new CodecError("JPEG stream ends inside a marker");
    const body = bytes.subarray(at + 2, end);
    at = end;
    if (marker === 0xdb) readQuantizers(body, tables);
    else if (marker === 0xc4) readHuffman(body, tables);
    else if (marker === 0xdd && body.length >= 2) tables.restart = (body[0]! << 8) | body[1]!;
    else if (marker === 0xc0 || marker === 0xc1 || marker === 0xc2) {
      if (shape === null || frame !== null) throw new CodecError("JPEG stream has a second frame");
      frame = readFrame(body, marker === 0xc2, shape);
    } else if (marker >= 0xc3 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc) {
      throw new CodecError("JPEG stream is lossless, hierarchical or arithmetic coded", {
        unsupported: true,
      });
    } else if (marker === 0xda) {
      if (frame === null) throw new CodecError("JPEG stream has a scan before its frame");
      // A progressive image has some ten scans; each costs a pass over the image, so their number is bounded.
      if (++scans > 128) throw new CodecError("JPEG stream has more than 128 scans");
      at = decodeScan(bytes, end, body, frame, tables);
    }
  }
}

function readQuantizers(body: Uint8Array, tables: Tables): void {
  let at = 0;
  while (at < body.length) {
    const wide = body[at]! >> 4;
    const slot = body[at++]! & 15;
    if (wide > 1 || slot > 3 || at + (wide === 1 ? 128 : 64) > body.length)
      throw new CodecError("JPEG stream has a bad quantization table");
    const table = new Uint16Array(64);
    for (let k = 0; k < 64; k++) {
      table[NATURAL_ORDER[k]!] = wide === 1 ? (body[at++]! << 8) | body[at++]! : body[at++]!;
    }
    tables.quantizers[slot] = table;
  }
}

function readHuffman(body: Uint8Array, tables: Tables): void {
  let at = 0;
  while (at < body.length) {
    const kind = body[at]! >> 4;
    const slot = body[at++]! & 15;
    if (kind > 1 || slot > 3 || at + 16 > body.length)
      throw new CodecError("JPEG stream has a bad Huffman table");
    const counts = body.subarray(at, at + 16);
    at += 16;
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total > 256 || at + total > body.length) throw new CodecError("JPEG stream has a bad Huffman table");
    (kind === 0 ? tables.dc : tables.ac)[slot] = makeHuffman(
      counts,
      new Uint8Array(body.subarray(at, at + total)),
    );
    at += total;
  }
}

function makeHuffman(counts: Uint8Array, symbols: Uint8Array): Huffman {
  const fast = new Uint16Array(512);
  const maxCode = new Int32Array(18).fill(-1);
  const firstIndex = new Int32Array(18);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1]!;
    if (code + count > 1 << length) throw new CodecError("JPEG stream has a bad Huffman table");
    firstIndex[length] = index - code;
    for (let i = 0; i < count; i++, code++, index++) {
      if (length > 9) continue;
      const entry = (length << 8) | symbols[index]!;
      fast.fill(entry, code << (9 - length), (code + 1) << (9 - length));
    }
    if (count > 0) maxCode[length] = code - 1;
    code <<= 1;
  }
  return { fast, maxCode, firstIndex, symbols };
}

function readFrame(body: Uint8Array, progressive: boolean, shape: JpegShape): Frame {
  if (body.length < 6) throw new CodecError("JPEG stream has a bad frame header");
  if (body[0] !== 8)
    throw new CodecError(`JPEG stream has ${body[0]} bits per sample, only 8 are decoded`, {
      unsupported: true,
    });
  const height = (body[1]! << 8) | body[2]!;
  const width = (body[3]! << 8) | body[4]!;
  const count = body[5]!;
  if (count !== shape.bands)
    throw new CodecError(`JPEG stream has ${count} components, expected ${shape.bands}`);
  if (width !== shape.width || height === 0 || height > Math.max(shape.height, shape.fullHeight))
    throw new CodecError(`JPEG stream is ${width} x ${height}, expected ${shape.width} x ${shape.height}`);
  if (body.length < 6 + 3 * count) throw new CodecError("JPEG stream has a bad frame header");
  const factors = Array.from({ length: count }, (_, k) => body[7 + 3 * k]!);
  // One component alone is stored block by block, whatever its factors say.
  const hs = factors.map((factor) => (count === 1 ? 1 : factor >> 4));
  const vs = factors.map((factor) => (count === 1 ? 1 : factor & 15));
  if ([...hs, ...vs].some((factor) => factor < 1 || factor > 4))
    throw new CodecError("JPEG stream has bad sampling factors");
  const maxH = Math.max(...hs);
  const maxV = Math.max(...vs);
  const groupsWide = Math.ceil(width / (8 * maxH));
  const groupsHigh = Math.ceil(height / (8 * maxV));
  const components = hs.map((h, k): Component => {
    const v = vs[k]!;
    const stride = groupsWide * h;
    return {
      id: body[6 + 3 * k]!,
      h,
      v,
      quantizer: body[8 + 3 * k]!,
      blocksWide: Math.ceil((width * h) / (8 * maxH)),
      blocksHigh: Math.ceil((height * v) / (8 * maxV)),
      stride,
      coefficients: new Int16Array(64 * stride * groupsHigh * v),
      dc: null,
      ac: null,
      predicted: 0,
    };
  });
  return { width, height, progressive, components, maxH, maxV, groupsWide, groupsHigh };
}

/** Bits of a scan, most significant first; stuffed zero bytes are dropped, a marker ends them. */
class BitReader {
  readonly bytes: Uint8Array;
  at: number;
  held = 0;
  bits = 0;
  /** Zero bits that were made up because the data had ended. */
  missing = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Have at least `count` (up to 16) bits in `bits`. */
  fill(count: number): void {
    while (this.held < count) {
      let byte = 0;
      if (this.at < this.bytes.length) {
        byte = this.bytes[this.at]!;
        if (byte !== 0xff) this.at++;
        else if (this.bytes[this.at + 1] === 0) this.at += 2;
        else {
          byte = 0;
          this.missing += 8;
        }
      } else this.missing += 8;
      this.bits = ((this.bits << 8) | byte) & 0x7fffffff;
      this.held += 8;
    }
    // Looking 16 bits ahead runs over the end of a sound stream by so much, never by more.
    if (this.missing > 32) throw new CodecError("JPEG stream ends inside its image");
  }

  take(count: number): number {
    if (count === 0) return 0;
    this.fill(count);
    this.held -= count;
    return (this.bits >>> this.held) & ((1 << count) - 1);
  }

  /** `count` bits as JPEG writes signed numbers (T.81, F.2.2.1). */
  signed(count: number): number {
    if (count === 0) return 0;
    const value = this.take(count);
    return value < 1 << (count - 1) ? value - (1 << count) + 1 : value;
  }

  symbol(table: Huffman): number {
    this.fill(16);
    const { held, bits } = this;
    const entry = table.fast[(bits >>> (held - 9)) & 511]!;
    if (entry !== 0) {
      this.held = held - (entry >> 8);
      return entry & 255;
    }
    for (let length = 10; length <= 16; length++) {
      const code = (bits >>> (held - length)) & ((1 << length) - 1);
      if (code <= table.maxCode[length]!) {
        this.held = held - length;
        return table.symbols[code + table.firstIndex[length]!] ?? 0;
      }
    }
    throw new CodecError("JPEG stream has a bad Huffman code");
  }

  /** Drop what is left before a restart marker and step over it. */
  restart(): void {
    this.held = 0;
    this.bits = 0;
    this.missing = 0;
    while (this.at + 1 < this.bytes.length) {
      if (
        this.bytes[this.at] === 0xff &&
        this.bytes[this.at + 1]! >= 0xd0 &&
        this.bytes[this.at + 1]! <= 0xd7
      ) {
        this.at += 2;
        return;
      }
      if (this.bytes[this.at] === 0xff && this.bytes[this.at + 1]! >= 0xd8) break;
      this.at++;
    }
    throw new CodecError("JPEG stream lacks a restart marker");
  }
}

interface Scan {
  /** First and last coefficient in zigzag order, and the bit positions of successive approximation. */
  readonly first: number;
  readonly last: number;
  readonly high: number;
  readonly low: number;
  /** Blocks still to be left as they are (progressive AC scans). */
  run: number;
}

/** Decode one scan into the coefficients. Returns the position after it. */
function decodeScan(
  bytes: Uint8Array,
  start: number,
  header: Uint8Array,
  frame: Frame,
  tables: Tables,
): number {
  const count = header[0] ?? 0;
  if (count < 1 || count > 4 || header.length < 4 + 2 * count)
    throw new CodecError("JPEG stream has a bad scan header");
  const components: Component[] = [];
  for (let k = 0; k < count; k++) {
    const component = frame.components.find(({ id }) => id === header[1 + 2 * k]);
    if (component === undefined || components.includes(component))
      throw new CodecError("JPEG stream has a bad scan header");
    const slots = header[2 + 2 * k]!;
    component.dc = tables.dc[slots >> 4] ?? null;
    component.ac = tables.ac[slots & 15] ?? null;
    component.predicted = 0;
    components.push(component);
  }
  const at = 1 + 2 * count;
  const scan: Scan = frame.progressive
    ? {
        first: header[at]!,
        last: header[at + 1]!,
        high: header[at + 2]! >> 4,
        low: header[at + 2]! & 15,
        run: 0,
      }
    : { first: 0, last: 63, high: 0, low: 0, run: 0 };
  if (scan.first > scan.last || scan.last > 63 || scan.low > 13)
    throw new CodecError("JPEG stream has a bad scan header");
  if (frame.progressive && ((scan.first === 0 && scan.last > 0) || (scan.first > 0 && count > 1)))
    throw new CodecError("JPEG stream has a bad scan header");
  const decode = blockDecoder(frame.progressive, scan);
  for (const component of components) {
    const needsDc = scan.first === 0 && scan.high === 0;
    if ((needsDc && component.dc === null) || (scan.last > 0 && component.ac === null))
      throw new CodecError("JPEG stream names a Huffman table that it does not define");
  }

  const reader = new BitReader(bytes, start);
  const single = count === 1 ? components[0]! : null;
  const wide = single === null ? frame.groupsWide : single.blocksWide;
  const high = single === null ? frame.groupsHigh : single.blocksHigh;
  let untilRestart = tables.restart;
  for (let row = 0; row < high; row++) {
    for (let col = 0; col < wide; col++) {
      if (tables.restart > 0 && untilRestart-- === 0) {
        reader.restart();
        for (const component of components) component.predicted = 0;
        scan.run = 0;
        untilRestart = tables.restart - 1;
      }
      if (single !== null) {
        decode(reader, single, 64 * (row * single.stride + col), scan);
        continue;
      }
      for (const component of components) {
        for (let v = 0; v < component.v; v++) {
          for (let h = 0; h < component.h; h++) {
            const block = (row * component.v + v) * component.stride + col * component.h + h;
            decode(reader, component, 64 * block, scan);
          }
        }
      }
    }
  }
  return reader.at;
}

type BlockDecoder = (reader: BitReader, component: Component, offset: number, scan: Scan) => void;

function blockDecoder(progressive: boolean, scan: Scan): BlockDecoder {
  if (!progressive) return decodeSequential;
  if (scan.first === 0) return scan.high === 0 ? decodeDcFirst : decodeDcRefine;
  return scan.high === 0 ? decodeAcFirst : decodeAcRefine;
}

function decodeSequential(reader: BitReader, component: Component, offset: number): void {
  const { coefficients } = component;
  const ac = component.ac!;
  const size = reader.symbol(component.dc!);
  if (size > 15) throw new CodecError("JPEG stream has a bad coefficient");
  component.predicted += reader.signed(size);
  coefficients[offset] = component.predicted;
  for (let k = 1; k < 64; k++) {
    const symbol = reader.symbol(ac);
    const bits = symbol & 15;
    if (bits === 0) {
      if (symbol !== 0xf0) return;
      k += 15;
      continue;
    }
    k += symbol >> 4;
    const value = reader.signed(bits);
    if (k > 63) throw new CodecError("JPEG stream has a bad coefficient");
    coefficients[offset + NATURAL_ORDER[k]!] = value;
  }
}

function decodeDcFirst(reader: BitReader, component: Component, offset: number, scan: Scan): void {
  const size = reader.symbol(component.dc!);
  if (size > 15) throw new CodecError("JPEG stream has a bad coefficient");
  component.predicted += reader.signed(size);
  component.coefficients[offset] = component.predicted << scan.low;
}

function decodeDcRefine(reader: BitReader, component: Component, offset: number, scan: Scan): void {
  if (reader.take(1) === 1) component.coefficients[offset]! |= 1 << scan.low;
}

function decodeAcFirst(reader: BitReader, component: Component, offset: number, scan: Scan): void {
  if (scan.run > 0) {
    scan.run--;
    return;
  }
  for (let k = scan.first; k <= scan.last; k++) {
    const symbol = reader.symbol(component.ac!);
    const run = symbol >> 4;
    const bits = symbol & 15;
    if (bits === 0) {
      if (run < 15) {
        scan.run = (1 << run) - 1 + reader.take(run);
        return;
      }
      k += 15;
      continue;
    }
    k += run;
    const value = reader.signed(bits);
    if (k > 63) throw new CodecError("JPEG stream has a bad coefficient");
    component.coefficients[offset + NATURAL_ORDER[k]!] = value << scan.low;
  }
}

/** T.81, G.1.2.3: a correction bit for each coefficient that is not zero yet, new ones in between. */
function decodeAcRefine(reader: BitReader, component: Component, offset: number, scan: Scan): void {
  const { coefficients } = component;
  const plus = 1 << scan.low;
  const minus = -1 << scan.low;
  let k = scan.first;
  const correct = (at: number): void => {
    const value = coefficients[at]!;
    if (reader.take(1) === 1 && (value & plus) === 0) coefficients[at] = value + (value > 0 ? plus : minus);
  };
  if (scan.run === 0) {
    for (; k <= scan.last; k++) {
      const symbol = reader.symbol(component.ac!);
      let run = symbol >> 4;
      let value = 0;
      if ((symbol & 15) === 0) {
        if (run < 15) {
          scan.run = (1 << run) + reader.take(run);
          break;
        }
      } else value = reader.take(1) === 1 ? plus : minus;
      for (; k <= scan.last; k++) {
        const at = offset + NATURAL_ORDER[k]!;
        if (coefficients[at] !== 0) correct(at);
        else if (run-- === 0) {
          if (value !== 0) coefficients[at] = value;
          break;
        }
      }
    }
  }
  if (scan.run > 0) {
    for (; k <= scan.last; k++) {
      const at = offset + NATURAL_ORDER[k]!;
      if (coefficients[at] !== 0) correct(at);
    }
    scan.run--;
  }
}

/** Samples of one component: rows of `8 * stride` bytes. */
function reconstruct(component: Component, frame: Frame, tables: Tables): Uint8Array {
  const quantizer = tables.quantizers[component.quantizer];
  if (quantizer === undefined)
    throw new CodecError("JPEG stream names a quantization table that it does not define");
  const { coefficients, stride } = component;
  const rows = frame.groupsHigh * component.v;
  const width = 8 * stride;
  const plane = new Uint8Array(width * 8 * rows);
  const work = new Int32Array(64);
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < stride; col++) {
      inverseDct(
        coefficients,
        64 * (row * stride + col),
        quantizer,
        work,
        plane,
        8 * row * width + 8 * col,
        width,
      );
    }
  }
  return plane;
}

/**
 * Dequantize and transform one block: Loeffler, Ligtenberg and Moschytz 1989, 13-bit fixed point, the columns
 * kept with 2 extra bits.
 */
function inverseDct(
  coefficients: Int16Array,
  offset: number,
  quantizer: Uint16Array,
  work: Int32Array,
  plane: Uint8Array,
  to: number,
  width: number,
): void {
  for (let pass = 0; pass < 2; pass++) {
    const columns = pass === 0;
    const step = columns ? 8 : 1;
    const shift = columns ? 11 : 18;
    const round = 1 << (shift - 1);
    for (let i = 0; i < 8; i++) {
      const at = columns ? i : 8 * i;
      let c0: number;
      let c1: number;
      let c2: number;
      let c3: number;
      let c4: number;
      let c5: number;
      let c6: number;
      let c7: number;
      if (columns) {
        const from = offset + i;
        c0 = coefficients[from]! * quantizer[i]!;
        c1 = coefficients[from + 8]! * quantizer[i + 8]!;
        c2 = coefficients[from + 16]! * quantizer[i + 16]!;
        c3 = coefficients[from + 24]! * quantizer[i + 24]!;
        c4 = coefficients[from + 32]! * quantizer[i + 32]!;
        c5 = coefficients[from + 40]! * quantizer[i + 40]!;
        c6 = coefficients[from + 48]! * quantizer[i + 48]!;
        c7 = coefficients[from + 56]! * quantizer[i + 56]!;
        if ((c1 | c2 | c3 | c4 | c5 | c6 | c7) === 0) {
          const flat = c0 << 2;
          for (let k = i; k < 64; k += 8) work[k] = flat;
          continue;
        }
      } else {
        c0 = work[at]!;
        c1 = work[at + 1]!;
        c2 = work[at + 2]!;
        c3 = work[at + 3]!;
        c4 = work[at + 4]!;
        c5 = work[at + 5]!;
        c6 = work[at + 6]!;
        c7 = work[at + 7]!;
      }
      const e1 = Math.imul(c2 + c6, 4433);
      const e2 = e1 + Math.imul(c6, -15137);
      const e3 = e1 + Math.imul(c2, 6270);
      const s0 = (c0 + c4) << 13;
      const s1 = (c0 - c4) << 13;
      const a0 = s0 + e3 + round;
      const a3 = s0 - e3 + round;
      const a1 = s1 + e2 + round;
      const a2 = s1 - e2 + round;
      const z5 = Math.imul(c7 + c3 + c5 + c1, 9633);
      const z1 = Math.imul(c7 + c1, -7373);
      const z2 = Math.imul(c5 + c3, -20995);
      const z3 = Math.imul(c7 + c3, -16069) + z5;
      const z4 = Math.imul(c5 + c1, -3196) + z5;
      const o0 = Math.imul(c7, 2446) + z1 + z3;
      const o1 = Math.imul(c5, 16819) + z2 + z4;
      const o2 = Math.imul(c3, 25172) + z2 + z3;
      const o3 = Math.imul(c1, 12299) + z1 + z4;
      if (columns) {
        work[at] = (a0 + o3) >> shift;
        work[at + 7 * step] = (a0 - o3) >> shift;
        work[at + step] = (a1 + o2) >> shift;
        work[at + 6 * step] = (a1 - o2) >> shift;
        work[at + 2 * step] = (a2 + o1) >> shift;
        work[at + 5 * step] = (a2 - o1) >> shift;
        work[at + 3 * step] = (a3 + o0) >> shift;
        work[at + 4 * step] = (a3 - o0) >> shift;
      } else {
        const row = to + i * width;
        plane[row] = clamp(((a0 + o3) >> shift) + 128);
        plane[row + 7] = clamp(((a0 - o3) >> shift) + 128);
        plane[row + 1] = clamp(((a1 + o2) >> shift) + 128);
        plane[row + 6] = clamp(((a1 - o2) >> shift) + 128);
        plane[row + 2] = clamp(((a2 + o1) >> shift) + 128);
        plane[row + 5] = clamp(((a2 - o1) >> shift) + 128);
        plane[row + 3] = clamp(((a3 + o0) >> shift) + 128);
        plane[row + 4] = clamp(((a3 - o0) >> shift) + 128);
      }
    }
  }
}

function clamp(value: number): number {
  return Math.max(0, Math.min(255, value));
}

/** Planes brought to full size, interleaved, converted to RGB where asked. */
function assemble(planes: readonly Uint8Array[], frame: Frame, shape: JpegShape): Uint8Array {
  const { width, bands } = shape;
  const height = Math.min(shape.height, frame.height);
  const out = new Uint8Array(width * shape.height * bands);
  const rows = frame.components.map((component, k) => upsampler(planes[k]!, component, frame));
  for (let row = 0; row < height; row++) {
    const to = row * width * bands;
    for (let band = 0; band < bands; band++) {
      const line = rows[band]!(row);
      for (let col = 0, i = to + band; col < width; col++, i += bands) out[i] = line[col]!;
    }
    if (shape.toRgb && bands >= 3) convertRow(out, to, width, bands);
  }
  return out;
}

/** YCbCr to RGB in place, 16-bit fixed point. */
function convertRow(out: Uint8Array, from: number, width: number, bands: number): void {
  const end = from + width * bands;
  for (let i = from; i < end; i += bands) {
    const y = out[i]!;
    const cb = out[i + 1]! - 128;
    const cr = out[i + 2]! - 128;
    out[i] = clamp(y + ((91881 * cr + 32768) >> 16));
    out[i + 1] = clamp(y + ((-22554 * cb - 46802 * cr + 32768) >> 16));
    out[i + 2] = clamp(y + ((116130 * cb + 32768) >> 16));
  }
}

/**
 * A function that gives row `row` of the full-size image from a component's plane. Halved directions are
 * interpolated 3:1 between the two nearest samples; other factors repeat samples. The array it returns is its
 * own and is overwritten by the next call.
 */
function upsampler(plane: Uint8Array, component: Component, frame: Frame): (row: number) => Uint8Array {
  const stride = 8 * component.stride;
  const byH = frame.maxH / component.h;
  const byV = frame.maxV / component.v;
  const width = Math.ceil((frame.width * component.h) / frame.maxH);
  const height = Math.ceil((frame.height * component.v) / frame.maxV);
  if (byH === 1 && byV === 1) return (row) => plane.subarray(row * stride, row * stride + frame.width);
  const line = new Uint8Array(2 * width + byH * 8 + frame.width);
  // The neighbour of an upper row of a pair is the row above, of a lower row the one below.
  const nearer = (row: number): number => (row >> 1) * stride;
  const farther = (row: number): number =>
    Math.min(height - 1, Math.max(0, (row >> 1) + ((row & 1) === 0 ? -1 : 1))) * stride;
  if (byH === 2 && byV === 1 && width > 2) {
    return (row) => {
      const from = row * stride;
      line[0] = plane[from]!;
      line[1] = (3 * plane[from]! + plane[from + 1]! + 2) >> 2;
      for (let i = 1; i < width - 1; i++) {
        const three = 3 * plane[from + i]!;
        line[2 * i] = (three + plane[from + i - 1]! + 1) >> 2;
        line[2 * i + 1] = (three + plane[from + i + 1]! + 2) >> 2;
      }
      const last = from + width - 1;
      line[2 * width - 2] = (3 * plane[last]! + plane[last - 1]! + 1) >> 2;
      line[2 * width - 1] = plane[last]!;
      return line;
    };
  }
  if (byH === 2 && byV === 2 && width > 2) {
    return (row) => {
      const near = nearer(row);
      const far = farther(row);
      let here = 3 * plane[near]! + plane[far]!;
      let next = 3 * plane[near + 1]! + plane[far + 1]!;
      let before = here;
      line[0] = (4 * here + 8) >> 4;
      line[1] = (3 * here + next + 7) >> 4;
      for (let i = 1; i < width - 1; i++) {
        before = here;
        here = next;
        next = 3 * plane[near + i + 1]! + plane[far + i + 1]!;
        line[2 * i] = (3 * here + before + 8) >> 4;
        line[2 * i + 1] = (3 * here + next + 7) >> 4;
      }
      line[2 * width - 2] = (3 * next + here + 8) >> 4;
      line[2 * width - 1] = (4 * next + 7) >> 4;
      return line;
    };
  }
  if (byH === 1 && byV === 2) {
    return (row) => {
      const near = nearer(row);
      const far = farther(row);
      const bias = (row & 1) === 0 ? 1 : 2;
      for (let i = 0; i < width; i++) line[i] = (3 * plane[near + i]! + plane[far + i]! + bias) >> 2;
      return line;
    };
  }
  return (row) => {
    const from = Math.floor(row / byV) * stride;
    for (let i = 0; i < frame.width; i++) line[i] = plane[from + Math.floor(i / byH)]!;
    return line;
  };
}
