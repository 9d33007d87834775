import { statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseCrs } from "../../src/crs/parse.ts";
import {
  allRecords,
  findAxes,
  findByName,
  findRecord,
  findUnit,
  tableKey,
  tableVersions,
} from "../../src/crs/table.ts";

describe("the offline table", () => {
  it("holds more than 8,000 codes in less than 300 kB", () => {
    const records = [...allRecords()];
    expect(records.length).toBeGreaterThan(8000);
    expect(records.filter(({ code }) => code.startsWith("EPSG:")).length).toBeGreaterThan(7000);
    expect(statSync(new URL("../../assets/epsg.txt.br", import.meta.url)).size).toBeLessThan(300_000);
  });

  it("says what it was made from", () => {
    expect(tableVersions()).toEqual(["EPSG v10.076 2022-08-31", "ArcGIS Pro 3.0", "PROJ 9.1.1"]);
  });

  it("gives every code once, and each can be read", () => {
    const codes = new Set<string>();
    for (const { code, name } of allRecords()) {
      expect(codes.has(code), code).toBe(false);
      codes.add(code);
      if (codes.size % 10 === 0) expect(parseCrs(code).name).toBe(name);
    }
  });

  it("refers only to records that are there", () => {
    for (const { code, kind, base, axes, proj } of allRecords()) {
      if (kind === "p") expect(findRecord(base)?.kind, code).toMatch(/[ghc]/);
      if (kind === "k") expect(findRecord(base)?.kind, code).toMatch(/[pgh]/);
      if (kind === "k") expect(findRecord(proj)?.kind, code).toBe("v");
      if (kind !== "k") expect(findAxes(axes).length, code).toBeGreaterThan(0);
    }
  });

  it("finds names whatever their case and punctuation, current systems first", () => {
    expect(findByName("RGF93 v1 / Lambert-93")[0]).toBe("2154");
    expect(findByName("rgf93 V1 Lambert 93")[0]).toBe("2154");
    expect(findByName("RGF_1993_Lambert_93")[0]).toBe("2154");
    expect(findByName("WGS 84")[0]).toBe("4326");
    expect(findByName("")).toEqual([]);
    expect(findByName("\t")).toEqual([]);
  });

  it("does not look for keys that are no keys", () => {
    expect(findRecord("4326\tg")).toBeNull();
    expect(findRecord("")).toBeNull();
    expect(findUnit("none")).toBeNull();
    expect(tableKey("IGNF:LAMB93")).toBeNull();
    expect(tableKey("EPSG:04326")).toBe("4326");
  });
});
