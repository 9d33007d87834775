/**
 * Run `task` on every item, at most `limit` at a time. Results come in input order, so a fold over them
 * gives the same answer, to the last bit, whatever finishes first.
 */
export async function* mapConcurrent<I, O>(
  items: Iterable<I>,
  limit: number,
  task: (item: I) => Promise<O>,
): AsyncGenerator<O> {
  const running: Promise<O>[] = [];
  for (const item of items) {
    const started = task(item);
    started.catch(() => {}); // reported when its turn comes
    running.push(started);
    if (running.length >= limit) yield await running.shift()!;
  }
  while (running.length > 0) yield await running.shift()!;
}

/**
 * The same for items that are read one by one, such as the batches of a layer: the next is asked for while tasks are
 * running, so that reading and computing overlap.
 */
export async function* mapOrdered<I, O>(
  items: AsyncIterable<I>,
  limit: number,
  task: (item: I) => Promise<O>,
): AsyncGenerator<O> {
  const running: Promise<O>[] = [];
  for await (const item of items) {
    const started = task(item);
    started.catch(() => {}); // reported when its turn comes
    running.push(started);
    if (running.length >= limit) yield await running.shift()!;
  }
  while (running.length > 0) yield await running.shift()!;
}
