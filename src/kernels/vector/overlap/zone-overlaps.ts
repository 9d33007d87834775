import type { GeometryColumn } from "../../../model/geometry.ts";
import type { Surface } from "../../raster/cell-area.ts";
import { type BoxTree, buildBoxTree, newHits, searchBoxes } from "../box-tree.ts";
import { overlapOf } from "../overlap-area.ts";
import { matchesPattern } from "../relate/patterns.ts";
import { relateRows } from "../relate/relate.ts";
import { PreparedPolygons } from "./prepared.ts";
import { UnderEdge } from "./under-edge.ts";

/** Zones and how areas are measured, as plain data: what a thread must know of them. */
export interface ZoneSide {
  readonly geometry: GeometryColumn;
  readonly surface: Surface;
  /** Degrees to a unit of the coordinates, on the sphere and the ellipsoid. */
  readonly degrees: number;
  /** Pairs too that only touch, with area 0. */
  readonly touching: boolean;
}

/** Rows of a column with the zones that they meet: rows rising, for one row zones rising. */
export interface OverlapRows {
  readonly rows: Int32Array;
  readonly zones: Int32Array;
  /** In square units of the coordinates, or square metres on the sphere and the ellipsoid. */
  readonly areas: Float64Array;
  /** Rows among those near a zone that break the rules for polygons: counted by the even-odd rule. */
  readonly repaired: number;
}

/** Zones, indexed once, for the polygons of many columns. What is found for one does not depend on those before, to the bit. */
export class ZoneOverlaps {
  readonly #side: ZoneSide;
  readonly #prepared: PreparedPolygons;
  readonly #tree: BoxTree;
  readonly #hits = newHits();

  constructor(side: ZoneSide) {
    this.#side = side;
    this.#prepared = new PreparedPolygons(side.geometry, new UnderEdge(side.surface, side.degrees));
    this.#tree = buildBoxTree(this.#prepared.bounds);
  }

  /** Box of each zone, empty for those without a polygon. */
  get bounds(): Float64Array {
    return this.#prepared.bounds;
  }

  /** Zones that break the rules for polygons, of those looked at so far. */
  get repaired(): number {
    return this.#prepared.repaired;
  }

  /** Area of a zone, measured as overlaps are. */
  area(zone: number): number {
    return this.#prepared.area(zone);
  }

  find(column: GeometryColumn): OverlapRows {
    const { touching, geometry } = this.#side;
    const zones = this.#prepared;
    const polygons = new PreparedPolygons(column, zones.under);
    const box = polygons.bounds;
    const hits = this.#hits;
    const found: { rows: number[]; zones: number[]; areas: number[] } = { rows: [], zones: [], areas: [] };
    for (let row = 0; row < column.types.length; row++) {
      const i = 4 * row;
      const near = searchBoxes(this.#tree, box[i]!, box[i + 1]!, box[i + 2]!, box[i + 3]!, hits);
      if (near > 1) hits.values.subarray(0, near).sort();
      for (let k = 0; k < near; k++) {
        const zone = hits.values[k]!;
        const area = overlapOf(polygons, row, zones, zone);
        if (
          !(area > 0) &&
          !(touching && !matchesPattern(relateRows(column, row, geometry, zone), "FF*FF****"))
        )
          continue;
        found.rows.push(row);
        found.zones.push(zone);
        found.areas.push(area);
      }
    }
    return {
      rows: Int32Array.from(found.rows),
      zones: Int32Array.from(found.zones),
      areas: Float64Array.from(found.areas),
      repaired: polygons.repaired,
    };
  }
}
