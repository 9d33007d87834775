import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fractal, hash, noise, random } from "../../src/testing/random.ts";

describe("random", () => {
  it("gives the same numbers for the same seed", () => {
    const [a, b] = [random(7), random(7)];
    const list = Array.from({ length: 100 }, () => a.next());
    expect(Array.from({ length: 100 }, () => b.next())).toEqual(list);
    expect(Array.from({ length: 3 }, () => random(8).next())).not.toEqual(list.slice(0, 3));
  });

  it("fills [0, 1) evenly", () => {
    const numbers = random(1);
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) bins[Math.floor(10 * numbers.next())]!++;
    for (const count of bins) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  it("depends on nothing but its integers", () => {
    expect(hash(1, 2, 3)).toBe(hash(1, 2, 3));
    const seen = new Set<number>();
    for (let i = 0; i < 50; i++) for (let j = 0; j < 50; j++) seen.add(hash(5, i, j));
    expect(seen.size).toBe(2500);
  });
});

describe("noise", () => {
  it("is the hash at whole coordinates and stays within [0, 1]", () => {
    expect(noise(3, 4, 5)).toBe(hash(3, 4, 5));
    const place = fc.double({ min: -1000, max: 1000, noNaN: true });
    fc.assert(
      fc.property(place, place, (x, y) => {
        const value = fractal(9, x, y, 4);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("has no steps", () => {
    for (let x = 0; x < 20; x += 0.37)
      expect(Math.abs(noise(1, x, 2.5) - noise(1, x + 1e-6, 2.5))).toBeLessThan(1e-5);
  });
});
