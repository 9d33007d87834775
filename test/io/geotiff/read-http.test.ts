import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBytes } from "../../../src/io/bytes/open.ts";
import { openGeoTiff } from "../../../src/io/geotiff/read.ts";
import { describeShared, shared } from "../../helpers/shared.ts";

describeShared("a COG on a server", () => {
  const path = shared("conformance/geotiff/files/cog_deflate.tif");
  let server: Server;
  let url: string;
  const asked: [number, number][] = [];

  beforeAll(async () => {
    const content = readFileSync(path);
    server = createServer((request, response) => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/
        .exec(request.headers.range ?? "")!
        .map(Number) as number[];
      const end = Math.min(last!, content.length - 1);
      asked.push([first!, end + 1 - first!]);
      response.writeHead(206, { "content-range": `bytes ${first}-${end}/${content.length}` });
      response.end(content.subarray(first!, end + 1));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cog.tif`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test("opens with one request and reads a row of tiles with one more", async () => {
    const source = await openGeoTiff(await openBytes(url));
    expect(asked).toEqual([[0, 65_536]]);
    const local = await openGeoTiff(await openBytes(path));
    const window = { col: 0, row: 384, width: 700, height: 128 };
    const [remote, here] = [await source.read(window), await local.read(window)];
    expect(asked.length).toBeLessThanOrEqual(2);
    expect(remote.bands[0]).toEqual(here.bands[0]);
    const small = source.overview(2);
    expect((await small.read({ col: 0, row: 0, width: 87, height: 66 })).bands[0]).toHaveLength(87 * 66);
    await local.close();
    await source.close();
  });

  test("asks for the bytes of the tiles that a window meets, and little more", async () => {
    const source = await openGeoTiff(await openBytes(url));
    const stored = (await source.tileBytes(0, 0, 1, 1))!.length;
    asked.length = 0;
    await source.read({ col: 130, row: 130, width: 10, height: 10 });
    const bytes = asked.reduce((sum, [, length]) => sum + length, 0);
    expect(bytes).toBe(stored);
    await source.read({ col: 140, row: 140, width: 50, height: 50 });
    expect(asked).toHaveLength(1); // the tile is still there
    await source.close();
  });
});
