import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { openHttp } from "../../../src/io/bytes/http.ts";
import { openBytes } from "../../../src/io/bytes/open.ts";

const content = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that hands each request to `answer` with the range it asked for. Returns its address. */
async function serve(
  answer: (range: [number, number], response: ServerResponse, request: IncomingMessage) => void,
): Promise<string> {
  server = createServer((request, response) => {
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    answer([Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)], response, request);
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/some.tif`;
}

function partial(
  [first, last]: [number, number],
  response: ServerResponse,
  from: Uint8Array = content,
): void {
  const end = Math.min(last, from.length - 1);
  response.writeHead(206, { "content-range": `bytes ${first}-${end}/${from.length}`, etag: '"1"' });
  response.end(from.subarray(first, end + 1));
}

describe("bytes over http", () => {
  test("are read by range, the first 64 KiB with the opening request", async () => {
    const asked: number[] = [];
    const url = await serve((range, response) => {
      asked.push(range[0]);
      partial(range, response);
    });
    const source = await openBytes(url);
    expect(source.size).toBe(200_000);
    expect(Buffer.compare(await source.read(10, 60_000), content.subarray(10, 60_010))).toBe(0);
    expect(asked).toEqual([0]);
    expect(Buffer.compare(await source.read(60_000, 50_000), content.subarray(60_000, 110_000))).toBe(0);
    expect(await source.read(199_990, 100)).toHaveLength(10);
    expect(asked).toEqual([0, 60_000, 199_990]);
    await source.close();
  });

  test("are asked for again after 429 and 503, and after a broken connection", async () => {
    let requests = 0;
    const url = await serve((range, response) => {
      requests++;
      if (requests === 1) response.writeHead(503).end();
      else if (requests === 2) response.writeHead(429, { "retry-after": "0" }).end();
      else if (requests === 3) response.destroy();
      else partial(range, response);
    });
    const source = await openHttp(url, { backoff: 1 });
    expect(source.size).toBe(200_000);
    expect(requests).toBe(4);
  });

  test("end in REMOTE when the server goes on failing", async () => {
    const url = await serve((_, response) => response.writeHead(500).end());
    await expect(openHttp(url, { backoff: 1, retries: 2 })).rejects.toMatchObject({
      code: "REMOTE",
      details: { status: 500 },
    });
  });

  test("end in REMOTE when no answer comes in time", async () => {
    const url = await serve(() => {});
    await expect(openHttp(url, { retries: 0, timeout: 50 })).rejects.toThrow(/no answer in time/);
  });

  test("that are not there are NOT_FOUND, at once", async () => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests++;
      response.writeHead(404).end();
    });
    await expect(openHttp(url)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(requests).toBe(1);
  });

  test("of a server without ranges are refused, unless the file is small", async () => {
    const whole = await serve((_, response) => response.writeHead(200).end(content));
    await expect(openHttp(whole)).rejects.toThrow(/ignores range requests/);
    server!.close();
    const small = await serve((_, response) => response.writeHead(200).end(content.subarray(0, 1000)));
    const source = await openHttp(small);
    expect(source.size).toBe(1000);
    expect(Buffer.compare(await source.read(500, 1000), content.subarray(500, 1000))).toBe(0);
  });

  test("of a server without ranges are no Buffers either", async () => {
    const url = await serve((_, response) => response.writeHead(200).end(content.subarray(0, 5000)));
    const source = await openBytes(url);
    expect((await source.read(100, 10)).slice().buffer.byteLength).toBe(10);
    await source.close();
  });

  test("of a file that changes meanwhile are not mixed", async () => {
    let requests = 0;
    const url = await serve((range, response) => {
      if (requests++ > 0) response.setHeader("x", "1");
      response.writeHead(206, { "content-range": `bytes 0-1/200000`, etag: `"${requests}"` });
      response.end(content.subarray(range[0], range[1] + 1));
    });
    const source = await openHttp(url);
    await expect(source.read(100_000, 10)).rejects.toThrow(/changed while it was being read/);
  });

  test("stop when the signal fires", async () => {
    let requests = 0;
    const url = await serve((range, response) => {
      if (requests++ === 0) partial(range, response);
    });
    const source = await openHttp(url);
    const stop = new AbortController();
    const pending = source.read(100_000, 10, stop.signal);
    stop.abort(new Error("enough"));
    await expect(pending).rejects.toThrow("enough");
  });
});
