/**
 * A column of sums that do not depend on the order of their terms, to the bit. A term comes in two parts, multiples of `unit`
 * and of `unit * 2^-26`, as kernels give them for one window; a sum is kept in three, each within half a unit of the
 * next, so that one total is written in one way only.
 */
export class ExactColumn {
  readonly #unit: number;
  readonly #big: number;
  readonly #high: Float64Array;
  /** Not there while all terms are multiples of the large unit, such as counts. */
  #middle: Float64Array | null = null;
  #low: Float64Array | null = null;

  constructor(length: number, unit: number) {
    this.#unit = unit;
    this.#big = unit * 2 ** 26;
    this.#high = new Float64Array(length);
  }

  add(i: number, high: number, low: number): void {
    const big = this.#big;
    if (this.#middle === null || this.#low === null) {
      if (low === 0 && high % big === 0) {
        this.#high[i]! += high;
        return;
      }
      this.#middle = new Float64Array(this.#high.length);
      this.#low = new Float64Array(this.#high.length);
    }
    const unit = this.#unit;
    const lower = this.#low[i]! + low;
    const carry = Math.floor(lower / unit + 0.5) * unit;
    this.#low[i] = lower - carry;
    const middle = this.#middle[i]! + high + carry;
    const above = Math.floor(middle / big + 0.5) * big;
    this.#middle[i] = middle - above;
    this.#high[i]! += above;
  }

  value(i: number): number {
    const high = this.#high[i]!;
    return this.#middle === null || this.#low === null ? high : high + (this.#middle[i]! + this.#low[i]!);
  }
}
