import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DAY,
  formatInstant,
  type NamedPeriodRule,
  parseInstant,
  periodsBetween,
} from "../../src/model/time.ts";

const between = (rule: Parameters<typeof periodsBetween>[0], start: string, end: string, options = {}) =>
  periodsBetween(rule, parseInstant(start), parseInstant(end), options);
const names = (periods: readonly { name: string }[]) => periods.map(({ name }) => name);

describe("instants", () => {
  test("are read with and without time, zone and fractions, as UTC when no zone is named", () => {
    expect(parseInstant("2019-07-01")).toBe(Date.UTC(2019, 6, 1));
    expect(parseInstant("2019-07")).toBe(Date.UTC(2019, 6, 1));
    expect(parseInstant("2019")).toBe(Date.UTC(2019, 0, 1));
    expect(parseInstant("2019-07-01T05:30:00+05:30")).toBe(Date.UTC(2019, 6, 1));
    expect(parseInstant("2019-07-01 10:00:08.250Z")).toBe(Date.UTC(2019, 6, 1, 10, 0, 8, 250));
    expect(parseInstant("0001-01-01")).toBe(new Date("0001-01-01T00:00:00Z").getTime());
  });

  test.each([
    "",
    "2019-02-30",
    "2019-13-01",
    "2019-00-01",
    "July 2019",
    "20190701",
    "2019-07-01T25:00",
    "2019-07-01T10:61",
  ])("%j is none", (text) => {
    expect(parseInstant(text)).toBeNaN();
  });

  test("are written as a date at midnight, with the time else", () => {
    expect(formatInstant(Date.UTC(2020, 1, 29))).toBe("2020-02-29");
    expect(formatInstant(Date.UTC(2020, 1, 29, 12, 34, 56))).toBe("2020-02-29T12:34:56Z");
  });
});

describe("periods", () => {
  test("months are whole, and the end is not part of the range", () => {
    const months = between("month", "2019-11-15", "2020-02-01");
    expect(names(months)).toEqual(["2019-11", "2019-12", "2020-01"]);
    expect(formatInstant(months[0]!.start)).toBe("2019-11-01");
    expect(formatInstant(months[2]!.end)).toBe("2020-02-01");
  });

  test("dekads have 8 to 11 days", () => {
    const dekads = between("dekad", "2019-02-01", "2019-04-01");
    expect(dekads.map(({ start, end }) => (end - start) / DAY)).toEqual([10, 10, 8, 10, 10, 11]);
    expect(names(dekads).slice(0, 3)).toEqual(["2019-02-d1", "2019-02-d2", "2019-02-d3"]);
  });

  test("weeks are those of ISO 8601", () => {
    expect(names(between("week", "2020-12-30", "2021-01-12"))).toEqual(["2020-W53", "2021-W01", "2021-W02"]);
    expect(names(between("week", "2018-12-31", "2019-01-01"))).toEqual(["2019-W01"]);
  });

  test("the winter belongs to the year of its January", () => {
    expect(names(between("season", "2019-12-05", "2020-12-02"))).toEqual([
      "2020-DJF",
      "2020-MAM",
      "2020-JJA",
      "2020-SON",
      "2021-DJF",
    ]);
  });

  test("agricultural years run from July to June, crop seasons are named by the year they start in", () => {
    expect(names(between("agri-year", "2019-06-30", "2019-07-02"))).toEqual(["2018-2019", "2019-2020"]);
    const seasons = between("crop-season", "2019-07-01", "2020-07-01");
    expect(names(seasons)).toEqual(["kharif-2019", "rabi-2019", "zaid-2020"]);
    expect(seasons.map(({ start }) => formatInstant(start))).toEqual([
      "2019-07-01",
      "2019-11-01",
      "2020-03-01",
    ]);
    expect(names(between("rabi", "2019-01-10", "2021-01-10"))).toEqual([
      "rabi-2018",
      "rabi-2019",
      "rabi-2020",
    ]);
  });

  test("steps of days count from the start, or anew with each agricultural year", () => {
    expect(names(between("P16D", "2019-07-10T13:00", "2019-08-12"))).toEqual([
      "2019-07-10",
      "2019-07-26",
      "2019-08-11",
    ]);
    const anew = between("P16D", "2019-06-20", "2019-07-20", { anchor: "agri-year" });
    expect(names(anew)).toEqual(["2019-06-18", "2019-07-01", "2019-07-17"]);
    expect((anew[0]!.end - anew[0]!.start) / DAY).toBe(13);
    expect(names(between("P1M", "2019-01-31", "2019-03-01"))).toEqual(["2019-01-31", "2019-02-28"]);
  });

  test("periods of one's own may overlap and are only cut by the range", () => {
    const own = [
      { name: "a", start: 0, end: 10 * DAY },
      { name: "b", start: 5 * DAY, end: 20 * DAY },
      { name: "c", start: 30 * DAY, end: 31 * DAY },
    ];
    expect(names(periodsBetween(own, 0, 15 * DAY))).toEqual(["a", "b"]);
  });

  test("an end before the start, a rule that is none and a million periods are errors", () => {
    expect(() => between("month", "2019-07-01", "2019-07-01")).toThrow(/not after/);
    expect(() => between("fortnight" as NamedPeriodRule, "2019-07-01", "2019-07-02")).toThrow(/fortnight/);
    expect(() => between("P0D", "2019-07-01", "2019-07-02")).toThrow(/P0D/);
    expect(() => between("P1D", "0001-01-01", "2019-07-02")).toThrow(/100000/);
    expect(() => periodsBetween("month", Number.NaN, 1)).toThrow(/not after/);
  });

  test("calendar periods follow each other without hole or overlap and cover the range", () => {
    const rules = [
      "month",
      "dekad",
      "week",
      "season",
      "year",
      "agri-year",
      "crop-season",
      "P16D",
      "P3M",
    ] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...rules),
        fc.integer({ min: -4e12, max: 4e12 }),
        fc.integer({ min: 1, max: 800 * DAY }),
        (rule, start, length) => {
          const periods = periodsBetween(rule, start, start + length);
          expect(periods[0]!.start).toBeLessThanOrEqual(start);
          expect(periods[0]!.end).toBeGreaterThan(start);
          expect(periods.at(-1)!.end).toBeGreaterThanOrEqual(start + length);
          expect(new Set(names(periods)).size).toBe(periods.length);
          for (let k = 1; k < periods.length; k++) expect(periods[k]!.start).toBe(periods[k - 1]!.end);
        },
      ),
      { seed: 5, numRuns: 200 },
    );
  });
});
