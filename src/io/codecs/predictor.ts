/**
 * Undo predictor 2 (TIFF 6.0, section 14) in place: each sample was stored as its difference from the sample of
 * the same band to its left, modulo the size of its type. Works on the bits, whatever they mean: floats too.
 *
 * @param samples Of `bits` 8, 16 or 32: one element each. Of 64: two 32-bit elements each, low word first.
 * @param rowSamples Samples in a row, all bands counted.
 * @param bands Bands interleaved in a row; 1 when each band is stored apart.
 */
export function undoHorizontal(
  samples: Uint8Array | Uint16Array | Uint32Array,
  bits: 8 | 16 | 32 | 64,
  rowSamples: number,
  bands: number,
): void {
  if (bits === 64) undoWide(samples as Uint32Array, rowSamples, bands);
  else if (bands === 1) {
    if (bits === 8) undoBytes(samples as Uint8Array, rowSamples);
    else if (bits === 16) undoShorts(samples as Uint16Array, rowSamples);
    else undoWords(samples as Uint32Array, rowSamples);
  } else if (bits === 8) undoStridedBytes(samples as Uint8Array, rowSamples, bands);
  else if (bits === 16) undoStridedShorts(samples as Uint16Array, rowSamples, bands);
  else undoStridedWords(samples as Uint32Array, rowSamples, bands);
}

// One function per width and case, so that each loop sees a single kind of array.

function undoBytes(samples: Uint8Array, rowSamples: number): void {
  for (let row = 0; row < samples.length; row += rowSamples) {
    let sum = 0;
    const end = Math.min(samples.length, row + rowSamples);
    for (let i = row; i < end; i++) samples[i] = sum = (sum + samples[i]!) & 0xff;
  }
}

function undoShorts(samples: Uint16Array, rowSamples: number): void {
  for (let row = 0; row < samples.length; row += rowSamples) {
    let sum = 0;
    const end = Math.min(samples.length, row + rowSamples);
    for (let i = row; i < end; i++) samples[i] = sum = (sum + samples[i]!) & 0xffff;
  }
}

function undoWords(samples: Uint32Array, rowSamples: number): void {
  for (let row = 0; row < samples.length; row += rowSamples) {
    let sum = 0;
    const end = Math.min(samples.length, row + rowSamples);
    for (let i = row; i < end; i++) samples[i] = sum = (sum + samples[i]!) | 0;
  }
}

function undoStridedBytes(samples: Uint8Array, rowSamples: number, bands: number): void {
  for (let row = 0; row < samples.length; row += rowSamples) {
    const end = Math.min(samples.length, row + rowSamples);
    for (let i = row + bands; i < end; i++) samples[i] = samples[i]! + samples[i - bands]!;
  }
}

function undoStridedShorts(samples: Uint16Array, rowSamples: number, bands: number): void {
  for (let row = 0; row < samples.length; row += rowSamples) {
    const end = Math.min(samples.length, row + rowSamples);
    for (let i = row + bands; i < end; i++) samples[i] = samples[i]! + samples[i - bands]!;
  }
}

function undoStridedWords(samples: Uint32Array, rowSamples: number, bands: number): void {
  for (let row = 0; row < samples.length; row += rowSamples) {
    const end = Math.min(samples.length, row + rowSamples);
    for (let i = row + bands; i < end; i++) samples[i] = samples[i]! + samples[i - bands]!;
  }
}

function undoWide(words: Uint32Array, rowSamples: number, bands: number): void {
  const rowWords = 2 * rowSamples;
  for (let row = 0; row < words.length; row += rowWords) {
    const end = Math.min(words.length, row + rowWords);
    for (let i = row + 2 * bands; i < end; i += 2) {
      const low = words[i]! + words[i - 2 * bands]!;
      words[i] = low;
      words[i + 1] = words[i + 1]! + words[i + 1 - 2 * bands]! + (low > 0xffffffff ? 1 : 0);
    }
  }
}

/**
 * Undo predictor 3 (TIFF technical note 3): a row holds the highest bytes of all its samples, then the next
 * bytes, and so on, each byte as the difference from the one `bands` before it. The same in files of either byte
 * order.
 *
 * @param bytes Rows as stored; they are changed.
 * @param sampleBytes 2, 3, 4 or 8.
 * @returns The samples in little-endian order.
 */
export function undoFloating(
  bytes: Uint8Array,
  sampleBytes: number,
  rowSamples: number,
  bands: number,
): Uint8Array {
  const out = new Uint8Array(bytes.length);
  const rowBytes = rowSamples * sampleBytes;
  for (let row = 0; row + rowBytes <= bytes.length; row += rowBytes) {
    const end = row + rowBytes;
    if (bands === 1) {
      let sum = 0;
      for (let i = row; i < end; i++) bytes[i] = sum = (sum + bytes[i]!) & 0xff;
    } else {
      for (let i = row + bands; i < end; i++) bytes[i] = bytes[i]! + bytes[i - bands]!;
    }
    if (sampleBytes === 4) {
      // The four planes at once: by far the most common case.
      let a = row;
      let b = a + rowSamples;
      let c = b + rowSamples;
      let d = c + rowSamples;
      for (let i = row; i < end; i += 4) {
        out[i] = bytes[d++]!;
        out[i + 1] = bytes[c++]!;
        out[i + 2] = bytes[b++]!;
        out[i + 3] = bytes[a++]!;
      }
      continue;
    }
    for (let k = 0; k < sampleBytes; k++) {
      let from = row + (sampleBytes - 1 - k) * rowSamples;
      for (let i = row + k; i < end; i += sampleBytes) out[i] = bytes[from++]!;
    }
  }
  return out;
}
