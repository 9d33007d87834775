import { parentPort } from "node:worker_threads";
import { compact } from "./kept.ts";
import { tasks } from "./tasks.ts";
import type { Reply, Request } from "./threads.ts";

// A thread of the pool: runs the tasks it is sent, one after the other.
parentPort!.on("message", ({ id, task, args }: Request) => {
  const buffers = new Set<ArrayBuffer>();
  let reply: Reply;
  try {
    const run = tasks[task] as (...args: readonly unknown[]) => unknown;
    reply = { id, ok: true, value: compact(run(...args), buffers) };
  } catch (error) {
    buffers.clear();
    reply = { id, ok: false, error };
  }
  parentPort!.postMessage(reply, [...buffers]);
});
