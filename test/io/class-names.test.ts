import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseClassNames, readClassNames } from "../../src/io/class-names.ts";

const NAMES = `<PAMDataset>
  <PAMRasterBand band="1">
    <CategoryNames><Category>nothing</Category><Category>Water &amp; ice</Category><Category></Category></CategoryNames>
  </PAMRasterBand>
  <PAMRasterBand band="2"><CategoryNames><Category>other</Category></CategoryNames></PAMRasterBand>
</PAMDataset>`;

const TABLE = `<PAMDataset><PAMRasterBand band="1"><GDALRasterAttributeTable>
  <FieldDefn index="0"><Name>Value</Name><Type>0</Type><Usage>5</Usage></FieldDefn>
  <FieldDefn index="1"><Name>Label</Name><Type>2</Type><Usage>2</Usage></FieldDefn>
  <FieldDefn index="2"><Name>R</Name><Type>0</Type><Usage>6</Usage></FieldDefn>
  <FieldDefn index="3"><Name>G</Name><Type>0</Type><Usage>7</Usage></FieldDefn>
  <FieldDefn index="4"><Name>B</Name><Type>0</Type><Usage>8</Usage></FieldDefn>
  <Row index="0"><F>10</F><F>Tree cover</F><F>0</F><F>100</F><F>255</F></Row>
  <Row index="1"><F>20</F><F>Shrubs</F><F></F><F>x</F><F>300</F></Row>
  <Row index="2"><F></F><F>lost</F></Row>
</GDALRasterAttributeTable></PAMRasterBand></PAMDataset>`;

describe("names of classes beside a raster", () => {
  it("are the categories of the band, by number", () => {
    expect([...parseClassNames(NAMES, 0)]).toEqual([
      [0, { name: "nothing" }],
      [1, { name: "Water & ice" }],
    ]);
    expect([...parseClassNames(NAMES, 1)]).toEqual([[0, { name: "other" }]]);
  });

  it("are rows of an attribute table, with colours where there are three channels", () => {
    expect([...parseClassNames(TABLE, 0)]).toEqual([
      [10, { name: "Tree cover", color: "#0064ff" }],
      [20, { name: "Shrubs" }],
    ]);
  });

  it("are none without a file, or with one that is broken", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "tilth-names-")), "a.tif");
    expect((await readClassNames(path, 0)).size).toBe(0);
    writeFileSync(`${path}.aux.xml`, "<PAMDataset><PAMRasterBand");
    expect((await readClassNames(path, 0)).size).toBe(0);
    writeFileSync(`${path}.aux.xml`, NAMES);
    expect((await readClassNames(path, 0)).size).toBe(2);
  });
});
