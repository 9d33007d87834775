import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodePng, pngDataUri } from "../../../src/jobs/report/png.ts";
import { decodePng } from "./decode-png.ts";

describe("encodePng", () => {
  it("stores few colours with a palette and many as they are", () => {
    const two = Uint8Array.of(1, 2, 3, 255, 9, 8, 7, 128);
    expect(decodePng(encodePng({ width: 2, height: 1, rgba: two }))).toMatchObject({
      colourType: 3,
      rgba: two,
    });
    const many = Uint8Array.from({ length: 4 * 900 }, (_, i) => (i % 4 === 3 ? 255 : (i * 7919) >> 3));
    expect(decodePng(encodePng({ width: 30, height: 30, rgba: many }))).toMatchObject({
      colourType: 2,
      rgba: many,
    });
  });

  it("gives back every picture, but for the colour of pixels that cannot be seen", () => {
    const picture = fc
      .record({
        width: fc.integer({ min: 1, max: 40 }),
        height: fc.integer({ min: 1, max: 20 }),
        seed: fc.integer(),
        colours: fc.constantFrom(2, 200, 4000),
      })
      .map(({ width, height, seed, colours }) => {
        let state = seed | 1;
        const rgba = new Uint8Array(4 * width * height);
        for (let i = 0; i < width * height; i++) {
          state = (Math.imul(state, 1103515245) + 12345) | 0;
          const colour = (state >>> 8) % colours;
          rgba.set(
            [
              colour & 255,
              (colour >> 4) & 255,
              (colour * 31) & 255,
              colour % 5 === 0 ? 0 : 255 - (colour % 7),
            ],
            4 * i,
          );
          if (rgba[4 * i + 3] === 0) rgba.set([0, 0, 0], 4 * i);
        }
        return { width, height, rgba };
      });
    fc.assert(
      fc.property(picture, (one) => {
        const { width, height, rgba } = decodePng(encodePng(one));
        expect({ width, height, rgba }).toEqual(one);
      }),
      { numRuns: 60 },
    );
  });

  it("can stand in a page", () => {
    expect(pngDataUri({ width: 1, height: 1, rgba: Uint8Array.of(0, 0, 0, 255) })).toMatch(
      /^data:image\/png;base64,iVBOR[\w+/=]+$/,
    );
  });
});
