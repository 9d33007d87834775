/** Seeded numbers: the same in every run, on every machine and Node version. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform whole number in `0 .. below - 1`. */
  int(below: number): number;
  /** Uniform in [min, max). */
  between(min: number, max: number): number;
  /** One item of a list that is not empty. */
  pick<T>(items: readonly T[]): T;
}

/**
 * A generator with 32 bits of state (an additive sequence whose output is mixed by multiplications and
 * shifts), good enough for fixtures, never for cryptography or statistics. Only integer arithmetic, so it
 * cannot differ between versions of a maths library.
 */
export function random(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    return mix(state) / 2 ** 32;
  };
  return {
    next,
    int: (below) => Math.floor(next() * below),
    between: (min, max) => min + next() * (max - min),
    pick: (items) => items[Math.floor(next() * items.length)]!,
  };
}

/** A number in [0, 1) that depends on nothing but the three integers. */
export function hash(seed: number, i: number, j: number): number {
  return mix((seed ^ Math.imul(i, 0x27d4eb2d) ^ Math.imul(mix(j + 0x165667b1), 0x85ebca6b)) | 0) / 2 ** 32;
}

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

/**
 * Smooth noise in [0, 1] over the plane: random values at whole coordinates, blended by a quintic in between.
 * No transcendental function, so the same bits everywhere.
 */
export function noise(seed: number, x: number, y: number): number {
  const i = Math.floor(x);
  const j = Math.floor(y);
  const u = fade(x - i);
  const v = fade(y - j);
  const low = hash(seed, i, j) * (1 - u) + hash(seed, i + 1, j) * u;
  const high = hash(seed, i, j + 1) * (1 - u) + hash(seed, i + 1, j + 1) * u;
  return low * (1 - v) + high * v;
}

/** Sum of `octaves` of {@link noise}, each twice as fine and half as strong, in [0, 1]. */
export function fractal(seed: number, x: number, y: number, octaves: number): number {
  let sum = 0;
  let weight = 0.5;
  let total = 0;
  let scale = 1;
  for (let k = 0; k < octaves; k++) {
    sum += weight * noise(seed + 101 * k, x * scale, y * scale);
    total += weight;
    weight /= 2;
    scale *= 2;
  }
  return sum / total;
}

function fade(t: number): number {
  return t * t * t * (t * (t * 6 - 15) + 10);
}
