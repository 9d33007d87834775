import type { Kept } from "./kept.ts";
import type { Tasks } from "./tasks.ts";

/** Where kernels run. Callers never ask which kind they hold: results are the same to the bit. */
export interface Executor {
  /** Calls worth having in flight at once. */
  readonly concurrency: number;
  /**
   * Run a task. Its arguments are data: typed arrays, plain objects and lists of them. What throws there is thrown here.
   */
  call<K extends keyof Tasks>(task: K, ...args: Parameters<Tasks[K]>): Promise<ReturnType<Tasks[K]>>;
  /**
   * Data that many calls will be given, such as a region: in memory that all threads see, so that it is copied once,
   * and with a name, so that a thread prepares it once.
   */
  keep<T>(value: T): Kept<T>;
  /** End the threads, if there are any. Calls under way are rejected. */
  close(): Promise<void>;
}

let serial = 0;

/** A name for kept data that no other has in this process. */
export function nextKey(): number {
  return ++serial;
}

/**
 * Here and now: the default, and the reference that other executors are tested against. Two calls in flight,
 * so that the next block is read while one is computed.
 */
export const inline: Executor = {
  concurrency: 2,
  async call(task, ...args) {
    return run(await loadTasks(), task, args);
  },
  keep: (value) => ({ key: nextKey(), value }),
  close: () => Promise.resolve(),
};

/** The kernels, loaded at the first call: who only names an executor need not have them. */
export async function loadTasks(): Promise<Tasks> {
  return (await import("./tasks.ts")).tasks;
}

/** One task, here and now. */
export function run<K extends keyof Tasks>(
  tasks: Tasks,
  task: K,
  args: Parameters<Tasks[K]>,
): ReturnType<Tasks[K]> {
  // The union of all tasks does not say that these arguments are those of this one.
  return (tasks[task] as unknown as (...args: Parameters<Tasks[K]>) => ReturnType<Tasks[K]>)(...args);
}
