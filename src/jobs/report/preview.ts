import type { Rgba } from "../../model/raster.ts";
import { Canvas } from "./canvas.ts";
import { type Frame, fitFrame, graticule, scaleBar } from "./frame.ts";
import { formatNumber } from "./html.ts";
import { fitText, textWidth, wrapText, write } from "./lettering.ts";
import { encodePng } from "./png.ts";
import { screenShapes } from "./shapes.ts";
import type { Legend, RasterLayer, ReportInput, ShapeStyle, VectorLayer } from "./types.ts";

export interface PreviewOptions {
  /** Default 1200. */
  readonly width?: number;
  /** Default 800. */
  readonly height?: number;
}

const PAPER: Rgba = [255, 255, 255, 255];
const GROUND: Rgba = [238, 241, 238, 255];
const INK: Rgba = [27, 36, 32, 255];
const SOFT: Rgba = [90, 102, 95, 255];
const LINE: Rgba = [198, 206, 200, 255];
const HALO: Rgba = [255, 255, 255, 215];
const MARGIN = 24;

/**
 * A run as one picture, a PNG file: the visible layers over a graticule, title, legend, key figures, scale and
 * north. Drawn without any graphics library; the same input gives the same pixels.
 */
export function renderPreview(input: ReportInput, options: PreviewOptions = {}): Uint8Array {
  const { width = 1200, height = 800 } = options;
  const canvas = new Canvas(width, height, PAPER);
  const panel = Math.max(220, Math.min(330, Math.round(0.27 * width)));
  const mapWidth = width - panel - 3 * MARGIN;
  const mapHeight = height - 2 * MARGIN;
  drawMap(canvas, input, fitFrame(input.map, mapWidth, mapHeight));
  drawPanel(canvas, input, width - panel - MARGIN, panel, height);
  return encodePng(canvas.picture());
}

function drawMap(canvas: Canvas, input: ReportInput, frame: Frame): void {
  const { width, height } = frame;
  canvas.rect(MARGIN, MARGIN, width, height, GROUND);
  canvas.clip = [MARGIN, MARGIN, MARGIN + width, MARGIN + height];
  for (const layer of input.layers) {
    if (!layer.visible) continue;
    if (layer.kind === "raster") drawRaster(canvas, layer, frame);
    else drawVector(canvas, layer, frame);
  }
  const { x, y } = graticule(frame, 115);
  const grid: Rgba = [70, 84, 76, 105];
  for (const { at } of x) dashes(canvas, MARGIN + (at - frame.left) * frame.scaleX, MARGIN, 0, height, grid);
  for (const { at } of y) dashes(canvas, MARGIN, MARGIN + (frame.top - at) * frame.scaleY, width, 0, grid);
  for (const { at, label } of x) {
    const px = MARGIN + (at - frame.left) * frame.scaleX;
    if (px < MARGIN + 30 || px > MARGIN + width - 60) continue;
    write(canvas, label, px, MARGIN + 18, { size: 10, color: INK, align: "center", halo: HALO });
  }
  for (const { at, label } of y) {
    const py = MARGIN + (frame.top - at) * frame.scaleY;
    if (py < MARGIN + 40 || py > MARGIN + height - 60) continue;
    write(canvas, label, MARGIN + 8, py - 5, { size: 10, color: INK, halo: HALO });
  }
  drawScale(canvas, frame);
  drawNorth(canvas, MARGIN + width - 34, MARGIN + 20);
  canvas.clip = null;
  const right = MARGIN + width;
  const bottom = MARGIN + height;
  canvas.stroke(
    [Float64Array.of(MARGIN, MARGIN, right, MARGIN, right, bottom, MARGIN, bottom, MARGIN, MARGIN)],
    1,
    LINE,
  );
}

function dashes(canvas: Canvas, x: number, y: number, width: number, height: number, color: Rgba): void {
  const length = Math.max(width, height);
  const paths: Float64Array[] = [];
  for (let at = 0; at < length; at += 7) {
    const end = Math.min(length, at + 1.5);
    paths.push(
      width > height ? Float64Array.of(x + at, y, x + end, y) : Float64Array.of(x, y + at, x, y + end),
    );
  }
  canvas.stroke(paths, 1, color);
}

function drawRaster(canvas: Canvas, { picture, bounds, opacity, smooth }: RasterLayer, frame: Frame): void {
  const x = MARGIN + (bounds[0] - frame.left) * frame.scaleX;
  const y = MARGIN + (frame.top - bounds[3]) * frame.scaleY;
  const width = (bounds[2] - bounds[0]) * frame.scaleX;
  const height = (bounds[3] - bounds[1]) * frame.scaleY;
  canvas.image(picture, x, y, width, height, opacity, smooth);
}

function drawVector(canvas: Canvas, layer: VectorLayer, frame: Frame): void {
  const { styles, classes, opacity } = layer;
  const shapes = screenShapes(layer.geometry, frame, 0.3);
  for (const { paths } of shapes)
    for (const path of paths) for (let i = 0; i < path.length; i++) path[i]! += MARGIN;
  const casing = styles[0]?.casing;
  if (casing !== undefined) {
    const outlines = shapes.filter(({ dimension }) => dimension > 0).flatMap(({ paths }) => paths);
    canvas.stroke(outlines, styles[0]!.width + 2.4, faded(casing, opacity));
  }
  for (const { row, dimension, paths } of shapes) {
    const style = styles[classes === null ? 0 : classes[row]!]!;
    if (dimension === 0) for (const path of paths) drawPoint(canvas, path[0]!, path[1]!, style, opacity);
    else drawPaths(canvas, paths, dimension, style, opacity);
  }
}

function drawPaths(
  canvas: Canvas,
  paths: readonly Float64Array[],
  dimension: 1 | 2,
  { fill, stroke, width }: ShapeStyle,
  opacity: number,
): void {
  if (dimension === 2 && fill !== null) canvas.fill(paths, faded(fill, opacity));
  if (stroke !== null) canvas.stroke(paths, width, faded(stroke, opacity));
}

function drawPoint(
  canvas: Canvas,
  x: number,
  y: number,
  { fill, stroke, width, radius }: ShapeStyle,
  opacity: number,
): void {
  if (stroke !== null) canvas.circle(x, y, radius + width, faded(stroke, opacity));
  if (fill !== null) canvas.circle(x, y, radius, faded(fill, opacity));
}

function faded([r, g, b, a]: Rgba, opacity: number): Rgba {
  return [r, g, b, a * opacity];
}

function drawScale(canvas: Canvas, frame: Frame): void {
  const bar = scaleBar(frame, Math.min(180, frame.width / 4));
  if (bar === null) return;
  const x = MARGIN + 18;
  const y = MARGIN + frame.height - 20;
  const path = [Float64Array.of(x, y - 7, x, y, x + bar.pixels, y, x + bar.pixels, y - 7)];
  canvas.stroke(path, 5.5, HALO);
  canvas.stroke(path, 2, INK);
  write(canvas, bar.label, x + bar.pixels / 2, y - 7, { size: 10, color: INK, align: "center", halo: HALO });
}

function drawNorth(canvas: Canvas, x: number, y: number): void {
  const arrow = Float64Array.of(x, y, x + 9, y + 26, x, y + 20, x - 9, y + 26, x, y);
  canvas.stroke([arrow], 4, HALO);
  canvas.fill([arrow], INK);
  write(canvas, "N", x, y + 42, { size: 10, color: INK, align: "center", bold: true, halo: HALO });
}

function drawPanel(canvas: Canvas, input: ReportInput, left: number, width: number, height: number): void {
  let y = MARGIN + 18;
  for (const line of wrapText(input.title, 17, width, 3)) {
    write(canvas, line, left, y, { size: 17, color: INK, bold: true });
    y += 30;
  }
  if (input.subtitle !== undefined) {
    for (const line of wrapText(input.subtitle, 10, width, 3)) {
      write(canvas, line, left, y - 4, { size: 10, color: SOFT });
      y += 18;
    }
  }
  const bottom = height - MARGIN - 24;
  y += 10;
  for (const { label, value, unit } of input.summary.slice(0, 5)) {
    if (y > bottom - 200) break;
    const number = typeof value === "number" ? formatNumber(value) : value;
    const room = unit === undefined || unit === "" ? width : 0.7 * width;
    const size = [14, 11.5, 9.5].find((one) => textWidth(number, one) <= room) ?? 9.5;
    const text = fitText(number, size, room);
    write(canvas, text, left, y + 8, { size, color: INK, bold: true });
    if (unit !== undefined && unit !== "") {
      write(canvas, unit, left + textWidth(text, size) + 7, y + 8, { size: 9, color: SOFT });
    }
    write(canvas, fitText(label, 9, width), left, y + 25, { size: 9, color: SOFT });
    y += 46;
  }
  y += 4;
  for (const layer of [...input.layers].reverse()) {
    if (!layer.visible || y > bottom - 20) continue;
    const title = fitText(layer.title, 11, width - 34);
    write(canvas, title, left, y + 8, { size: 11, color: INK, bold: true });
    const { legend } = layer;
    if (legend.kind === "symbols" && legend.items.length === 1 && legend.items[0]!.name === "") {
      drawSymbol(canvas, legend.shape, legend.items[0]!.style, left + textWidth(title, 11) + 12, y - 3);
      y += 28;
    } else y = drawLegend(canvas, legend, left, y + 20, width, bottom) + 14;
  }
  write(canvas, fitText(`Made by ${input.createdBy}`, 8, width), left, height - MARGIN - 2, {
    size: 8,
    color: SOFT,
  });
}

/** Draws a legend and returns where it ends. */
function drawLegend(
  canvas: Canvas,
  legend: Legend,
  left: number,
  top: number,
  width: number,
  bottom: number,
): number {
  if (legend.kind === "ramp") {
    const { colors, min, max, unit } = legend;
    for (let x = 0; x < width; x++) {
      const at = (x / (width - 1)) * (colors.length - 1);
      const next = colors[Math.min(colors.length - 1, Math.ceil(at))]!;
      const base = colors[Math.floor(at)]!;
      const mix = at - Math.floor(at);
      const blend = (k: 0 | 1 | 2): number => base[k] + (next[k] - base[k]) * mix;
      canvas.rect(left + x, top, 1, 13, [blend(0), blend(1), blend(2), 255]);
    }
    const suffix = unit === "" ? "" : ` ${unit}`;
    write(canvas, `≤ ${formatNumber(min)}${suffix}`, left, top + 29, { size: 9, color: SOFT });
    write(canvas, `≥ ${formatNumber(max)}${suffix}`, left + width, top + 29, {
      size: 9,
      color: SOFT,
      align: "right",
    });
    return top + 34;
  }
  const count = legend.items.length;
  const rowHeight = 21;
  const columns = count * rowHeight > bottom - top && count > 4 ? 2 : 1;
  const room = Math.max(1, Math.floor((bottom - top) / rowHeight));
  const rows = Math.min(room, Math.ceil(count / columns));
  for (let k = 0; k < Math.min(count, rows * columns); k++) {
    const x = left + Math.floor(k / rows) * (width / columns);
    const y = top + (k % rows) * rowHeight;
    const more = k === rows * columns - 1 && count > rows * columns;
    if (legend.kind === "classes") {
      const { color } = legend.items[k]!;
      canvas.rect(x, y, 22, 13, [150, 158, 152, 255]);
      canvas.rect(x + 1, y + 1, 20, 11, PAPER);
      canvas.rect(x + 1, y + 1, 20, 11, color);
    } else drawSymbol(canvas, legend.shape, legend.items[k]!.style, x, y);
    const name = more ? `and ${count - k} more` : legend.items[k]!.name;
    write(canvas, fitText(name, 9, width / columns - 36), x + 30, y + 11, { size: 9, color: INK });
  }
  return top + rows * rowHeight;
}

function drawSymbol(
  canvas: Canvas,
  shape: "point" | "line" | "polygon",
  style: ShapeStyle,
  x: number,
  y: number,
): void {
  if (shape === "point") drawPoint(canvas, x + 11, y + 6, style, 1);
  else if (shape === "line") {
    drawPaths(canvas, [Float64Array.of(x, y + 10, x + 6, y + 5, x + 14, y + 9, x + 22, y + 3)], 1, style, 1);
  } else {
    const ring = Float64Array.of(
      x + 1,
      y + 3,
      x + 12,
      y,
      x + 21,
      y + 4,
      x + 18,
      y + 13,
      x + 4,
      y + 12,
      x + 1,
      y + 3,
    );
    drawPaths(canvas, [ring], 2, style, 1);
  }
}
