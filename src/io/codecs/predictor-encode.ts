/**
 * Predictor 2 (TIFF 6.0 section 14), in place: each sample becomes its difference to the same sample of the
 * pixel to the left, modulo its size.
 *
 * @param bytes - Rows one after the other, samples of a pixel together; aligned to `sampleBytes`
 *   (8-byte samples: to 4).
 * @param rowSamples - Samples of one row: columns times samples per pixel.
 * @param samplesPerPixel - Distance, in samples, to the pixel on the left.
 * @param sampleBytes - 1, 2, 4 or 8.
 */
export function differenceRows(
  bytes: Uint8Array,
  rowSamples: number,
  samplesPerPixel: number,
  sampleBytes: number,
): void {
  const { buffer, byteOffset, length } = bytes;
  if (sampleBytes === 1) difference8(bytes, rowSamples, samplesPerPixel);
  else if (sampleBytes === 2) {
    difference16(new Uint16Array(buffer, byteOffset, length >>> 1), rowSamples, samplesPerPixel);
  } else if (sampleBytes === 4) {
    difference32(new Uint32Array(buffer, byteOffset, length >>> 2), rowSamples, samplesPerPixel);
  } else if (sampleBytes === 8) {
    difference64(new Uint32Array(buffer, byteOffset, length >>> 2), 2 * rowSamples, 2 * samplesPerPixel);
  } else throw new RangeError(`predictor 2 has no ${sampleBytes}-byte samples`);
}

function difference8(samples: Uint8Array, row: number, step: number): void {
  for (let start = 0; start < samples.length; start += row) {
    for (let i = start + row - 1; i >= start + step; i--) samples[i] = samples[i]! - samples[i - step]!;
  }
}

function difference16(samples: Uint16Array, row: number, step: number): void {
  for (let start = 0; start < samples.length; start += row) {
    for (let i = start + row - 1; i >= start + step; i--) samples[i] = samples[i]! - samples[i - step]!;
  }
}

function difference32(samples: Uint32Array, row: number, step: number): void {
  for (let start = 0; start < samples.length; start += row) {
    for (let i = start + row - 1; i >= start + step; i--) samples[i] = samples[i]! - samples[i - step]!;
  }
}

/** Pairs of low and high word, with a borrow: twenty times faster than `BigUint64Array`. */
function difference64(words: Uint32Array, row: number, step: number): void {
  for (let start = 0; start < words.length; start += row) {
    for (let i = start + row - 2; i >= start + step; i -= 2) {
      const low = words[i]!;
      const leftLow = words[i - step]!;
      words[i] = low - leftLow;
      words[i + 1] = words[i + 1]! - words[i + 1 - step]! - (low < leftLow ? 1 : 0);
    }
  }
}

/**
 * Predictor 3 (Adobe Photoshop TIFF technical note 3), in place: the bytes of a row are sorted by
 * significance, most significant plane first, then each byte becomes its difference to the byte
 * `samplesPerPixel` before it. Parameters as {@link differenceRows}; `sampleBytes` 2, 4 or 8.
 */
export function floatPlanes(
  bytes: Uint8Array,
  rowSamples: number,
  samplesPerPixel: number,
  sampleBytes: number,
): void {
  const rowBytes = rowSamples * sampleBytes;
  const copy = new Uint8Array(rowBytes);
  for (let start = 0; start < bytes.length; start += rowBytes) {
    copy.set(bytes.subarray(start, start + rowBytes));
    for (let plane = 0; plane < sampleBytes; plane++) {
      let to = start + (sampleBytes - 1 - plane) * rowSamples;
      for (let from = plane; from < rowBytes; from += sampleBytes) bytes[to++] = copy[from]!;
    }
    for (let i = start + rowBytes - 1; i >= start + samplesPerPixel; i--) {
      bytes[i] = bytes[i]! - bytes[i - samplesPerPixel]!;
    }
  }
}
