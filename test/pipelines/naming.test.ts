import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assetPath, layerName, validName } from "../../src/pipelines/naming.ts";

describe("validName", () => {
  it("keeps letters, digits, _ and -, in lower case", () => {
    expect(validName("Giridih Tisri-2 (east)")).toBe("giridih_tisri-2_east");
    expect(validName("São Tomé")).toBe("sao_tome");
  });

  it("gives names in other scripts a stable name of their own", () => {
    expect(validName("गिरिडीह")).toMatch(/^n_[0-9a-f]{8}$/);
    expect(validName("गिरिडीह")).not.toBe(validName("तिसरी"));
  });

  it("is never empty, never too long, and safe for every target", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(validName(text)).toMatch(/^[a-z0-9][a-z0-9_-]{0,99}$/);
        expect(validName(text)).toBe(validName(text));
      }),
    );
  });
});

it("names layers and asset folders after the area", () => {
  const area = { state: "Jharkhand", district: "Giridih", block: "Tisri" };
  expect(layerName("drainage_lines", area)).toBe("drainage_lines_giridih_tisri");
  expect(layerName("stream_order", area, "raster")).toBe("stream_order_giridih_tisri_raster");
  expect(layerName("lulc_vector", { project: "Wells 2", id: "7" })).toBe("lulc_vector_wells_2_7");
  expect(assetPath("my-project", "mws", area)).toBe(
    "projects/my-project/assets/apps/mws/jharkhand/giridih/tisri/",
  );
});
