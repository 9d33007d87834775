import { aeqd, gnom, laea, nsper, ortho, sterea, tpeqd } from "./azimuthal.ts";
import { eqdc, krovak, lcc, poly } from "./conic.ts";
import { cass, cea, col_urban, comill, gall, merc, patterson, webmerc } from "./cylindrical.ts";
import { labrd, omerc, somerc } from "./oblique.ts";
import { tmerc } from "./transverse.ts";
import type { ProjectionFactory } from "./unit.ts";
import * as world from "./world.ts";

/**
 * The projections computed here, by PROJ's name: those that carry most data, those that proj4 lacks, and those
 * whose results in proj4 differ from PROJ's by more than a tenth of a millimetre. All others are proj4's.
 */
export const PROJECTIONS: Readonly<Record<string, ProjectionFactory>> = {
  merc,
  webmerc,
  cea,
  cass,
  gall,
  patterson,
  comill,
  col_urban,
  tmerc,
  etmerc: tmerc,
  utm: tmerc,
  lcc,
  eqdc,
  poly,
  krovak,
  laea,
  aeqd,
  sterea,
  nsper,
  gnom,
  ortho,
  tpeqd,
  omerc,
  somerc,
  labrd,
  eqearth: world.eqearth,
  robin: world.robin,
  moll: world.moll,
  eck1: world.eck1,
  eck2: world.eck2,
  eck3: world.eck3,
  eck4: world.eck4,
  eck5: world.eck5,
  wag1: world.wag1,
  wag2: world.wag2,
  wag4: world.wag4,
  wag5: world.wag5,
  wag6: world.wag6,
  wag7: world.wag7,
  kav5: world.kav5,
  kav7: world.kav7,
  aitoff: world.aitoff,
  wintri: world.wintri,
  hammer: world.hammer,
  natearth: world.natearth,
  natearth2: world.natearth2,
  loxim: world.loxim,
  crast: world.crast,
  qua_aut: world.qua_aut,
  fouc: world.fouc,
  mbtfpq: world.mbtfpq,
  times: world.times,
  wink1: world.wink1,
  wink2: world.wink2,
  igh: world.igh,
  igh_o: world.igh_o,
};
