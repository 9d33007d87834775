import { type GeometryColumn, POINT, POLYGON } from "../src/model/geometry.ts";
import { GeometryBuilder } from "../src/model/geometry-builder.ts";
import { random } from "../src/testing/random.ts";
import { contest } from "./join-contest.ts";
import { storedLayer } from "./layers.ts";

/** A million points in a partition of 2,000 polygons of about a hundred vertices; each lies in one. */
export async function run({ smoke }: { smoke: boolean }): Promise<void> {
  let points = smoke ? null : storedLayer("points1m");
  let zones = smoke ? null : storedLayer("zones2k");
  if (points === null || zones === null) {
    if (!smoke)
      console.log("TILTH_BENCH_DATA has no points1m.wkbs and zones2k.wkbs: a generated partition instead");
    points = pointLayer(smoke ? 5_000 : 1_000_000);
    zones = partitionLayer(smoke ? 6 : 45);
  }
  const what = `${points.types.length} points in ${zones.types.length} polygons`;
  await contest(what, points, zones, { prepared: "right", runs: smoke ? 1 : 5, goal: 0.3 });
}

function pointLayer(count: number): GeometryColumn {
  const next = random(71);
  const builder = new GeometryBuilder();
  for (let i = 0; i < count; i++) {
    builder.begin(POINT);
    builder.part();
    builder.vertex(next.between(74.01, 77.99), next.between(14.01, 17.99));
    builder.end();
  }
  return builder.finish();
}

/** Edges of each side of a cell. */
const STEPS = 24;

/** `side` times `side` cells over the area of the points, with winding borders that neighbours share. */
function partitionLayer(side: number): GeometryColumn {
  const width = 4 / side;
  // The same number for the same border, whichever of the two cells asks.
  const wave = (at: number, along: number): number =>
    0.12 * width * Math.sin(2.1 * at + 17 * along) * Math.sin(Math.PI * along * side * 0.25) ** 2;
  const border = (x: number, y: number): [number, number] => [
    x === 0 || x === 4 ? 74 + x : 74 + x + wave(x / width, y),
    y === 0 || y === 4 ? 14 + y : 14 + y + wave(y / width + 0.5, x),
  ];
  const builder = new GeometryBuilder();
  const vertex = (col: number, row: number): void =>
    builder.vertex(...border((4 * col) / side, (4 * row) / side));
  for (let row = 0; row < side; row++) {
    for (let col = 0; col < side; col++) {
      builder.begin(POLYGON);
      builder.part();
      builder.ring();
      for (let k = 0; k < STEPS; k++) vertex(col + k / STEPS, row);
      for (let k = 0; k < STEPS; k++) vertex(col + 1, row + k / STEPS);
      for (let k = 0; k < STEPS; k++) vertex(col + 1 - k / STEPS, row + 1);
      for (let k = 0; k < STEPS; k++) vertex(col, row + 1 - k / STEPS);
      vertex(col, row);
      builder.end();
    }
  }
  return builder.finish();
}
