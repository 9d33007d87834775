import { GeoError } from "../model/errors.ts";

/** One table of shifts: nodes on a regular mesh of positive-west longitudes and latitudes, radians. */
interface SubGrid {
  /** Lower right corner (longitudes grow to the west in this format). */
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
  readonly stepLon: number;
  readonly stepLat: number;
  readonly columns: number;
  readonly rows: number;
  /** Latitude and longitude shift of each node, from the south-east corner westwards, then north. */
  readonly shifts: Float64Array;
}

/** A datum shift grid that has been registered. */
interface ShiftGrid {
  /** Finest tables first. */
  readonly tables: readonly SubGrid[];
}

const ARC_SECOND = Math.PI / 648000;
/** Grids live as long as the program: registering is a deliberate act at its start, as in every PROJ binding. */
const grids = new Map<string, ShiftGrid>();

/**
 * Makes an NTv2 grid (`.gsb`) known under its file name, for datum shifts that need it. `name` may be the name the
 * EPSG dataset uses, the one PROJ uses, or either with another ending: `"BETA2007.gsb"` serves
 * `"de_adv_BETA2007.tif"`. Transformations made before do not change.
 *
 * @throws GeoError `INVALID_FORMAT` when the bytes are not NTv2.
 */
export function registerGrid(name: string, bytes: Uint8Array): void {
  grids.set(stem(name), readNtv2(name, bytes));
}

/** Whether a grid that an operation asks for has been registered. */
export function hasGrid(name: string): boolean {
  return findGrid(name) !== null;
}

function stem(name: string): string {
  return name
    .replace(/^.*[\\/]/, "")
    .replace(/\.[A-Za-z0-9]+$/, "")
    .toLowerCase();
}

function findGrid(name: string): ShiftGrid | null {
  const wanted = stem(name);
  const exact = grids.get(wanted);
  if (exact !== undefined) return exact;
  // PROJ puts country and agency in front: de_adv_BETA2007.
  for (const [key, grid] of grids) if (wanted.endsWith(`_${key}`) || key.endsWith(`_${wanted}`)) return grid;
  return null;
}

/** A step that shifts a point by a grid, radians; NaN outside of it. */
export function gridShift(name: string, inverse: boolean): (p: { x: number; y: number }) => void {
  const grid = findGrid(name);
  return (p) => {
    const shift = { lon: 0, lat: 0 };
    if (grid === null || !interpolate(grid, p.x, p.y, shift)) {
      p.x = Number.NaN;
      p.y = Number.NaN;
      return;
    }
    if (!inverse) {
      p.x += shift.lon;
      p.y += shift.lat;
      return;
    }
    // Find the point whose shifted place is this one.
    let lon = p.x - shift.lon;
    let lat = p.y - shift.lat;
    for (let round = 0; round < 10; round++) {
      if (!interpolate(grid, lon, lat, shift)) break;
      const dLon = lon + shift.lon - p.x;
      const dLat = lat + shift.lat - p.y;
      lon -= dLon;
      lat -= dLat;
      if (Math.abs(dLon) < 1e-14 && Math.abs(dLat) < 1e-14) break;
    }
    p.x = lon;
    p.y = lat;
  };
}

function interpolate(grid: ShiftGrid, lon: number, lat: number, out: { lon: number; lat: number }): boolean {
  const west = -lon;
  for (const table of grid.tables) {
    const slack = 1e-10;
    if (
      west < table.east - slack ||
      west > table.west + slack ||
      lat < table.south - slack ||
      lat > table.north + slack
    )
      continue;
    const { columns, rows, shifts } = table;
    const u = (west - table.east) / table.stepLon;
    const v = (lat - table.south) / table.stepLat;
    const col = Math.max(0, Math.min(columns - 2, Math.floor(u)));
    const row = Math.max(0, Math.min(rows - 2, Math.floor(v)));
    const fu = u - col;
    const fv = v - row;
    const node = 2 * (row * columns + col);
    const up = node + 2 * columns;
    const w00 = (1 - fu) * (1 - fv);
    const w10 = fu * (1 - fv);
    const w01 = (1 - fu) * fv;
    const w11 = fu * fv;
    out.lat = w00 * shifts[node]! + w10 * shifts[node + 2]! + w01 * shifts[up]! + w11 * shifts[up + 2]!;
    out.lon = -(
      w00 * shifts[node + 1]! +
      w10 * shifts[node + 3]! +
      w01 * shifts[up + 1]! +
      w11 * shifts[up + 3]!
    );
    return true;
  }
  return false;
}

/** Reads NTv2 (Junkins and Farley 1995). Counts are checked against the size of the file before anything is made. */
function readNtv2(name: string, bytes: Uint8Array): ShiftGrid {
  const fail = (found: string): GeoError =>
    new GeoError(
      "INVALID_FORMAT",
      `${name} is not an NTv2 grid: ${found}`,
      { format: "NTv2", path: name },
      {
        hint: "register the .gsb file, not a GeoTIFF or a text form of it",
      },
    );
  if (bytes.length < 352) throw fail(`${bytes.length} bytes are too few`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = view.getInt32(8, true) === 11;
  if (!little && view.getInt32(8, false) !== 11) throw fail("it does not start with NUM_OREC 11");
  const label = (offset: number): string => String.fromCharCode(...bytes.subarray(offset, offset + 8)).trim();
  const unit = label(56);
  const scale = unit.startsWith("MINUTES")
    ? 60
    : unit.startsWith("DEGREES")
      ? 3600
      : unit.startsWith("SECONDS")
        ? 1
        : 0;
  if (scale === 0) throw fail(`its unit is "${unit}"`);
  const count = view.getInt32(40, little);
  if (!(count >= 1 && count * 176 <= bytes.length)) throw fail(`it claims ${count} tables`);
  const tables: SubGrid[] = [];
  let offset = 176;
  for (let k = 0; k < count; k++) {
    if (offset + 176 > bytes.length) throw fail("it ends inside a header");
    const value = (record: number): number =>
      view.getFloat64(offset + 16 * record + 8, little) * scale * ARC_SECOND;
    const [south, north, east, west, stepLat, stepLon] = [4, 5, 6, 7, 8, 9].map(value);
    const nodes = view.getInt32(offset + 168, little);
    const columns = Math.round((west! - east!) / stepLon!) + 1;
    const rows = Math.round((north! - south!) / stepLat!) + 1;
    offset += 176;
    if (!(columns >= 2 && rows >= 2 && columns * rows === nodes))
      throw fail(`table ${k + 1} has no regular mesh`);
    if (offset + 16 * nodes > bytes.length) throw fail("it ends inside a table");
    const shifts = new Float64Array(2 * nodes);
    for (let n = 0; n < nodes; n++) {
      shifts[2 * n] = view.getFloat32(offset + 16 * n, little) * scale * ARC_SECOND;
      shifts[2 * n + 1] = view.getFloat32(offset + 16 * n + 4, little) * scale * ARC_SECOND;
    }
    offset += 16 * nodes;
    tables.push({
      south: south!,
      north: north!,
      east: east!,
      west: west!,
      stepLat: stepLat!,
      stepLon: stepLon!,
      columns,
      rows,
      shifts,
    });
  }
  return { tables: tables.sort((a, b) => a.stepLat * a.stepLon - b.stepLat * b.stepLon) };
}
