import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { renderReport } from "../../../src/jobs/report/page.ts";
import { renderPreview } from "../../../src/jobs/report/preview.ts";
import type { ReportInput } from "../../../src/jobs/report/types.ts";
import { vectorLayer } from "../../../src/jobs/report/vector-layer.ts";
import { makeLines, makePolygons } from "../../../src/testing/features.ts";
import { UTM_45N } from "../../../src/testing/places.ts";
import { decodePng } from "./decode-png.ts";

const HOSTILE = `</script><script>alert(1)</script>"'><img src=x onerror=alert(2)>\u202e&`;

/** A small report with every part; `text` stands in every place that a file can fill. */
function report(text: string): ReportInput {
  const map = { crs: UTM_45N, bounds: [0, 0, 1000, 1000] } as const;
  const units = makePolygons(9, {
    columns: {
      uid: Array.from({ length: 9 }, (_, k) => `${text}${k}`),
      area: Array.from({ length: 9 }, (_, k) => 10.5 * k),
    },
  });
  const keys = Array.from({ length: 9 }, (_, k) => `${text}${k}`);
  return {
    title: `Units ${text}`,
    subtitle: text,
    question: `${text}?`,
    createdBy: `tilth ${text}`,
    createdAt: "2024-01-02T03:04:05.678Z",
    summary: [
      { label: text, value: text, unit: text },
      { label: "number", value: 12345.678 },
    ],
    map,
    layers: [
      {
        kind: "raster",
        id: `r"${text}`,
        title: text,
        visible: true,
        opacity: 0.5,
        smooth: true,
        bounds: [0, 0, 1000, 1000],
        picture: { width: 2, height: 1, rgba: Uint8Array.of(200, 0, 0, 255, 0, 0, 200, 255) },
        legend: {
          kind: "ramp",
          colors: [
            [0, 0, 0, 255],
            [255, 255, 255, 255],
          ],
          min: 0,
          max: 1,
          unit: text,
        },
      },
      vectorLayer(units, { id: "units", title: text, map, style: { idColumn: "uid" } })!,
      vectorLayer(
        makeLines(5, { columns: { ORDER: [1, 2, 3, 2, 1], name: [text, text, null, text, text] } }),
        { id: "lines", title: "Lines", map },
      )!,
    ],
    table: {
      title: text,
      columns: [
        { name: `uid ${text}`, numeric: false },
        { name: "area", numeric: true },
      ],
      rows: keys.map((key, k) => [key, 10.5 * k]),
      keys,
      total: 9,
    },
    charts: [
      {
        title: text,
        unit: text,
        stacked: true,
        categories: [text, "b"],
        series: [
          { name: text, color: [1, 2, 3, 255], values: [1, 2] },
          { name: "y", color: [9, 9, 9, 255], values: [Number.NaN, 0] },
        ],
      },
    ],
    warnings: [text],
    provenance: {
      parameters: { [text]: text },
      inputs: [{ name: text, path: text, bytes: 1234, sha256: "ab".repeat(32) }],
      outputs: [{ name: "x", path: text, bytes: null, sha256: null }],
      steps: [{ name: text, elapsedMs: 1234 }],
      counts: { [text]: 1 },
      sources: [text],
      machine: text,
    },
  };
}

describe("renderReport", () => {
  it("needs no network: no address but data in the page", () => {
    const html = renderReport(report("plain"));
    const addresses = html.match(/\b(?:https?:)?\/\/[\w.]+[^\s"'<]*/g) ?? [];
    // The one name of SVG that scripts need; it is never fetched.
    expect(
      addresses.filter((one) => !one.includes("www.w3.org/2000/svg") && !one.startsWith("//www.w3.org")),
    ).toEqual([]);
    expect(html).toContain(`default-src 'none'`);
    expect(html).not.toMatch(/<(?:link|script|img|iframe)[^>]*(?:src|href)="(?!data:)/);
  });

  it("escapes hostile text in every place", () => {
    const html = renderReport(report(HOSTILE));
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.match(/<\/script/g)).toHaveLength(2);
    expect(html).not.toContain("<img");
    expect(html).not.toContain("\u202e");
    const attributes = html.match(/\son\w+=/g) ?? [];
    expect(attributes.every((one) => /&lt;img/.test(html) && one === " onerror=")).toBe(true);
    // What a browser would see as attributes holds no handler.
    for (const tag of html.match(/<[a-z][^<>]*>/gi) ?? [])
      expect(tag.replace(/"[^"]*"/g, '""')).not.toMatch(/\son\w+=/i);
  });

  it("is the same for the same input", () => {
    expect(renderReport(report("a"))).toBe(renderReport(report("a")));
  });

  it("shows runs without layers, table, charts and history", () => {
    const empty: ReportInput = {
      title: "Nothing",
      createdBy: "tilth",
      summary: [],
      map: { crs: null, bounds: [0, 0, 0, 0] },
      layers: [],
      table: null,
      charts: [],
      warnings: [],
      provenance: null,
    };
    expect(renderReport(empty)).toContain("<h1>Nothing</h1>");
    expect(decodePng(renderPreview(empty)).width).toBe(1200);
  });
});

describe("renderPreview", () => {
  it("is a picture of 1200 by 800 with the layers on it", () => {
    const { width, height, rgba } = decodePng(renderPreview(report("plain")));
    expect([width, height]).toEqual([1200, 800]);
    const colours = new Set<number>();
    for (let i = 0; i < rgba.length; i += 4)
      colours.add((rgba[i]! << 16) | (rgba[i + 1]! << 8) | rgba[i + 2]!);
    expect(colours.size).toBeGreaterThan(100);
    // Half a red raster over the ground of the map, left of the middle.
    const at = 4 * (300 * width + 200);
    expect(rgba[at]! - rgba[at + 2]!).toBeGreaterThan(25);
    expect(rgba[at + 4 * 450]! - rgba[at + 4 * 450 + 2]!).toBeLessThan(-25);
  });

  it("draws any text, also what it has no letters for", () => {
    expect(() => renderPreview(report("Śūkta नदी 河 \u0000 e\u0301"))).not.toThrow();
    expect(() => renderPreview(report(HOSTILE.repeat(40)))).not.toThrow();
  });
});

const CHROMIUM = process.env["TILTH_CHROMIUM"] ?? "/usr/bin/chromium";

describe.skipIf(!existsSync(CHROMIUM))(
  `the page in Chromium [skipped without ${CHROMIUM}; set TILTH_CHROMIUM]`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "tilth-page-"));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("opens from disk without errors or requests, fits a telephone, and links table and map", async () => {
      const { chromium } = await import("playwright-core");
      const browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic"],
      });
      try {
        for (const [text, scheme] of [
          ["unit", "light"],
          [HOSTILE, "dark"],
        ] as const) {
          const file = join(folder, `${scheme}.html`);
          writeFileSync(file, renderReport(report(text)));
          const page = await browser.newPage({ viewport: { width: 390, height: 800 }, colorScheme: scheme });
          const troubles: string[] = [];
          page.on("console", (message) => troubles.push(message.text()));
          page.on("pageerror", (error) => troubles.push(error.message));
          page.on("dialog", (dialog) => void troubles.push(dialog.message()));
          page.on("request", (request) => {
            if (!/^(file|data):/.test(request.url())) troubles.push(request.url());
          });
          await page.goto(pathToFileURL(file).href);
          expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
          expect(await page.locator("#rows tr").count()).toBe(9);
          expect(await page.locator("#grid text").count()).toBeGreaterThan(1);

          await page.locator("#rows tr").nth(2).click();
          expect(await page.locator("#mark path").count()).toBe(1);
          expect(await page.locator("#rows tr.on").count()).toBe(1);

          await page.locator("#layer-units path").nth(4).click();
          expect(await page.locator("#rows tr.on td").first().textContent()).toBe(
            await page.evaluate(`JSON.parse(document.getElementById("data").textContent).table.keys[4]`),
          );

          await page.locator("#scroll thead button").nth(1).click();
          await page.locator("#scroll thead button").nth(1).click();
          expect(await page.locator("#rows tr td.num").first().textContent()).toBe("84");
          await page.locator("#find").fill("10.5");
          expect(await page.locator("#count").textContent()).toBe("1 of 9 rows");

          await page.locator("#map").focus();
          const before = await page.locator("#world").getAttribute("transform");
          await page.keyboard.press("+");
          expect(await page.locator("#world").getAttribute("transform")).not.toBe(before);
          await page.locator(".layer input[type=checkbox]").first().uncheck();
          expect(await page.locator("#layer-lines").getAttribute("class")).toContain("none");
          expect(troubles).toEqual([]);
          await page.close();
        }
      } finally {
        await browser.close();
      }
    });
  },
);
