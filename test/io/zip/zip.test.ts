import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import type { ByteSource } from "../../../src/io/bytes/source.ts";
import { openZip, zipFiles } from "../../../src/io/zip.ts";
import { isGeoError } from "../../../src/model/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "tilth-zip-"));
afterAll(() => rmSync(folder, { recursive: true }));

function source(bytes: Uint8Array): ByteSource {
  return {
    url: "test.zip",
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    close: () => Promise.resolve(),
  };
}

/** A zip archive of one file, written byte by byte so that it can lie about anything. */
function handmade(
  name: string,
  data: Uint8Array,
  lies: { size?: number; crc?: number; method?: number } = {},
) {
  const packed = deflateRawSync(data);
  const nameBytes = Buffer.from(name);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(0x800, 2);
  common.writeUInt16LE(lies.method ?? 8, 4);
  common.writeUInt16LE(0x21, 8);
  common.writeUInt32LE(lies.crc ?? crc(data), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(lies.size ?? data.length, 18);
  common.writeUInt16LE(nameBytes.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, nameBytes, packed]);
  const central = Buffer.concat([
    Buffer.from("PK\x01\x02\x14\x00", "latin1"),
    common,
    Buffer.alloc(14),
    nameBytes,
  ]);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return new Uint8Array(Buffer.concat([local, central, end]));
}

function crc(data: Uint8Array): number {
  let value = -1;
  for (const byte of data) {
    value ^= byte;
    for (let k = 0; k < 8; k++) value = (value >>> 1) ^ (0xedb88320 & -(value & 1));
  }
  return ~value >>> 0;
}

const HELLO = new TextEncoder().encode("hello hello hello");

describe("openZip", () => {
  test("lists and unpacks what zipFiles packed, and the same input gives the same archive", async () => {
    const inputs = [
      { name: "b/second.txt", data: new TextEncoder().encode("zwei") },
      { name: "first.txt", data: HELLO },
    ];
    await zipFiles(join(folder, "one.zip"), inputs);
    await zipFiles(join(folder, "two.zip"), inputs);
    const bytes = new Uint8Array(readFileSync(join(folder, "one.zip")));
    expect(bytes).toEqual(new Uint8Array(readFileSync(join(folder, "two.zip"))));
    const archive = await openZip(source(bytes));
    expect(archive.entries.map(({ name, size }) => [name, size])).toEqual([
      ["b/second.txt", 4],
      ["first.txt", 17],
    ]);
    expect(await archive.read("first.txt")).toEqual(HELLO);
    await expect(archive.read("absent")).rejects.toSatisfy((e) => isGeoError(e, "NOT_FOUND"));
  });

  test("packs files from disk", async () => {
    writeFileSync(join(folder, "disk.txt"), HELLO);
    await zipFiles(join(folder, "disk.zip"), [{ name: "disk.txt", path: join(folder, "disk.txt") }]);
    const archive = await openZip(source(new Uint8Array(readFileSync(join(folder, "disk.zip")))));
    expect(await archive.read("disk.txt")).toEqual(HELLO);
  });

  test("a file missing on disk fails the packing", async () => {
    const missing = zipFiles(join(folder, "missing.zip"), [{ name: "x", path: join(folder, "absent") }]);
    await expect(missing).rejects.toThrow();
  });

  test.each(["../up.txt", "/etc/passwd", "a/../../b", "C:/x", "a\\b"])(
    "refuses the name %s",
    async (name) => {
      await expect(openZip(source(handmade(name, HELLO)))).rejects.toThrow(/leaves its folder/);
    },
  );

  test("reads the archive the refusals are made of when its name is honest", async () => {
    const archive = await openZip(source(handmade("a..b/ok.txt", HELLO)));
    expect(await archive.read("a..b/ok.txt")).toEqual(HELLO);
  });

  test("refuses sizes that Deflate cannot reach, bombs, wrong sizes and wrong checksums", async () => {
    const claim = openZip(source(handmade("a", HELLO, { size: 2 ** 31 })));
    await expect(claim).rejects.toSatisfy((e) => isGeoError(e, "INVALID_FORMAT"));
    const bomb = await openZip(source(handmade("a", new Uint8Array(2 ** 26 + 1))));
    await expect(bomb.read("a")).rejects.toSatisfy((e) => isGeoError(e, "LIMIT"));
    for (const lies of [{ size: 16 }, { size: 18 }, { crc: 1 }]) {
      const archive = await openZip(source(handmade("a", HELLO, lies)));
      await expect(archive.read("a")).rejects.toSatisfy((e) => isGeoError(e, "INVALID_FORMAT"));
    }
    const odd = await openZip(source(handmade("a", HELLO, { method: 14 })));
    await expect(odd.read("a")).rejects.toSatisfy((e) => isGeoError(e, "UNSUPPORTED"));
  });

  test("refuses what is not a zip archive, and every truncation of one", async () => {
    const whole = handmade("a", HELLO);
    for (let length = 0; length < whole.length; length++) {
      await expect(openZip(source(whole.slice(0, length)))).rejects.toSatisfy((e) => isGeoError(e));
    }
  });
});
