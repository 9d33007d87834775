import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { type Executor, inline, loadTasks, nextKey, run } from "./executor.ts";
import { compact, share } from "./kept.ts";
import type { Tasks } from "./tasks.ts";

/** What a thread is sent. */
export interface Request {
  readonly id: number;
  readonly task: keyof Tasks;
  readonly args: readonly unknown[];
}

/** What it sends back. */
export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: unknown };

export interface ThreadOptions {
  /**
   * Milliseconds of work that the caller's own thread does before others are started; default 200. A thread costs
   * about 50 ms and 10 MB, which a small job should not pay.
   */
  readonly patience?: number | undefined;
}

interface Call {
  readonly request: Request;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  call: Call | null;
}

/**
 * Worker threads. Calls are handed out in order to whichever thread is free; arguments are copied (kept data is in shared
 * memory and is not), results are handed over. Threads start when the work has shown that it is large, and end with
 * {@link Executor.close}; they do not keep the process alive when idle.
 *
 * @param workers  Threads; `"auto"`: as many as the machine has cores. With 1 all runs in the caller's thread.
 */
export function threads(workers: number | "auto" = "auto", options: ThreadOptions = {}): Executor {
  const limit = workers === "auto" ? availableParallelism() : Math.max(1, Math.floor(workers));
  return limit === 1 ? inline : new ThreadPool(limit, options.patience ?? 200);
}

class ThreadPool implements Executor {
  readonly concurrency: number;
  readonly #limit: number;
  readonly #patience: number;
  /** Milliseconds that calls took in this thread so far. */
  #spent = 0;
  #threads: Thread[] = [];
  #waiting: Call[] = [];
  #calls = 0;
  #closed = false;

  constructor(limit: number, patience: number) {
    this.#limit = limit;
    this.#patience = patience;
    // One at work and one waiting for each, so that none runs dry while the caller reads.
    this.concurrency = 2 * limit;
  }

  call<K extends keyof Tasks>(task: K, ...args: Parameters<Tasks[K]>): Promise<ReturnType<Tasks[K]>> {
    if (this.#closed) return Promise.reject(new Error("the threads have been closed"));
    if (this.#spent < this.#patience) return this.#here(task, args);
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        request: { id: this.#calls++, task, args: compact(args) },
        resolve: resolve as (value: never) => void,
        reject,
      });
      this.#next();
    });
  }

  async #here<K extends keyof Tasks>(task: K, args: Parameters<Tasks[K]>): Promise<ReturnType<Tasks[K]>> {
    const tasks = await loadTasks();
    const start = performance.now();
    try {
      return run(tasks, task, args);
    } finally {
      this.#spent += performance.now() - start;
    }
  }

  keep<T>(value: T): { key: number; value: T } {
    return { key: nextKey(), value: share(value) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const threads = this.#threads;
    this.#threads = [];
    const ended = new Error("the threads were closed before the work was done");
    for (const { call } of threads) call?.reject(ended);
    for (const call of this.#waiting) call.reject(ended);
    this.#waiting = [];
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#threads.find(({ call }) => call === null) ?? this.#start();
      if (thread === null) return;
      const call = this.#waiting.shift()!;
      thread.call = call;
      thread.worker.ref();
      thread.worker.postMessage(call.request);
    }
  }

  #start(): Thread | null {
    if (this.#threads.length === this.#limit) return null;
    // Named only here, so that a library that starts no thread does not load it.
    const { Worker } = process.getBuiltinModule("node:worker_threads");
    const worker = new Worker(new URL(SCRIPT, import.meta.url));
    const thread: Thread = { worker, call: null };
    this.#threads.push(thread);
    worker.unref();
    worker.on("message", (reply: Reply) => {
      const { call } = thread;
      thread.call = null;
      worker.unref();
      if (call !== null) {
        if (reply.ok) call.resolve(reply.value as never);
        else call.reject(reply.error);
      }
      this.#next();
    });
    const lost = (error: unknown): void => {
      const at = this.#threads.indexOf(thread);
      if (at === -1) return;
      this.#threads.splice(at, 1);
      thread.call?.reject(error);
      this.#next();
    };
    worker.on("error", lost);
    worker.on("exit", (code) => lost(new Error(`a worker thread ended with status ${code}`)));
    return thread;
  }
}

/** Where the other half is. From sources, as in development, it needs a loader on Node 20. */
const SCRIPT = import.meta.url.endsWith(".ts") ? "../../scripts/worker-from-sources.mjs" : "./worker.js";
