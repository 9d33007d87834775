import { setTimeout as wait } from "node:timers/promises";
import { GeoError } from "../../model/errors.ts";
import { plainBytes } from "./plain.ts";
import type { ByteSource } from "./source.ts";

export interface HttpOptions {
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Sent with every request, for example `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Times a request is repeated after 429, a 5xx or a broken connection; default 4. */
  readonly retries?: number | undefined;
  /** Milliseconds before the first repetition, doubled each time; default 250. */
  readonly backoff?: number | undefined;
  /** Milliseconds a single request may take; default 30,000. */
  readonly timeout?: number | undefined;
}

/** Bytes fetched when opening: the headers of most files, so that opening takes one request. */
const HEAD_BYTES = 65_536;

/**
 * A file on a server that answers range requests. Opening fetches its first 64 KiB, which tells the size and is
 * kept; later reads inside it cost no request.
 *
 * @throws GeoError `NOT_FOUND` (404, 410), `REMOTE` (other answers, time-outs), `UNSUPPORTED` when the server
 * ignores ranges and the file is longer than what opening fetches.
 */
export async function openHttp(url: string, options: HttpOptions = {}): Promise<ByteSource> {
  const source = new HttpSource(url, options);
  await source.open();
  return source;
}

class HttpSource implements ByteSource {
  readonly url: string;
  readonly #fetch: typeof globalThis.fetch;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #retries: number;
  readonly #backoff: number;
  readonly #timeout: number;
  #size = 0;
  /** Identity of the file, so that one that changes under our reads is noticed. */
  #etag: string | null = null;
  #head: Uint8Array = new Uint8Array(0);

  constructor(url: string, options: HttpOptions) {
    this.url = url;
    this.#fetch = options.fetch ?? globalThis.fetch;
    this.#headers = options.headers ?? {};
    this.#retries = options.retries ?? 4;
    this.#backoff = options.backoff ?? 250;
    this.#timeout = options.timeout ?? 30_000;
  }

  get size(): number {
    return this.#size;
  }

  async open(): Promise<void> {
    await this.#request(0, HEAD_BYTES, undefined, async (response) => {
      if (response.status === 416) return; // an empty file has no first byte
      if (response.status === 200) {
        this.#head = await wholeIfSmall(response, this.url);
        this.#size = this.#head.length;
        return;
      }
      const total = /\/(\d+)\s*$/.exec(response.headers.get("content-range") ?? "")?.[1];
      if (total === undefined)
        throw remote(this.url, response.status, "it did not say how long the file is (Content-Range)");
      this.#size = Number(total);
      this.#etag = response.headers.get("etag");
      this.#head = await bodyOf(response, Math.min(HEAD_BYTES, this.#size), this.url);
    });
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const wanted = Math.min(length, this.#size - offset);
    if (!(wanted > 0)) return new Uint8Array(0);
    if (offset + wanted <= this.#head.length) return this.#head.subarray(offset, offset + wanted);
    return await this.#request(offset, wanted, signal, async (response) => {
      if (response.status !== 206) throw ignoresRanges(this.url);
      const etag = response.headers.get("etag");
      if (this.#etag !== null && etag !== null && etag !== this.#etag)
        throw remote(this.url, 206, "the file changed while it was being read");
      return await bodyOf(response, wanted, this.url);
    });
  }

  async close(): Promise<void> {
    this.#head = new Uint8Array(0);
  }

  async #request<T>(
    offset: number,
    length: number,
    signal: AbortSignal | undefined,
    use: (response: Response) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      let retryAfter = 0;
      let failure: unknown;
      try {
        const limit = AbortSignal.timeout(this.#timeout);
        const response = await this.#fetch(this.url, {
          headers: { ...this.#headers, range: `bytes=${offset}-${offset + length - 1}` },
          signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        });
        if (response.ok || (response.status === 416 && offset === 0)) return await use(response);
        await response.body?.cancel();
        failure = badAnswer(this.url, response.status);
        if (response.status !== 429 && response.status < 500) throw failure;
        retryAfter = Math.min(10, Number(response.headers.get("retry-after")) || 0) * 1000;
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof GeoError) throw error;
        failure = brokenConnection(this.url, error);
      }
      if (attempt >= this.#retries) throw failure;
      await wait(Math.max(retryAfter, this.#backoff * 2 ** attempt), undefined, { signal });
    }
  }
}

/** The body of a range answer: exactly `length` bytes, or a connection that broke. */
async function bodyOf(response: Response, length: number, url: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    if (at + chunk.length > length)
      throw remote(url, response.status, `it sent more than the ${length} bytes asked for`);
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at < length) throw new Error(`connection ended after ${at} of ${length} bytes`);
  return bytes;
}

/** A server without ranges is fine for a file no longer than what opening fetches anyway. */
async function wholeIfSmall(response: Response, url: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > HEAD_BYTES) throw ignoresRanges(url);
    chunks.push(chunk);
  }
  return plainBytes(Buffer.concat(chunks, length));
}

function ignoresRanges(url: string): GeoError {
  return new GeoError(
    "UNSUPPORTED",
    `${url}: the server ignores range requests (it answered 200 with the whole file, expected 206)`,
    { feature: "servers without HTTP range requests", path: url },
    { hint: "Download the file first and pass the local path." },
  );
}

function badAnswer(url: string, status: number): GeoError {
  if (status === 404 || status === 410) {
    return new GeoError(
      "NOT_FOUND",
      `${url} does not exist (the server answered ${status})`,
      { path: url },
      { hint: "Check the address." },
    );
  }
  const hint =
    status === 401 || status === 403
      ? "The file needs a login or a signed address."
      : "Try again later, or download the file first and pass the local path.";
  return new GeoError(
    "REMOTE",
    `${url}: the server answered ${status}`,
    { service: "http", status, url },
    { hint },
  );
}

function remote(url: string, status: number, what: string): GeoError {
  return new GeoError(
    "REMOTE",
    `${url}: ${what}`,
    { service: "http", status, url },
    { hint: "Download the file first and pass the local path." },
  );
}

function brokenConnection(url: string, error: unknown): GeoError {
  const { name, message, cause } = error as { name?: string; message?: string; cause?: { message?: string } };
  const reason = name === "TimeoutError" ? "no answer in time" : (cause?.message ?? message ?? String(error));
  return new GeoError(
    "REMOTE",
    `${url} cannot be reached: ${reason}`,
    { service: "http", status: 0, url },
    { cause: error, hint: "Check the address and the network, or download the file first." },
  );
}
