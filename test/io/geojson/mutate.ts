/** Park and Miller's generator: the same numbers in [0, 1) on every machine. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
}

/**
 * A damaged copy of `bytes`: one to four of bytes flipped, a piece cut out, a piece doubled, the end cut off, or one of
 * `words` put in.
 */
export function mutate(bytes: Uint8Array, random: () => number, words: readonly string[]): Uint8Array {
  let text = Buffer.from(bytes);
  const times = 1 + Math.floor(random() * 4);
  for (let k = 0; k < times; k++) {
    const at = Math.floor(random() * text.length);
    const length = Math.floor(random() * 12);
    switch (Math.floor(random() * 5)) {
      case 0:
        if (text.length > 0) text[at] = Math.floor(random() * 256);
        break;
      case 1:
        text = Buffer.concat([text.subarray(0, at), text.subarray(at + length)]);
        break;
      case 2:
        text = Buffer.concat([text.subarray(0, at + length), text.subarray(at)]);
        break;
      case 3:
        if (random() < 0.2) text = Buffer.from(text.subarray(0, at));
        break;
      default: {
        const word = Buffer.from(words[Math.floor(random() * words.length)]!);
        text = Buffer.concat([text.subarray(0, at), word, text.subarray(at)]);
      }
    }
  }
  return new Uint8Array(text);
}
