import { readFileSync } from "node:fs";
import { crc32, inflateSync } from "node:zlib";
import { expect } from "vitest";

/** A page that opens from disk: whole, not large, and with nothing to fetch. */
export function checkPage(path: string): void {
  const html = readFileSync(path, "utf8");
  expect(html).toMatch(/^<!doctype html>/i);
  expect(html.trimEnd()).toMatch(/<\/html>$/);
  expect(html.length).toBeLessThan(3e6);
  const fetched = [
    ...html.matchAll(/\b(?:src|href|action|poster|srcset)\s*=\s*["']?\s*(?:https?:)?\/\/[^"'\s>]*/gi),
    ...html.matchAll(/url\(\s*["']?(?!["']?(?:data:|#))[^)]*\)/gi),
    ...html.matchAll(/<link\b(?![^>]*href="data:)[^>]*>/g),
    ...html.matchAll(/@import|<iframe\b|\bfetch\(|XMLHttpRequest|\bimport\(|WebSocket|sendBeacon/g),
  ].map(([text]) => text);
  expect(fetched).toEqual([]);
}

/** A PNG whose chunks, checksums and pixels are all there. */
export function checkPng(path: string): void {
  const bytes = readFileSync(path);
  expect([...bytes.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  const data: Buffer[] = [];
  const names: string[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    names.push(bytes.toString("latin1", at + 4, at + 8));
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(bytes.subarray(at + 4, at + 8 + length)));
    if (names.at(-1) === "IDAT") data.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  expect(names[0]).toBe("IHDR");
  expect(names.at(-1)).toBe("IEND");
  const [width, height, depth, color] = [
    bytes.readUInt32BE(16),
    bytes.readUInt32BE(20),
    bytes[24],
    bytes[25],
  ];
  expect([width, height, depth, color]).toEqual([1200, 800, 8, 2]);
  const pixels = inflateSync(Buffer.concat(data));
  expect(pixels.length).toBe(height! * (1 + 3 * width!));
  // a picture of something, not of one colour
  expect(new Set(pixels).size).toBeGreaterThan(20);
}
