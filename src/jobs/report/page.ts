import type { Rgba } from "../../model/raster.ts";
import { cssColor } from "./colors.ts";
import { type Frame, fitFrame } from "./frame.ts";
import { escapeHtml, formatBytes, formatDuration, formatNumber, scriptJson } from "./html.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { pngDataUri } from "./png.ts";
import { screenShapes } from "./shapes.ts";
import type {
  ChartSpec,
  Legend,
  Provenance,
  ProvenanceFile,
  RasterLayer,
  ReportInput,
  ReportLayer,
  ReportTable,
  ShapeStyle,
  VectorLayer,
} from "./types.ts";

/** Width of the drawing in pixels; it is scaled to the window. */
const MAP_WIDTH = 960;
/** Positions are whole eighths of a pixel, so that zooming in stays smooth. */
const GRAIN = 8;
/** Deviation that simplified lines may have, pixels at zoom 1. */
const TOLERANCE = 0.15;

/**
 * A run as one HTML page that needs nothing else: it opens from disk, asks no network (its content security policy
 * forbids it), follows the light or dark scheme, fits a telephone and works by keyboard. Map with layers, legend,
 * scale, graticule; table linked to the map; charts; provenance. All text is escaped.
 */
export function renderReport(input: ReportInput): string {
  const frame = fitFrame(input.map, MAP_WIDTH);
  const parts = [
    head(input),
    "<body><main>",
    header(input),
    facts(input),
    warnings(input),
    mapSection(input, frame),
    input.charts.length === 0 ? "" : `<div class="charts">${input.charts.map(chart).join("")}</div>`,
    input.table === null ? "" : tableSection(input.table),
    input.provenance === null ? "" : provenance(input.provenance),
    footer(input),
    "</main>",
    `<script type="application/json" id="data">${scriptJson(pageData(input, frame))}</script>`,
    `<script>${PAGE_SCRIPT}</script>`,
    "</body></html>\n",
  ];
  return parts.join("\n");
}

function head({ title, subtitle }: ReportInput): string {
  const name = [title, subtitle].filter((text) => text !== undefined && text !== "").join(" · ");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(name)}</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style></head>`;
}

function header({ title, subtitle, question }: ReportInput): string {
  return `<header><h1>${escapeHtml(title)}</h1>${
    subtitle === undefined ? "" : `<p class="place">${escapeHtml(subtitle)}</p>`
  }${question === undefined ? "" : `<p class="question">${escapeHtml(question)}</p>`}</header>`;
}

function facts({ summary }: ReportInput): string {
  if (summary.length === 0) return "";
  const items = summary.map(({ label, value, unit }) => {
    const text = typeof value === "number" ? formatNumber(value) : value;
    const small = unit === undefined || unit === "" ? "" : ` <small>${escapeHtml(unit)}</small>`;
    return `<li><b>${escapeHtml(text)}${small}</b><span>${escapeHtml(label)}</span></li>`;
  });
  return `<ul class="facts">${items.join("")}</ul>`;
}

function warnings(input: ReportInput): string {
  if (input.warnings.length === 0) return "";
  const items = input.warnings.map((text) => `<li>${escapeHtml(text)}</li>`).join("");
  return `<section class="card warnings"><h2>Warnings</h2><ul>${items}</ul></section>`;
}

function mapSection(input: ReportInput, frame: Frame): string {
  const { width, height } = frame;
  const names = input.layers.map(({ title }) => title).join(", ");
  return `<section class="card" aria-label="Map"><div class="mapwrap"><div><div class="map">
<svg id="map" viewBox="0 0 ${width} ${height}" tabindex="0" role="application" aria-label="${escapeHtml(
    `Map: ${names}. Plus and minus zoom, arrows move, 0 shows everything.`,
  )}">
<g id="world">${input.layers.map((layer) => drawLayer(layer, frame)).join("\n")}<g id="mark"></g></g>
<g id="grid" class="grid" aria-hidden="true"></g><g id="bar" class="bar" aria-hidden="true"></g>
</svg>
<svg class="north" aria-hidden="true" style="position:absolute;left:10px;top:24px;width:26px;height:40px;pointer-events:none" viewBox="0 0 26 40"><path d="M13 2L22 28L13 22L4 28Z"/><text x="13" y="39" text-anchor="middle">N</text></svg>
<div class="tools"><button type="button" id="in" aria-label="Zoom in">+</button><button type="button" id="out" aria-label="Zoom out">−</button><button type="button" id="all" aria-label="Show everything">⤢</button></div>
<div id="tip" class="tip" hidden></div></div>
<p class="hint">Drag to move, double-click or Ctrl + wheel to zoom${
    input.table?.keys == null ? "" : "; click a shape to find its row"
  }.</p></div>
<div class="layers" role="group" aria-label="Layers">${[...input.layers].reverse().map(layerBox).join("")}</div>
</div></section>`;
}

function drawLayer(layer: ReportLayer, frame: Frame): string {
  const attributes = `id="${domId(layer)}"${layer.visible ? "" : ' class="none"'} style="opacity:${clampOpacity(layer)}"`;
  return layer.kind === "raster"
    ? `<g ${attributes}>${drawRaster(layer, frame)}</g>`
    : `<g ${attributes} transform="scale(${1 / GRAIN})">${drawVector(layer, frame)}</g>`;
}

function drawRaster({ picture, bounds, smooth }: RasterLayer, frame: Frame): string {
  const x = (bounds[0] - frame.left) * frame.scaleX;
  const y = (frame.top - bounds[3]) * frame.scaleY;
  const width = (bounds[2] - bounds[0]) * frame.scaleX;
  const height = (bounds[3] - bounds[1]) * frame.scaleY;
  const numbers = [x, y, width, height].map((value) => value.toFixed(3));
  return `<image x="${numbers[0]}" y="${numbers[1]}" width="${numbers[2]}" height="${numbers[3]}" preserveAspectRatio="none"${
    smooth ? "" : ' class="sharp"'
  } href="${pngDataUri(picture)}"/>`;
}

function drawVector(layer: VectorLayer, frame: Frame): string {
  const { keys, labels, styles, classes } = layer;
  const shapes = screenShapes(layer.geometry, frame, TOLERANCE);
  const casing = styles[0]?.casing;
  const cased =
    casing === undefined
      ? ""
      : `<path d="${shapes
          .filter(({ dimension }) => dimension > 0)
          .map(({ dimension, paths }) => paths.map((path) => pathText(path, dimension === 2)).join(""))
          .join(
            "",
          )}" fill="none" stroke="${cssColor(casing)}" stroke-width="${styles[0]!.width + 2.4}" pointer-events="none"/>`;
  const drawn = shapes
    .map(({ row, dimension, paths }) => {
      const style = styles[classes === null ? 0 : classes[row]!]!;
      const d =
        dimension === 0
          ? paths.map((path) => dot(path, style.radius)).join("")
          : paths.map((path) => pathText(path, dimension === 2)).join("");
      const data = `${labels === null ? "" : ` data-i="${row}"`}${keys === null ? "" : ` data-k="${escapeHtml(keys[row]!)}"`}`;
      return `<path d="${d}"${paint(style, dimension)}${data}/>`;
    })
    .join("");
  return cased + drawn;
}

function paint({ stroke, width, fill }: ShapeStyle, dimension: 0 | 1 | 2): string {
  const inside = dimension === 1 ? null : fill;
  // A fill that cannot be seen still catches the pointer.
  const fillText = inside === null ? (dimension === 1 ? "none" : "transparent") : cssColor(inside);
  const rule = dimension === 2 ? ' fill-rule="evenodd"' : "";
  return ` fill="${fillText}"${rule}${stroke === null ? "" : ` stroke="${cssColor(stroke)}" stroke-width="${width.toFixed(2)}"`}`;
}

/** Relative moves in whole grains. */
function pathText(path: Float64Array, closed: boolean): string {
  let x = Math.round(path[0]! * GRAIN);
  let y = Math.round(path[1]! * GRAIN);
  const words = [`M${x} ${y}`];
  const end = closed ? path.length - 2 : path.length;
  let drawn = 0;
  for (let i = 2; i < end; i += 2) {
    const nx = Math.round(path[i]! * GRAIN);
    const ny = Math.round(path[i + 1]! * GRAIN);
    if (nx === x && ny === y) continue;
    const dx = nx - x;
    const dy = ny - y;
    words.push(`${drawn === 0 ? "l" : dx < 0 ? "" : " "}${dx}${dy < 0 ? "" : " "}${dy}`);
    drawn++;
    x = nx;
    y = ny;
  }
  if (closed) words.push("z");
  else if (drawn === 0) words.push("h1");
  return words.join("");
}

function dot(path: Float64Array, radius: number): string {
  const r = radius * GRAIN;
  return `M${Math.round(path[0]! * GRAIN - r)} ${Math.round(path[1]! * GRAIN)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
}

function layerBox(layer: ReportLayer): string {
  const id = domId(layer);
  const only = unnamed(layer.legend) ? symbol(layer.legend.shape, layer.legend.items[0]!.style) : "";
  return `<div class="layer${layer.visible ? "" : " off"}" data-for="${id}"><label><input type="checkbox"${layer.visible ? " checked" : ""}>${escapeHtml(
    layer.title,
  )}${only}</label><input type="range" min="0" max="100" value="${Math.round(100 * clampOpacity(layer))}" aria-label="${escapeHtml(
    `Opacity of ${layer.title}`,
  )}">${only === "" ? legendList(layer.legend) : ""}</div>`;
}

/** One symbol without a name: it stands beside the title of the layer. */
function unnamed(legend: Legend): legend is Extract<Legend, { kind: "symbols" }> {
  return legend.kind === "symbols" && legend.items.length === 1 && legend.items[0]!.name === "";
}

function legendList(legend: Legend): string {
  switch (legend.kind) {
    case "classes":
      return `<ul class="legend${legend.items.length > 6 ? " many" : ""}">${legend.items
        .map(({ name, color }) => `<li>${swatch(color)}${escapeHtml(name)}</li>`)
        .join("")}</ul>`;
    case "ramp": {
      const stops = legend.colors.map(cssColor).join(",");
      const unit = legend.unit === "" ? "" : ` ${legend.unit}`;
      return `<div class="ramp" style="background:linear-gradient(90deg,${stops})"></div><div class="ends"><span>${escapeHtml(
        `≤ ${formatNumber(legend.min)}${unit}`,
      )}</span><span>${escapeHtml(`≥ ${formatNumber(legend.max)}${unit}`)}</span></div>`;
    }
    case "symbols":
      return `<ul class="legend${legend.items.length > 6 ? " many" : ""}">${legend.items
        .map(({ name, style }) => `<li>${symbol(legend.shape, style)}${escapeHtml(name)}</li>`)
        .join("")}</ul>`;
  }
}

function swatch(color: Rgba): string {
  return `<span class="swatch" style="background:${cssColor(color)}"></span>`;
}

function symbol(shape: "point" | "line" | "polygon", style: ShapeStyle): string {
  const stroke = style.stroke === null ? "none" : cssColor(style.stroke);
  const fill = style.fill === null ? "none" : cssColor(style.fill);
  const width = Math.min(5, style.width).toFixed(2);
  const body =
    shape === "line"
      ? `<path d="M1 11C6 3 14 15 21 4" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linecap="round"/>`
      : shape === "point"
        ? `<circle cx="11" cy="8" r="${Math.min(6, style.radius)}" fill="${fill}" stroke="${stroke}" stroke-width="${width}"/>`
        : `<path d="M2 4L12 2L20 6L17 14L5 13Z" fill="${fill}" stroke="${stroke}" stroke-width="${width}"/>`;
  return `<svg width="22" height="16" viewBox="0 0 22 16" aria-hidden="true">${body}</svg>`;
}

function chart(spec: ChartSpec): string {
  const { title, unit, categories, series, stacked } = spec;
  const totals = categories.map((_, k) =>
    series.reduce((sum, { values }) => sum + Math.max(0, values[k] ?? 0), 0),
  );
  const most = stacked
    ? Math.max(...totals, 0)
    : Math.max(0, ...series.flatMap(({ values }) => values.filter(Number.isFinite)));
  const share = (value: number, room: number): string =>
    (most > 0 ? Math.max(0, (room * value) / most) : 0).toFixed(2);
  const rows = categories.map((category, k) => {
    const bars = stacked
      ? `<div class="stack">${series
          .map(({ name, color, values }) => {
            const value = values[k] ?? 0;
            if (!(value > 0)) return "";
            return `<i style="width:calc(${share(value, 100)}% - 1px);background:${cssColor(color)}" title="${escapeHtml(
              `${category}, ${name}: ${formatNumber(value)} ${unit}`,
            )}"></i>`;
          })
          .join("")}</div>`
      : series
          .map(({ name, color, values }) => {
            const value = values[k] ?? 0;
            return `<div class="one" title="${escapeHtml(series.length > 1 ? name : category)}"><i style="width:${share(
              value,
              78,
            )}%;background:${cssColor(color)}"></i><span>${escapeHtml(formatNumber(value))}</span></div>`;
          })
          .join("");
    return `<div class="name">${escapeHtml(category)}</div><div class="bars">${bars}</div>`;
  });
  const keys =
    series.length < 2
      ? ""
      : `<ul class="keys">${series.map(({ name, color }) => `<li>${swatch(color)}${escapeHtml(name)}</li>`).join("")}</ul>`;
  return `<section class="card chart"><h2>${escapeHtml(title)}${
    unit === "" ? "" : ` <small style="color:var(--soft);font-weight:500">${escapeHtml(unit)}</small>`
  }</h2><div class="rowbar" aria-hidden="true">${rows.join("")}</div>${keys}${chartTable(spec)}</section>`;
}

/** The numbers of a chart, for those who cannot or would rather not read bars. */
function chartTable({ title, categories, series }: ChartSpec): string {
  const header = series
    .map(({ name }) => `<th class="num" scope="col" style="padding:8px 10px">${escapeHtml(name)}</th>`)
    .join("");
  const rows = categories.map(
    (category, k) =>
      `<tr><th scope="row">${escapeHtml(category)}</th>${series
        .map(({ values }) => `<td class="num">${escapeHtml(formatNumber(values[k] ?? 0))}</td>`)
        .join("")}</tr>`,
  );
  return `<details><summary>Numbers</summary><div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(
    title,
  )}"><table><thead><tr><th></th>${header}</tr></thead><tbody>${rows.join("")}</tbody></table></div></details>`;
}

function tableSection({ title, columns }: ReportTable): string {
  const header = columns
    .map(
      ({ name, numeric }) =>
        `<th scope="col"${numeric ? ' class="num"' : ""}><button type="button" title="Sort by ${escapeHtml(name)}">${escapeHtml(
          name,
        )}<span></span></button></th>`,
    )
    .join("");
  return `<section class="card"><h2>${escapeHtml(title)}</h2>
<div class="filter"><input id="find" type="search" placeholder="Filter rows" aria-label="Filter rows"><output id="count"></output></div>
<div class="scroll" id="scroll" tabindex="0" role="region" aria-label="${escapeHtml(title)}"><table><thead><tr>${header}</tr></thead><tbody id="rows"></tbody></table></div>
<button type="button" id="more" class="more" hidden>Show more rows</button></section>`;
}

function provenance(record: Provenance): string {
  const { parameters, inputs, outputs, steps, counts, sources, machine } = record;
  const parts = [
    fileTable("Inputs", inputs),
    fileTable("Outputs", outputs),
    steps.length === 0
      ? ""
      : `<h3>Steps</h3><div class="scroll"><table><tbody>${steps
          .map(
            ({ name, elapsedMs }) =>
              `<tr><td>${escapeHtml(name)}</td><td class="num">${formatDuration(elapsedMs)}</td></tr>`,
          )
          .join("")}</tbody></table></div>`,
    `<h3>Parameters</h3><pre tabindex="0">${escapeHtml(JSON.stringify(parameters, null, 2))}</pre>`,
    Object.keys(counts).length === 0
      ? ""
      : `<h3>Counts</h3><pre tabindex="0">${escapeHtml(JSON.stringify(counts, null, 2))}</pre>`,
    sources.length === 0
      ? ""
      : `<h3>Method</h3><ul>${sources.map((source) => `<li>${escapeHtml(source)}</li>`).join("")}</ul>`,
    machine === "" ? "" : `<p class="hint">${escapeHtml(machine)}</p>`,
  ];
  return `<section class="card prov"><h2>Where this comes from</h2>${parts.join("")}</section>`;
}

function fileTable(title: string, files: readonly ProvenanceFile[]): string {
  if (files.length === 0) return "";
  const rows = files.map(
    ({ name, path, bytes, sha256 }) =>
      `<tr><td>${escapeHtml(name)}</td><td><code>${escapeHtml(path)}</code></td><td class="num">${
        bytes === null ? "" : formatBytes(bytes)
      }</td><td><code title="${escapeHtml(sha256 ?? "")}">${escapeHtml(sha256 === null ? "" : `${sha256.slice(0, 16)}…`)}</code></td></tr>`,
  );
  const heads = ["Name", "File", "Size", "SHA-256"]
    .map(
      (text) =>
        `<th scope="col"${text === "Size" ? ' class="num"' : ""} style="padding:8px 10px">${text}</th>`,
    )
    .join("");
  return `<h3>${title}</h3><div class="scroll" tabindex="0" role="region" aria-label="${title}"><table><thead><tr>${heads}</tr></thead><tbody>${rows.join(
    "",
  )}</tbody></table></div>`;
}

function footer({ createdBy, createdAt }: ReportInput): string {
  const when = createdAt === undefined ? "" : `, ${createdAt.replace("T", " ").replace(/\.\d+Z$/, " UTC")}`;
  return `<footer>Made by ${escapeHtml(createdBy)}${escapeHtml(when)}. The page needs no network.</footer>`;
}

function pageData({ layers, table }: ReportInput, frame: Frame): unknown {
  const labels: Record<string, readonly string[]> = {};
  for (const layer of layers) {
    if (layer.kind === "vector" && layer.labels !== null) labels[domId(layer)] = layer.labels;
  }
  return { frame, labels, table };
}

function domId({ id }: ReportLayer): string {
  return `layer-${id.replace(/[^\w-]/g, "_")}`;
}

function clampOpacity({ opacity }: ReportLayer): number {
  return Number.isFinite(opacity) ? Math.max(0, Math.min(1, opacity)) : 1;
}
