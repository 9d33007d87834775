import { type Tasks, tasks } from "./tasks.ts";

/** Where kernels run. Callers never ask which kind they hold. */
export interface Executor {
  /** Calls worth having in flight at once. */
  readonly concurrency: number;
  call<K extends keyof Tasks>(task: K, ...args: Parameters<Tasks[K]>): Promise<ReturnType<Tasks[K]>>;
}

/**
 * Here and now: the default, and the reference that other executors are tested against. Two calls in flight,
 * so that the next block is read while one is computed.
 */
export const inline: Executor = {
  concurrency: 2,
  call(task, ...args) {
    const run = tasks[task] as (...args: unknown[]) => ReturnType<Tasks[typeof task]>;
    return new Promise((resolve) => resolve(run(...args)));
  },
};
