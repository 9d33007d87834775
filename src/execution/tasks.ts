import { countChanges, countClasses } from "../kernels/zonal/class-counts.ts";

/** Kernels that may run away from the caller, by name: pure, synchronous, cloneable arguments. */
export interface Tasks {
  countClasses: typeof countClasses;
  countChanges: typeof countChanges;
}

export const tasks: Tasks = { countClasses, countChanges };
