import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { CodecError } from "../../../src/io/codecs/codec-error.ts";
import { decodeJpeg } from "../../../src/io/codecs/jpeg.ts";

/**
 * 17 x 9 pixels, three bands, chroma halved both ways, made by GDAL 3.6.2 (libjpeg-turbo 2.1.5); the hash is that of the
 * pixels GDAL reads from it, interleaved.
 */
const FILES = {
  baseline: {
    jpeg: "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCj/wAARCAAJABEDASIAAhEBAxEB/8QAGAAAAgMAAAAAAAAAAAAAAAAAAAQCBQf/xAAiEAACAAQGAwAAAAAAAAAAAAAAAQIDBBEUITEyUXFScqH/xAAVAQEBAAAAAAAAAAAAAAAAAAADB//EABwRAAEEAwEAAAAAAAAAAAAAAAABAgMEERIVUf/aAAwDAQACEQMRAD8Awmmpkolfu5ZyaVJLJX4IStV7Ick7o+inV7sjG4QXRMhh4PL6wGgF6EouqeH/2Q==",
    pixels: "4fda6d640116a05a1cb9e483c7e2ec0b8b8a3e0688ed33acfeaf681c0a09d773",
  },
  progressive: {
    jpeg: "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCj/wgARCAAJABEDASIAAhEBAxEB/8QAGAAAAgMAAAAAAAAAAAAAAAAAAAMBBAb/xAAVAQEBAAAAAAAAAAAAAAAAAAACBv/aAAwDAQACEAMQAAABwlmHU6Bon//EABgQAAMBAQAAAAAAAAAAAAAAAAABAhAS/9oACAEBAAEFApkUnIhZ/8QAFREBAQAAAAAAAAAAAAAAAAAAABH/2gAIAQMBAT8BiP/EABgRAAMBAQAAAAAAAAAAAAAAAAABAgMU/9oACAECAQE/Ac9qSOij/8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQAGPwJf/8QAGxAAAgEFAAAAAAAAAAAAAAAAABABESExUcH/2gAIAQEAAT8huLo2dGcr/9oADAMBAAIAAwAAABBEL//EABYRAQEBAAAAAAAAAAAAAAAAABEAUf/aAAgBAwEBPxAsMv/EABYRAAMAAAAAAAAAAAAAAAAAAAEQEf/aAAgBAgEBPxCKCf/EAB0QAQABAwUAAAAAAAAAAAAAAAEAEBFxITFRofD/2gAIAQEAAT8QMF83gAaF+J5LN5hOjT//2Q==",
    pixels: "4fda6d640116a05a1cb9e483c7e2ec0b8b8a3e0688ed33acfeaf681c0a09d773",
  },
} as const;
const shape = { width: 17, height: 9, fullHeight: 9, bands: 3, toRgb: true };

describe("JPEG", () => {
  test.each(["baseline", "progressive"] as const)(
    "%s: the pixels of the reference decoder, bit for bit",
    (kind) => {
      const pixels = decodeJpeg(Buffer.from(FILES[kind].jpeg, "base64"), null, shape);
      expect(createHash("sha256").update(pixels).digest("hex")).toBe(FILES[kind].pixels);
    },
  );

  test("says what does not fit", () => {
    const stream = Buffer.from(FILES.baseline.jpeg, "base64");
    expect(() => decodeJpeg(stream, null, { ...shape, width: 16 })).toThrow("is 17 x 9, expected 16 x 9");
    expect(() => decodeJpeg(stream, null, { ...shape, bands: 1 })).toThrow("has 3 components, expected 1");
    expect(() => decodeJpeg(stream.subarray(0, -20), null, shape)).toThrow(/ends inside its image/);
    expect(() => decodeJpeg(stream.subarray(0, 300), null, shape)).toThrow(CodecError);
    expect(() => decodeJpeg(Buffer.alloc(10), null, shape)).toThrow(/start-of-image/);
  });

  test("takes the upper rows of a stream that is higher than the block", () => {
    const stream = Buffer.from(FILES.baseline.jpeg, "base64");
    const all = decodeJpeg(stream, null, shape);
    const upper = decodeJpeg(stream, null, { ...shape, height: 4 });
    expect(Buffer.compare(upper, all.subarray(0, 17 * 4 * 3))).toBe(0);
  });
});
