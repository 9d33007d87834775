/** Milliseconds of a day. */
const DAY = 86_400_000;

/** Days from 1970-01-01 to a date of the Gregorian calendar, also before it was used; negative years allowed. */
export function daysFromCivil(year: number, month: number, day: number): number {
  // Years that begin in March put the leap day last (H. Hinnant, "chrono-compatible low-level date algorithms").
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - 400 * era;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    146_097 * era +
    365 * yearOfEra +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719_468
  );
}

/**
 * Reads ISO 8601 dates and times from text bytes: `2020-02-29`, `2020-02-29T12:34:56.789Z`, with a blank for the `T`,
 * slashes for the dashes, and zones `Z`, `+05:30`, `+0530`, `+05`. Fields describe the text read last.
 */
export class IsoTimeReader {
  /** Whether the text named a zone. */
  zoned: boolean = false;
  /** Whether it had a time of day. */
  timed: boolean = false;
  #at = 0;

  /** Milliseconds since 1970-01-01T00:00:00, in UTC when the text names a zone; NaN when it is no such text. */
  read(bytes: Uint8Array, start: number, end: number): number {
    this.zoned = false;
    this.timed = false;
    this.#at = start;
    const year = this.#digits(bytes, end, 4);
    const dash = this.#byte(bytes, end);
    if (dash !== 45 && dash !== 47) return Number.NaN;
    this.#at++;
    const month = this.#digits(bytes, end, 2);
    if (this.#byte(bytes, end) !== dash) return Number.NaN;
    this.#at++;
    const day = this.#digits(bytes, end, 2);
    if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month))) return Number.NaN;
    const date = DAY * daysFromCivil(year, month, day);
    if (this.#at === end) return date;
    const mark = this.#byte(bytes, end);
    if (mark !== 84 && mark !== 116 && mark !== 32) return Number.NaN;
    this.#at++;
    const time = this.readTime(bytes, this.#at, end);
    return date + time;
  }

  /** Milliseconds since midnight of `12:34`, `12:34:56` or `12:34:56.789`, less the offset of a zone; NaN when wrong. */
  readTime(bytes: Uint8Array, start: number, end: number): number {
    this.timed = true;
    this.zoned = false;
    this.#at = start;
    const hour = this.#digits(bytes, end, 2);
    if (this.#byte(bytes, end) !== 58) return Number.NaN;
    this.#at++;
    const minute = this.#digits(bytes, end, 2);
    let millis = 0;
    if (this.#byte(bytes, end) === 58) {
      this.#at++;
      millis = 1000 * this.#digits(bytes, end, 2);
      const point = this.#byte(bytes, end);
      if (point === 46 || point === 44) {
        this.#at++;
        let fraction = 0;
        let scale = 1;
        const first = this.#at;
        for (; this.#at < end; this.#at++) {
          const digit = bytes[this.#at]! - 48;
          if (digit < 0 || digit > 9) break;
          if (scale < 1e9) {
            fraction = 10 * fraction + digit;
            scale *= 10;
          }
        }
        if (this.#at === first) return Number.NaN;
        millis += (1000 * fraction) / scale;
      }
    }
    if (!(hour <= 24 && minute <= 59 && millis < 61_000)) return Number.NaN;
    const time = 3_600_000 * hour + 60_000 * minute + millis;
    if (this.#at === end) return time;
    this.zoned = true;
    const sign = this.#byte(bytes, end);
    this.#at++;
    if (sign === 90 || sign === 122) return this.#at === end ? time : Number.NaN;
    if (sign !== 43 && sign !== 45) return Number.NaN;
    const hours = this.#digits(bytes, end, 2);
    if (this.#byte(bytes, end) === 58) this.#at++;
    const minutes = this.#at < end ? this.#digits(bytes, end, 2) : 0;
    if (this.#at !== end || !(hours <= 18 && minutes <= 59)) return Number.NaN;
    const offset = 60_000 * (60 * hours + minutes);
    return sign === 43 ? time - offset : time + offset;
  }

  #byte(bytes: Uint8Array, end: number): number {
    return this.#at < end ? bytes[this.#at]! : -1;
  }

  #digits(bytes: Uint8Array, end: number, count: number): number {
    if (this.#at + count > end) return Number.NaN;
    let value = 0;
    for (let k = 0; k < count; k++) {
      const digit = bytes[this.#at]! - 48;
      if (digit < 0 || digit > 9) return Number.NaN;
      value = 10 * value + digit;
      this.#at++;
    }
    return value;
  }
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** `2020-02-29` of milliseconds since 1970. */
export function isoDate(millis: number): string {
  return isoText(millis).slice(0, -14);
}

/** `12:34:56` or `12:34:56.789` of milliseconds since midnight. */
export function isoTime(millis: number): string {
  return isoText(millis).slice(-13, -1).replace(".000", "");
}

/** `2020-02-29T12:34:56` with `.789` when there is a fraction, and `Z` for instants. */
export function isoDateTime(millis: number, zone: "utc" | "local"): string {
  return `${isoText(millis).slice(0, -1).replace(".000", "")}${zone === "utc" ? "Z" : ""}`;
}

/** ISO text of a time; the nearest one that JavaScript can hold when it lies outside. */
function isoText(millis: number): string {
  return new Date(Math.min(8.64e15, Math.max(-8.64e15, millis))).toISOString();
}
