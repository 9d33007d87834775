import { SPHERE_RADIUS, type Surface } from "../../raster/cell-area.ts";

/** WGS 84. */
const A = 6378137;
const F = 1 / 298.257223563;
const ES = F * (2 - F);

const RADIANS = Math.PI / 180;
/** Radians between the latitudes that series are known at, and how far from its middle one is used. */
const STEP = Math.PI / 128;
const REACH = 0.06;
/** Terms of a series: the first one left out is below 1e-16 of the first at the end of its reach. */
const TERMS = 11;
/** Radians of latitude that one Gauss quadrature with 4 points is exact to rounding for. */
const PIECE = 0.125;
const NODE_1 = 0.3399810435848563;
const NODE_2 = 0.8611363115940526;
const WEIGHT_1 = 0.6521451548625461 / 2;
const WEIGHT_2 = 0.3478548451374538 / 2;

/**
 * Signed areas between an edge and a line below it, in the plane in square units of the coordinates, on the sphere and on WGS 84
 * in square metres. The sum over a closed way is the area it encloses, positive against the clock, wherever the line lies;
 * {@link UnderEdge.around} puts it near, and coordinates are counted from there, so that no digits are lost. Edges are straight in the coordinates, which on sphere and
 * ellipsoid are degrees (RFC 7946, section 3.1.1), so that the parts of an edge add up to the edge.
 *
 * On the curved surfaces the area below an edge is its width in longitude times the mean, over its latitudes, of the area below
 * a latitude. That function is taken as a power series around a latitude nearby, whose mean along the edge is a sum of powers:
 * no sine, and all digits for edges of centimetres. Longer edges take Gauss quadrature.
 */
export class UnderEdge {
  readonly surface: Surface;
  /** Degrees to a unit of the coordinates; 1 unless they are in grads or radians. */
  readonly degrees: number;
  /** Where coordinates are counted from. */
  x: number = 0;
  y: number = Number.NaN;
  #base = 0;
  readonly #series = new Float64Array(TERMS);
  readonly #scale: number;

  constructor(surface: Surface, degrees: number = 1) {
    this.surface = surface;
    this.degrees = degrees;
    this.#scale = surface === "sphere" ? SPHERE_RADIUS * SPHERE_RADIUS : (A * A) / 2;
  }

  /** Count coordinates, and areas, from a point. All edges of one sum must have the same. */
  around(x: number, y: number): void {
    this.x = x;
    if (y === this.y) return;
    this.y = y;
    if (this.surface === "plane") return;
    const latitude = y * this.degrees * RADIANS;
    const step = Math.max(-64, Math.min(64, Math.round(latitude / STEP)));
    this.#base = latitude;
    shift(slopesAt(this.surface, step), latitude - step * STEP, this.#series);
  }

  /** The area below the edge from one point to another, counted from {@link around}; negative from west to east, above the line. */
  of(ax: number, ay: number, bx: number, by: number): number {
    if (this.surface === "plane") return (ax * by - bx * ay) / 2;
    const width = bx - ax;
    if (width === 0) return 0;
    const toRadians = RADIANS * this.degrees;
    const u = ay * toRadians;
    const v = by * toRadians;
    const mean =
      u < REACH && u > -REACH && v < REACH && v > -REACH ? this.#seriesMean(u, v) : this.#longMean(u, v);
    return -width * toRadians * this.#scale * mean;
  }

  /** Mean of sum c[k] w^(k+1) over w from u to v: sum c[k] / (k + 2) (u^(k+1) + u^k v + ... + v^(k+1)). */
  #seriesMean(u: number, v: number): number {
    const series = this.#series;
    let power = 1;
    let ladder = 1;
    let sum = 0;
    for (let k = 0; k < TERMS; k++) {
      power *= u;
      ladder = ladder * v + power;
      sum += series[k]! * ladder;
    }
    return sum;
  }

  #longMean(u: number, v: number): number {
    const span = v - u;
    const pieces = Math.max(1, Math.ceil(Math.abs(span) / PIECE));
    const half = span / pieces / 2;
    let sum = 0;
    for (let k = 0; k < pieces; k++) {
      const middle = this.#base + u + half * (2 * k + 1);
      sum +=
        WEIGHT_1 * (this.#below(middle - NODE_1 * half) + this.#below(middle + NODE_1 * half)) +
        WEIGHT_2 * (this.#below(middle - NODE_2 * half) + this.#below(middle + NODE_2 * half));
    }
    return sum / pieces - this.#below(this.#base);
  }

  #below(latitude: number): number {
    const sine = Math.sin(latitude);
    return this.surface === "sphere" ? sine : authalicQ(sine);
  }
}

/**
 * Snyder's q (3-12) on WGS 84 as a series in the sine; half of it times a^2 is the area per radian of longitude up to a
 * latitude. The ninth term is below 1e-18.
 */
function authalicQ(sine: number): number {
  const w = ES * sine * sine;
  let sum = 0;
  for (let k = 8; k >= 0; k--) sum = sum * w + (2 * k + 2) / (2 * k + 1);
  return (1 - ES) * sine * sum;
}

const slopesOf: Record<"ellipsoid" | "sphere", (Float64Array | undefined)[]> = { ellipsoid: [], sphere: [] };

/** {@link slopeSeries} around latitude `step * STEP`, made once. */
function slopesAt(surface: "ellipsoid" | "sphere", step: number): Float64Array {
  const known = slopesOf[surface][step + 64];
  if (known !== undefined) return known;
  const slopes = slopeSeries(surface, step * STEP);
  slopesOf[surface][step + 64] = slopes;
  return slopes;
}

/** The same slope around a place `by` radians away, integrated, and divided as the mean of {@link UnderEdge} needs it. */
function shift(slopes: Float64Array, by: number, out: Float64Array): void {
  out.set(slopes);
  for (let first = 0; first < TERMS - 1; first++)
    for (let k = TERMS - 2; k >= first; k--) out[k]! += by * out[k + 1]!;
  for (let k = 0; k < TERMS; k++) out[k]! /= (k + 1) * (k + 2);
}

/** Power series of d(area below a latitude)/d(latitude): cos on the sphere, 2 (1 - e^2) cos / (1 - e^2 sin^2)^2 on WGS 84. */
function slopeSeries(surface: "ellipsoid" | "sphere", latitude: number): Float64Array {
  const sine = new Float64Array(TERMS);
  const cosine = new Float64Array(TERMS);
  sine[0] = Math.sin(latitude);
  cosine[0] = Math.cos(latitude);
  for (let k = 1; k < TERMS; k++) {
    sine[k] = cosine[k - 1]! / k;
    cosine[k] = -sine[k - 1]! / k;
  }
  if (surface === "sphere") return cosine;
  const root = product(sine, sine).map((term, k) => (k === 0 ? 1 : 0) - ES * term);
  const divisor = product(root, root);
  const quotient = new Float64Array(TERMS);
  for (let k = 0; k < TERMS; k++) {
    let rest = 2 * (1 - ES) * cosine[k]!;
    for (let j = 1; j <= k; j++) rest -= divisor[j]! * quotient[k - j]!;
    quotient[k] = rest / divisor[0]!;
  }
  return quotient;
}

function product(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(TERMS);
  for (let i = 0; i < TERMS; i++) for (let j = 0; i + j < TERMS; j++) out[i + j]! += a[i]! * b[j]!;
  return out;
}
