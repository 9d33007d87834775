import { GeoError } from "../../model/errors.ts";

/** Samples of a quality band that make a pixel unusable; any of the conditions is enough. */
export interface QualityRule {
  /** These values are refused. */
  readonly reject?: readonly number[] | undefined;
  /** Only these values are taken. */
  readonly keep?: readonly number[] | undefined;
  /** Only values from the first to the last are taken. */
  readonly range?: readonly [min: number, max: number] | undefined;
  /** Refused by the value of some bits, read as a number. */
  readonly bits?: readonly BitRule[] | undefined;
}

/** Bits `from` to `to` (0 is the lowest) whose number is one of `values`. */
export interface BitRule {
  readonly from: number;
  readonly to: number;
  readonly values: readonly number[];
}

const bit = (at: number): BitRule => ({ from: at, to: at, values: [1] });
const pair = (from: number, ...values: number[]): BitRule => ({ from, to: from + 1, values });

/**
 * Rules of well-known quality bands: what is cloud, shadow, cirrus or fill goes, snow and water stay, unless the name says
 * otherwise.
 */
export const QUALITY_PRESETS: Readonly<Record<string, QualityRule>> = {
  // USGS Landsat Collection 2 Level-2: fill, dilated cloud, cirrus, cloud, cloud shadow.
  "landsat-qa-pixel": { bits: [0, 1, 2, 3, 4].map(bit) },
  "landsat-qa-pixel-snow": { bits: [0, 1, 2, 3, 4, 5].map(bit) },
  // USGS Landsat 8 Collection 1 BQA: fill, cloud, and high confidence of cloud, shadow, cirrus.
  "landsat-bqa": { bits: [bit(0), bit(4), pair(5, 3), pair(7, 3), pair(11, 3)] },
  "landsat-bqa-snow": { bits: [bit(0), bit(4), pair(5, 3), pair(7, 3), pair(9, 3), pair(11, 3)] },
  // HLS v2.0 Fmask: cloud, next to cloud or shadow, cloud shadow; 255 is fill.
  "hls-fmask": { reject: [255], bits: [bit(1), bit(2), bit(3)] },
  "hls-fmask-snow": { reject: [255], bits: [bit(1), bit(2), bit(3), bit(4)] },
  // MODIS vegetation indices, SummaryQA (pixel reliability): 0 good, 1 marginal, 2 snow or ice, 3 cloudy, -1 or 255 fill.
  "modis-summary-qa": { keep: [0, 1] },
  "modis-summary-qa-good": { keep: [0] },
  // Sentinel-2 L2A scene classification: dark areas, vegetation, bare soil, water, unclassified.
  "s2-scl": { keep: [2, 4, 5, 6, 7] },
  "s2-scl-snow": { keep: [2, 4, 5, 6, 7, 11] },
  // Sentinel-2 classes that are surely land or water.
  "s2-scl-strict": { keep: [4, 5, 6] },
};

/**
 * The rule that a text names: a preset, or conditions with `;` between them: `reject:3,8,9`, `keep:4,5`, `range:0-1`,
 * `bits:3` (the bit is set), `bits:8-9=2,3`.
 *
 * @throws GeoError `INVALID_INPUT`
 */
export function parseQualityRule(text: string): QualityRule {
  if (Object.hasOwn(QUALITY_PRESETS, text)) return QUALITY_PRESETS[text]!;
  let rule: QualityRule = {};
  const bits: BitRule[] = [];
  for (const condition of text.split(";").map((one) => one.trim())) {
    const list = /^(reject|keep):(-?\d+(?:,-?\d+)*)$/.exec(condition);
    const range = /^range:(-?[\d.]+)-(-?[\d.]+)$/.exec(condition);
    const some = /^bits:(\d{1,2})(?:-(\d{1,2}))?(?:=(\d+(?:,\d+)*))?$/.exec(condition);
    if (list !== null) rule = { ...rule, [list[1]!]: list[2]!.split(",").map(Number) };
    else if (range !== null) rule = { ...rule, range: [Number(range[1]), Number(range[2])] };
    else if (some !== null && (some[3] !== undefined || some[2] === undefined)) {
      const from = Number(some[1]);
      bits.push({ from, to: Number(some[2] ?? from), values: (some[3] ?? "1").split(",").map(Number) });
    } else throw unknownRule(text);
  }
  if (bits.length > 0) rule = { ...rule, bits };
  return checkedRule(rule);
}

/** The rule as it is, when it can be used. */
export function checkedRule(rule: QualityRule): QualityRule {
  for (const { from, to, values } of rule.bits ?? []) {
    const numbers = 2 ** (to - from + 1);
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && to >= from && to < 32)) {
      throw new GeoError("INVALID_INPUT", `bits ${from} to ${to} of a quality band`, {
        path: "qa",
        expected: "bits from 0 to 31, the lower first",
      });
    }
    const wrong = values.find((value) => !(Number.isInteger(value) && value >= 0 && value < numbers));
    if (wrong === undefined) continue;
    throw new GeoError("INVALID_INPUT", `bits ${from} to ${to} of a quality band cannot be ${wrong}`, {
      path: "qa",
      expected: `0 to ${numbers - 1}`,
    });
  }
  return rule;
}

function unknownRule(text: string): GeoError {
  return new GeoError(
    "INVALID_INPUT",
    `the quality rule ${JSON.stringify(text)} is not known`,
    {
      path: "qa",
      expected: `${Object.keys(QUALITY_PRESETS).join(", ")}, or conditions such as bits:3;bits:8-9=2,3`,
    },
    { hint: "Conditions are reject:3,8 keep:4,5 range:0-1 bits:3 bits:8-9=2,3, with ; between them." },
  );
}

/** Whether a value of the quality band is taken. */
export function isTaken({ reject, keep, range, bits }: QualityRule, value: number): boolean {
  if (Number.isNaN(value)) return false;
  if (reject?.includes(value) === true) return false;
  if (keep !== undefined && !keep.includes(value)) return false;
  if (range !== undefined && !(value >= range[0] && value <= range[1])) return false;
  for (const { from, to, values } of bits ?? []) {
    // Two's complement for negative values; a width of 32 is all of it.
    const width = to - from + 1;
    const number = (value >>> from) % 2 ** width;
    if (values.includes(number)) return false;
  }
  return true;
}

/**
 * The rule for every 8- and 16-bit sample, so that a pixel costs one look-up: index is the sample plus 32,768.
 */
export function qualityTable(rule: QualityRule): Uint8Array {
  const table = new Uint8Array(98_304);
  for (let k = 0; k < table.length; k++) table[k] = isTaken(rule, k - 32_768) ? 255 : 0;
  return table;
}
