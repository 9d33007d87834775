import type { Rgba } from "../../model/raster.ts";
import type { Picture } from "./png.ts";

/** Lines across each pixel row that a fill is measured on. */
const SUBROWS = 4;

/** A picture that is drawn on: fills, strokes and pictures blend over what is there, with smooth edges. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly #rgba: Uint8Array;
  /** How much of each pixel the shape being drawn covers, 0 to 1; cleared after each. */
  readonly #cover: Float32Array;

  constructor(width: number, height: number, background: Rgba) {
    this.width = width;
    this.height = height;
    this.#rgba = new Uint8Array(4 * width * height);
    for (let i = 0; i < width * height; i++) this.#rgba.set(background, 4 * i);
    this.#cover = new Float32Array(width * height);
  }

  picture(): Picture {
    return { width: this.width, height: this.height, rgba: this.#rgba };
  }

  /** Only what lies in this rectangle is drawn from now on. */
  clip: readonly [left: number, top: number, right: number, bottom: number] | null = null;

  rect(x: number, y: number, width: number, height: number, color: Rgba): void {
    this.fill([Float64Array.of(x, y, x + width, y, x + width, y + height, x, y + height, x, y)], color);
  }

  /** Fill closed rings by the even-odd rule. `rings` in pixels, `[x0, y0, ...]` each. */
  fill(rings: readonly Float64Array[], color: Rgba): void {
    const [left, top, right, bottom] = this.#limits();
    let minY = Infinity;
    let maxY = -Infinity;
    for (const ring of rings) {
      for (let i = 1; i < ring.length; i += 2) {
        minY = Math.min(minY, ring[i]!);
        maxY = Math.max(maxY, ring[i]!);
      }
    }
    const first = Math.max(top, Math.floor(minY));
    const last = Math.min(bottom, Math.ceil(maxY));
    if (!(first < last)) return;
    const crossings: number[][] = Array.from({ length: SUBROWS * (last - first) }, () => []);
    for (const ring of rings) {
      for (let i = 0; i + 3 < ring.length; i += 2) {
        edge(ring[i]!, ring[i + 1]!, ring[i + 2]!, ring[i + 3]!, first, crossings);
      }
    }
    for (let k = 0; k < crossings.length; k++) {
      const xs = crossings[k]!.sort((a, b) => a - b);
      const row = first + Math.floor(k / SUBROWS);
      for (let i = 0; i + 1 < xs.length; i += 2)
        this.#span(row, Math.max(left, xs[i]!), Math.min(right, xs[i + 1]!));
    }
    this.#blend(left, first, right, last, color);
  }

  /** Lines of one width with round ends and corners, as one shape: crossings are not darker. */
  stroke(paths: readonly Float64Array[], width: number, color: Rgba): void {
    const [left, top, right, bottom] = this.#limits();
    // Thinner than a pixel: as a pixel, but fainter.
    const half = Math.max(1, width) / 2;
    const strength = Math.min(1, width);
    const cover = this.#cover;
    let minX = right;
    let minY = bottom;
    let maxX = left;
    let maxY = top;
    for (const path of paths) {
      for (let i = 0; i + 3 < path.length || (i === 0 && path.length === 2); i += 2) {
        const ax = path[i]!;
        const ay = path[i + 1]!;
        const dx = (path[i + 2] ?? ax) - ax;
        const dy = (path[i + 3] ?? ay) - ay;
        const length = dx * dx + dy * dy;
        const fromX = Math.max(left, Math.floor(Math.min(ax, ax + dx) - half - 1));
        const toX = Math.min(right, Math.ceil(Math.max(ax, ax + dx) + half + 1));
        const fromY = Math.max(top, Math.floor(Math.min(ay, ay + dy) - half - 1));
        const toY = Math.min(bottom, Math.ceil(Math.max(ay, ay + dy) + half + 1));
        if (fromX >= toX || fromY >= toY) continue;
        minX = Math.min(minX, fromX);
        maxX = Math.max(maxX, toX);
        minY = Math.min(minY, fromY);
        maxY = Math.max(maxY, toY);
        for (let y = fromY; y < toY; y++) {
          for (let x = fromX; x < toX; x++) {
            const px = x + 0.5 - ax;
            const py = y + 0.5 - ay;
            const t = length === 0 ? 0 : Math.max(0, Math.min(1, (px * dx + py * dy) / length));
            const ex = px - t * dx;
            const ey = py - t * dy;
            const covered = half + 0.5 - Math.sqrt(ex * ex + ey * ey);
            if (covered <= 0) continue;
            const value = strength * Math.min(1, covered);
            const at = y * this.width + x;
            if (value > cover[at]!) cover[at] = value;
          }
        }
      }
    }
    this.#blend(minX, minY, maxX, maxY, color);
  }

  circle(x: number, y: number, radius: number, color: Rgba): void {
    this.stroke([Float64Array.of(x, y)], 2 * radius, color);
  }

  /** A picture stretched to a rectangle. Smooth blends between its pixels; otherwise the nearest is taken. */
  image(
    picture: Picture,
    x: number,
    y: number,
    width: number,
    height: number,
    opacity: number,
    smooth: boolean,
  ): void {
    const [left, top, right, bottom] = this.#limits();
    const sx = picture.width / width;
    const sy = picture.height / height;
    const fromX = Math.max(left, Math.round(x));
    const toX = Math.min(right, Math.round(x + width));
    const fromY = Math.max(top, Math.round(y));
    const toY = Math.min(bottom, Math.round(y + height));
    // Shrunk pictures are averaged over a few places in each pixel.
    const places = Math.max(1, Math.min(4, Math.round(Math.max(sx, sy) * (smooth ? 1 : 1.5))));
    const stretched = smooth && places === 1;
    for (let row = fromY; row < toY; row++) {
      for (let col = fromX; col < toX; col++) {
        let r = 0;
        let g = 0;
        let b = 0;
        let a = 0;
        if (stretched) {
          const px = (col + 0.5 - x) * sx - 0.5;
          const py = (row + 0.5 - y) * sy - 0.5;
          const i = Math.floor(px);
          const j = Math.floor(py);
          for (let k = 0; k < 4; k++) {
            const weight = ((k & 1) === 0 ? 1 - px + i : px - i) * (k < 2 ? 1 - py + j : py - j);
            const at = pixel(picture, i + (k & 1), j + (k >> 1));
            const alpha = picture.rgba[at + 3]! * weight;
            r += picture.rgba[at]! * alpha;
            g += picture.rgba[at + 1]! * alpha;
            b += picture.rgba[at + 2]! * alpha;
            a += alpha;
          }
        } else {
          for (let k = 0; k < places * places; k++) {
            const px = (col + ((k % places) + 0.5) / places - x) * sx;
            const py = (row + (Math.floor(k / places) + 0.5) / places - y) * sy;
            const at = pixel(picture, Math.floor(px), Math.floor(py));
            const alpha = picture.rgba[at + 3]! / (places * places);
            r += picture.rgba[at]! * alpha;
            g += picture.rgba[at + 1]! * alpha;
            b += picture.rgba[at + 2]! * alpha;
            a += alpha;
          }
        }
        if (a > 0) this.#over(row * this.width + col, r / a, g / a, b / a, (a / 255) * opacity);
      }
    }
  }

  #limits(): readonly [left: number, top: number, right: number, bottom: number] {
    const [left, top, right, bottom] = this.clip ?? [0, 0, this.width, this.height];
    return [Math.max(0, left), Math.max(0, top), Math.min(this.width, right), Math.min(this.height, bottom)];
  }

  #span(row: number, from: number, to: number): void {
    if (!(from < to)) return;
    const cover = this.#cover;
    const start = Math.floor(from);
    const end = Math.floor(to);
    const base = row * this.width;
    if (start === end) {
      cover[base + start]! += (to - from) / SUBROWS;
      return;
    }
    cover[base + start]! += (start + 1 - from) / SUBROWS;
    for (let x = start + 1; x < end; x++) cover[base + x]! += 1 / SUBROWS;
    if (to > end) cover[base + end]! += (to - end) / SUBROWS;
  }

  #blend(left: number, top: number, right: number, bottom: number, [r, g, b, a]: Rgba): void {
    const cover = this.#cover;
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const at = y * this.width + x;
        const covered = cover[at]!;
        if (covered === 0) continue;
        cover[at] = 0;
        this.#over(at, r, g, b, (Math.min(1, covered) * a) / 255);
      }
    }
  }

  #over(at: number, r: number, g: number, b: number, alpha: number): void {
    const rgba = this.#rgba;
    const i = 4 * at;
    rgba[i] = Math.round(rgba[i]! + (r - rgba[i]!) * alpha);
    rgba[i + 1] = Math.round(rgba[i + 1]! + (g - rgba[i + 1]!) * alpha);
    rgba[i + 2] = Math.round(rgba[i + 2]! + (b - rgba[i + 2]!) * alpha);
    rgba[i + 3] = Math.round(rgba[i + 3]! + (255 - rgba[i + 3]!) * alpha);
  }
}

function pixel({ width, height }: Picture, col: number, row: number): number {
  const x = Math.max(0, Math.min(width - 1, col));
  const y = Math.max(0, Math.min(height - 1, row));
  return 4 * (y * width + x);
}

function edge(ax: number, ay: number, bx: number, by: number, first: number, crossings: number[][]): void {
  if (ay === by) return;
  const [x0, y0, x1, y1] = ay < by ? [ax, ay, bx, by] : [bx, by, ax, ay];
  const from = Math.max(0, Math.ceil((y0 - first) * SUBROWS - 0.5));
  const to = Math.min(crossings.length - 1, Math.ceil((y1 - first) * SUBROWS - 0.5) - 1);
  const slope = (x1 - x0) / (y1 - y0);
  for (let k = from; k <= to; k++) crossings[k]!.push(x0 + ((k + 0.5) / SUBROWS + first - y0) * slope);
}
