import { GeoError } from "./errors.ts";

/** A moment: milliseconds since 1970-01-01T00:00Z. */
export type Instant = number;

/** A stretch of time with its start and without its end, in UTC. */
export interface Period {
  /** As in `"2019-07"`, `"2019-07-d2"`, `"2019-W27"`, `"2020-DJF"`, `"kharif-2019"`, `"2019-2020"`, `"2019-07-11"`. */
  readonly name: string;
  /** First instant of it. */
  readonly start: Instant;
  /** First instant after it. */
  readonly end: Instant;
}

/**
 * How time is cut:
 *
 * - `"all"`: one period, named by its first day;
 * - `"month"`, `"year"`: `2019-07`, `2019`;
 * - `"dekad"`: days 1-10, 11-20 and 21 to the end of a month, `2019-07-d1` to `-d3`;
 * - `"week"`: ISO 8601 weeks, from Monday, `2019-W27`, of the year in which their Thursday lies;
 * - `"season"`: `2020-DJF`, `-MAM`, `-JJA`, `-SON`; the northern winter belongs to the year of its January;
 * - `"agri-year"`: 1 July to 30 June, `2019-2020`;
 * - `"crop-season"`: the Indian seasons, named by the year they start in: `kharif-2019` (July to October),
 *   `rabi-2019` (November to February), `zaid-2020` (March to June);
 * - `"kharif"`, `"rabi"`, `"zaid"`: one of them a year; what lies between belongs to no period;
 * - `"P16D"`, `"P2W"`, `"P3M"`, `"P1Y"`: that many days, weeks, months or years from the start (see {@link PeriodOptions.anchor}),
 *   named by their first day;
 * - a list of periods, which may overlap and leave gaps.
 */
export type PeriodRule = NamedPeriodRule | `P${number}${"D" | "W" | "M" | "Y"}` | readonly Period[];

export type NamedPeriodRule =
  | "all"
  | "month"
  | "dekad"
  | "week"
  | "season"
  | "year"
  | "agri-year"
  | "crop-season"
  | "kharif"
  | "rabi"
  | "zaid";

/** The words among the rules, for messages and help. */
export const PERIOD_RULES: readonly NamedPeriodRule[] = [
  "all",
  "month",
  "dekad",
  "week",
  "season",
  "year",
  "agri-year",
  "crop-season",
  "kharif",
  "rabi",
  "zaid",
];

export interface PeriodOptions {
  /**
   * Where counted steps (`P16D`) begin: at the start, cut to its day (default), or anew with each year or each
   * agricultural year, whose last step is then short. MODIS counts its 16 days from 1 January, for example.
   */
  readonly anchor?: "start" | "year" | "agri-year" | undefined;
}

/** Milliseconds of a day. */
export const DAY = 86_400_000;

/** More periods than anybody means. */
const MOST_PERIODS = 100_000;

/**
 * Reads `2020`, `2020-02`, `2020-02-29`, `2020-02-29T12:34`, `...:56.789`, with `Z` or an offset such as `+05:30`; UTC when
 * none is given. NaN when the text is none of them or names a day that does not exist.
 */
export function parseInstant(text: string): Instant {
  const match =
    /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?)?)?$/i.exec(
      text.trim(),
    );
  if (match === null) return Number.NaN;
  const [, year, month = "01", day = "01", hour = "00", minute = "00", second = "00", part = "", zone = "Z"] =
    match;
  const [y, m, d, h, min, s] = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const instant = civil(y, m, d);
  const date = new Date(instant);
  if (m < 1 || m > 12 || date.getUTCDate() !== d || date.getUTCMonth() !== m - 1) return Number.NaN;
  if (h > 24 || min > 59 || s > 60 || (h === 24 && min + s > 0)) return Number.NaN;
  const ms = part === "" ? 0 : Math.floor(Number(`0.${part}`) * 1000 + 1e-6);
  const [, sign, zh, zm] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone) ?? [];
  const shift = sign === undefined ? 0 : (sign === "-" ? -1 : 1) * (60 * Number(zh) + Number(zm));
  return instant + ((h * 60 + min - shift) * 60 + s) * 1000 + ms;
}

/** `2020-02-29` when the instant is a midnight, else `2020-02-29T12:34:56Z` (with milliseconds when there are any). */
export function formatInstant(instant: Instant): string {
  const text = new Date(instant).toISOString();
  return instant % DAY === 0 ? text.slice(0, text.indexOf("T")) : text.replace(".000Z", "Z");
}

/** Whole days since 1970-01-01 (UTC): that of the day in which the instant lies. */
export function dayNumber(instant: Instant): number {
  return Math.floor(instant / DAY);
}

/**
 * The periods that meet `[start, end)`, in order and without holes where the rule has none: also those in which nothing
 * was observed. Calendar periods are whole: the first may begin before `start`, the last end after `end`. `"all"` and counted
 * steps begin at `start` cut to its day; the last counted step may reach beyond `end`, `"all"` ends there.
 *
 * @throws GeoError `INVALID_INPUT` for a rule that is not known, an end that is not after the start, or more than 100,000
 *   periods
 */
export function periodsBetween(
  rule: PeriodRule,
  start: Instant,
  end: Instant,
  options: PeriodOptions = {},
): Period[] {
  if (!(end > start)) {
    throw new GeoError(
      "INVALID_INPUT",
      `end ${safeFormat(end)} is not after start ${safeFormat(start)}`,
      { path: "end", expected: "an instant after the start" },
      { hint: "The end is not part of the range: pass the day after the last one." },
    );
  }
  if (typeof rule !== "string")
    return listed(rule).filter((period) => period.start < end && period.end > start);
  if (rule === "all") {
    const first = DAY * dayNumber(start);
    return [{ name: formatInstant(first), start: first, end }];
  }
  const periods: Period[] = [];
  for (
    let period = firstPeriod(rule, start, options);
    period.start < end;
    period = following(rule, period, options)
  ) {
    const wanted = rule !== "kharif" && rule !== "rabi" && rule !== "zaid";
    if (wanted || period.name.startsWith(rule)) periods.push(period);
    if (periods.length > MOST_PERIODS) {
      throw new GeoError(
        "INVALID_INPUT",
        `${rule} cuts ${safeFormat(start)} to ${safeFormat(end)} into more than ${MOST_PERIODS} periods`,
        { path: "period", expected: `at most ${MOST_PERIODS} periods` },
      );
    }
  }
  return periods;
}

function safeFormat(instant: Instant): string {
  return Math.abs(instant) <= 8.64e15 ? formatInstant(instant) : String(instant);
}

function listed(periods: readonly Period[]): readonly Period[] {
  for (const [k, { name, start, end }] of periods.entries()) {
    if (end > start) continue;
    throw new GeoError("INVALID_INPUT", `period ${JSON.stringify(name)} does not end after it starts`, {
      path: `period[${k}]`,
      expected: "an end after the start",
    });
  }
  return periods;
}

/** A rule that counts: how many of what. */
interface Step {
  readonly count: number;
  readonly unit: string;
}

function stepOf(rule: string): Step | null {
  const match = /^P(\d{1,5})([DWMY])$/.exec(rule);
  const count = Number(match?.[1]);
  return match === null || count < 1 ? null : { count, unit: match[2]! };
}

function firstPeriod(rule: string, start: Instant, options: PeriodOptions): Period {
  const step = stepOf(rule);
  if (step === null) return calendarPeriod(rule, start);
  const { anchor = "start" } = options;
  const day = DAY * dayNumber(start);
  if (anchor === "start") return stepFrom(step, day, Infinity);
  const frame = calendarPeriod(anchor, start);
  let period = stepFrom(step, frame.start, frame.end);
  while (period.end <= start) period = stepFrom(step, period.end, frame.end);
  return period;
}

function following(rule: string, { end }: Period, { anchor = "start" }: PeriodOptions): Period {
  const step = stepOf(rule);
  if (step === null) return calendarPeriod(rule, end);
  return stepFrom(step, end, anchor === "start" ? Infinity : calendarPeriod(anchor, end).end);
}

function stepFrom({ count, unit }: Step, start: Instant, limit: Instant): Period {
  let end = start + count * DAY * (unit === "W" ? 7 : 1);
  if (unit === "M" || unit === "Y") {
    const date = new Date(start);
    // A step from the 31st ends on the last day that the month has.
    const month = date.getUTCMonth() + count * (unit === "Y" ? 12 : 1);
    const last = new Date(civil(date.getUTCFullYear(), month + 2, 0)).getUTCDate();
    end = civil(date.getUTCFullYear(), month + 1, Math.min(date.getUTCDate(), last));
  }
  return { name: formatInstant(start), start, end: Math.min(end, limit) };
}

/** The period of a calendar rule in which an instant lies; for one crop season a year, whichever crop season it is. */
function calendarPeriod(rule: string, instant: Instant): Period {
  const date = new Date(instant);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth() + 1;
  const named = (name: string, from: Instant, to: Instant): Period => ({ name, start: from, end: to });
  switch (rule) {
    case "month":
      return named(`${pad(year, 4)}-${pad(month, 2)}`, civil(year, month, 1), civil(year, month + 1, 1));
    case "dekad": {
      const part = Math.min(2, Math.floor((date.getUTCDate() - 1) / 10));
      return named(
        `${pad(year, 4)}-${pad(month, 2)}-d${part + 1}`,
        civil(year, month, 10 * part + 1),
        part === 2 ? civil(year, month + 1, 1) : civil(year, month, 10 * part + 11),
      );
    }
    case "week": {
      // Day 0 of the count was a Thursday.
      const monday = 7 * Math.floor((dayNumber(instant) + 3) / 7) - 3;
      const ofYear = new Date((monday + 3) * DAY).getUTCFullYear();
      const first = 7 * Math.floor((dayNumber(civil(ofYear, 1, 4)) + 3) / 7) - 3;
      return named(
        `${pad(ofYear, 4)}-W${pad((monday - first) / 7 + 1, 2)}`,
        monday * DAY,
        (monday + 7) * DAY,
      );
    }
    case "season": {
      const quarter = Math.floor((month % 12) / 3);
      const ofYear = month === 12 ? year + 1 : year;
      const from = civil(ofYear, 3 * quarter, 1);
      return named(`${pad(ofYear, 4)}-${SEASONS[quarter]!}`, from, civil(ofYear, 3 * quarter + 3, 1));
    }
    case "crop-season":
    case "kharif":
    case "rabi":
    case "zaid": {
      if (month >= 3 && month <= 6)
        return named(`zaid-${pad(year, 4)}`, civil(year, 3, 1), civil(year, 7, 1));
      if (month >= 7 && month <= 10)
        return named(`kharif-${pad(year, 4)}`, civil(year, 7, 1), civil(year, 11, 1));
      const from = month <= 2 ? year - 1 : year;
      return named(`rabi-${pad(from, 4)}`, civil(from, 11, 1), civil(from + 1, 3, 1));
    }
    case "year":
      return named(pad(year, 4), civil(year, 1, 1), civil(year + 1, 1, 1));
    case "agri-year": {
      const from = month < 7 ? year - 1 : year;
      return named(`${pad(from, 4)}-${pad(from + 1, 4)}`, civil(from, 7, 1), civil(from + 1, 7, 1));
    }
    default:
      throw new GeoError("INVALID_INPUT", `period is ${JSON.stringify(rule)}`, {
        path: "period",
        expected: `${PERIOD_RULES.join(", ")}, or a number of days, weeks, months or years such as P16D`,
      });
  }
}

const SEASONS = ["DJF", "MAM", "JJA", "SON"] as const;

/** Midnight of a day; months and days beyond their range count on, and years below 100 are what they say. */
function civil(year: number, month: number, day: number): Instant {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

function pad(number: number, digits: number): string {
  return String(number).padStart(digits, "0");
}
