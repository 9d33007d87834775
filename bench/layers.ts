import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readWkb } from "../src/io/wkb.ts";
import { type GeometryColumn, LINE_STRING, POLYGON } from "../src/model/geometry.ts";
import { GeometryBuilder } from "../src/model/geometry-builder.ts";
import { type Random, random } from "../src/testing/random.ts";

/** Folder of the inputs that the published figures were measured with; absent for most. */
const DATA = process.env["TILTH_BENCH_DATA"];

/**
 * A layer of the folder in env `TILTH_BENCH_DATA` (`NAME.wkbs`: for each geometry its length in four bytes, then its
 * WKB), or `null` when there is none.
 */
export function storedLayer(name: string): GeometryColumn | null {
  if (DATA === undefined) return null;
  const path = join(DATA, `${name}.wkbs`);
  if (!existsSync(path)) return null;
  const file = readFileSync(path);
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const builder = new GeometryBuilder();
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at, true);
    readWkb(bytes, at + 4, length, builder);
    at += 4 + length;
  }
  return builder.finish();
}

/** Small round polygons of 20 to 60 vertices, scattered over four degrees by four. */
export function blobLayer(count: number, seed: number = 5): GeometryColumn {
  const next = random(seed);
  const builder = new GeometryBuilder();
  for (let i = 0; i < count; i++) {
    builder.begin(POLYGON);
    builder.part();
    const x = next.between(74.04, 77.96);
    const y = next.between(14.04, 17.96);
    addRing(builder, outline(next, x, y, next.between(0.004, 0.022), 20 + next.int(41), 8, 0.4));
    builder.end();
  }
  return builder.finish();
}

/** Winding lines of 20 to 100 vertices over the same area. */
export function riverLayer(count: number, seed: number = 6): GeometryColumn {
  const next = random(seed);
  const builder = new GeometryBuilder();
  for (let i = 0; i < count; i++) {
    builder.begin(LINE_STRING);
    builder.part();
    let heading = next.between(0, 2 * Math.PI);
    let x = next.between(74.1, 77.9);
    let y = next.between(14.1, 17.9);
    for (let k = 20 + next.int(81); k > 0; k--) {
      builder.vertex(rounded(x), rounded(y));
      const step = next.between(0.0006, 0.003);
      heading += next.between(-0.4, 0.4);
      x += step * Math.cos(heading);
      y += step * Math.sin(heading);
    }
    builder.end();
  }
  return builder.finish();
}

/** A region with a fractal outline over about 40 % of that area, with three holes when it has many corners. */
export function regionLayer(corners: number, seed: number = 7): GeometryColumn {
  const next = random(seed);
  const builder = new GeometryBuilder();
  builder.begin(POLYGON);
  builder.part();
  addRing(builder, outline(next, 76, 16, 1.42, corners, 400, 1.2));
  for (let hole = 0; corners >= 20_000 && hole < 3; hole++) {
    const angle = (2 * Math.PI * hole) / 3 + 0.4;
    const ring = outline(
      next,
      76 + 0.55 * Math.cos(angle),
      16 + 0.55 * Math.sin(angle),
      0.22,
      2000,
      100,
      0.8,
    );
    addRing(builder, ring.reverse());
  }
  builder.end();
  return builder.finish();
}

/** An open ring around a centre whose radius is a sum of waves, to seven decimals. It never crosses itself. */
function outline(
  next: Random,
  x: number,
  y: number,
  radius: number,
  corners: number,
  waves: number,
  size: number,
): [number, number][] {
  const parts = Array.from({ length: Math.min(waves, corners >> 2) }, (_, k) => ({
    turns: k + 1,
    size: (size * next.between(0.1, 0.4)) / (k + 1) ** 1.15,
    phase: next.between(0, 2 * Math.PI),
  }));
  return Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners;
    let factor = 1;
    for (const { turns, size: wave, phase } of parts) factor += wave * Math.cos(turns * angle + phase);
    const r = radius * Math.min(1.4, Math.max(0.25, factor));
    return [rounded(x + r * Math.cos(angle)), rounded(y + r * Math.sin(angle))];
  });
}

function rounded(value: number): number {
  return Math.round(value * 1e7) / 1e7;
}

function addRing(builder: GeometryBuilder, ring: readonly (readonly [number, number])[]): void {
  builder.ring();
  for (const [x, y] of ring) builder.vertex(x, y);
  builder.vertex(ring[0]![0], ring[0]![1]);
}
