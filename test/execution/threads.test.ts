import { afterEach, expect, test } from "vitest";
import { type Executor, inline } from "../../src/execution/executor.ts";
import { compact, prepareOnce, share } from "../../src/execution/kept.ts";
import { threads } from "../../src/execution/threads.ts";

let open: Executor[] = [];
afterEach(async () => {
  for (const executor of open) await executor.close();
  open = [];
});

function pool(workers: number, patience: number): Executor {
  const executor = threads(workers, { patience });
  open.push(executor);
  return executor;
}

/** One zone over all pixels of a row of samples. */
function countRow(executor: Executor, values: Uint8Array): ReturnType<typeof executor.call<"countClasses">> {
  const width = values.length;
  const runs = { count: 1, data: Int32Array.of(0, 0, 0, width) };
  return executor.call(
    "countClasses",
    runs,
    { samples: values, nodata: Number.NaN, mask: null },
    { col: 0, row: 0, width, height: 1 },
    null,
    width,
  );
}

test("threads give what the caller's own thread gives, in the order of the calls", async () => {
  const rows = Array.from({ length: 12 }, (_, k) => Uint8Array.from({ length: 50 }, (_, i) => (i * k) % 5));
  const expected = await Promise.all(rows.map((row) => countRow(inline, row)));
  const executor = pool(2, 0);
  const found = await Promise.all(rows.map((row) => countRow(executor, row)));
  expect(found).toEqual(expected);
});

test("what a task throws arrives with its kind and message", async () => {
  const executor = pool(2, 0);
  const values = Float64Array.from({ length: 5000 }, (_, i) => i) as never;
  await expect(countRow(executor, values)).rejects.toThrow(RangeError);
  // The thread lives on.
  expect((await countRow(executor, Uint8Array.of(1, 1))).count).toBe(1);
});

test("a small job starts no thread, and one worker is the caller", async () => {
  const executor = pool(2, 60_000);
  expect((await countRow(executor, Uint8Array.of(3, 3))).count).toBe(1);
  expect(threads(1)).toBe(inline);
});

test("closing rejects what is under way and refuses more", async () => {
  const executor = threads(2, { patience: 0 });
  const pending = countRow(executor, new Uint8Array(1000));
  const outcome = expect(pending).rejects.toThrow("closed before");
  await executor.close();
  await outcome;
  await expect(countRow(executor, Uint8Array.of(1))).rejects.toThrow("have been closed");
});

test("kept data is shared memory and is prepared once", () => {
  const executor = pool(2, 0);
  const kept = executor.keep({ xy: Float64Array.of(1, 2), name: "a" });
  expect(kept.value.xy.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect([...kept.value.xy]).toEqual([1, 2]);
  let made = 0;
  const prepare = ({ name }: { name: string }): string => `${name}${++made}`;
  expect(prepareOnce(kept, prepare)).toBe("a1");
  expect(prepareOnce(kept, prepare)).toBe("a1");
  expect(prepareOnce(executor.keep({ name: "b" }), prepare)).toBe("b2");
});

test("views are sent without the rest of their buffer", () => {
  const buffer = Float64Array.from({ length: 1000 }, (_, i) => i);
  const { part } = compact({ part: buffer.subarray(10, 12) });
  expect([...part]).toEqual([10, 11]);
  expect(part.buffer.byteLength).toBe(16);
  expect(share(part).buffer).toBeInstanceOf(SharedArrayBuffer);
});
