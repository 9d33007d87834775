import { constants, existsSync, rmSync } from "node:fs";
import { chmod, copyFile, mkdtemp, open, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { GeoError } from "../model/errors.ts";
import { readError } from "./read-errors.ts";

/** A cell. Integers are `number` when safe, else `bigint`; some drivers always give `bigint`. */
export type SqlValue = number | bigint | string | Uint8Array | null;
export type SqlRow = Record<string, SqlValue>;

/** A statement that is run many times. */
export interface SqlStatement {
  run(params: readonly SqlValue[]): void;
  /** Must be called before the database is closed. */
  finalize(): void;
}

/** An open SQLite database: what GeoPackage needs of one, whichever engine runs below. Synchronous. */
export interface Sqlite {
  readonly driver: "node:sqlite" | "node-sqlite3-wasm";
  all(sql: string, params?: readonly SqlValue[]): SqlRow[];
  /** Rows one by one. A loop that ends early gives the statement back. */
  iterate(sql: string, params?: readonly SqlValue[]): IterableIterator<SqlRow>;
  run(sql: string, params?: readonly SqlValue[]): void;
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  /** Releases the file. May be called twice. */
  close(): Promise<void>;
}

export interface OpenSqliteOptions {
  /** Which engine; default `node:sqlite` where Node has it (22.13 and later), else WebAssembly. */
  readonly driver?: "node:sqlite" | "node-sqlite3-wasm" | undefined;
}

/**
 * Open a database for reading. The file and its folder are never written to, so read-only media work.
 *
 * A database in write-ahead mode, or one with changes that were never finished (`-wal`, `-journal` beside it),
 * is read from a private copy in the temporary folder: SQLite can only see those changes by writing.
 *
 * @throws GeoError `NOT_FOUND`, `UNREADABLE`, `INVALID_FORMAT`. Errors of later calls are plain `Error`s:
 * {@link sqliteError} turns them.
 */
export async function openSqlite(path: string, options: OpenSqliteOptions = {}): Promise<Sqlite> {
  const writeAhead = await checkHeader(path);
  const pending = (await hasBytes(`${path}-wal`)) || (await hasBytes(`${path}-journal`));
  const native = options.driver === "node-sqlite3-wasm" ? null : loadNative();
  const copied = writeAhead || pending;
  // The native engine locks inside the file's own descriptor and needs no folder to read a file as it is.
  const folder = copied || native === null ? await privateFolder() : null;
  const cleanUp = async (): Promise<void> => {
    if (folder !== null) await removeFolder(folder);
  };
  let database: Sqlite | null = null;
  try {
    const place =
      folder === null ? path : copied ? await copyInto(folder, path) : await linkInto(folder, path);
    database =
      native === null ? openWasm(place, !copied, cleanUp) : openNative(native, place, !copied, cleanUp);
    // Exclusive: needed for write-ahead mode without shared memory, and saves a lock per statement. Both only
    // concern the private copy or link.
    if (folder !== null) database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
    database.all("SELECT count(*) AS n FROM sqlite_master");
    return database;
  } catch (error) {
    await database?.close().catch(() => {});
    await cleanUp();
    throw sqliteError(path, readError(path, error));
  }
}

/**
 * Create a new database, for one writer and without a journal: a run that is killed leaves a file to throw away.
 * Always WebAssembly, so that the bytes are the same on every version of Node. `path` must not exist.
 */
export async function createSqlite(path: string): Promise<Sqlite> {
  await writeFile(path, "", { flag: "wx" });
  const folder = await privateFolder();
  try {
    const database = openWasm(await linkInto(folder, path), false, () => removeFolder(folder));
    database.exec(
      "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" +
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -16000; PRAGMA foreign_keys = OFF",
    );
    return database;
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
}

/** Name of the engine that {@link openSqlite} uses here. @throws Error when there is none. */
export async function sqliteDriver(): Promise<Sqlite["driver"]> {
  if (loadNative() !== null) return "node:sqlite";
  const { Database } = require("node-sqlite3-wasm") as WasmModule;
  new Database(":memory:").close();
  return "node-sqlite3-wasm";
}

/** What an engine throws while reading `path`, as `INVALID_FORMAT` or `UNREADABLE`; other errors unchanged. */
export function sqliteError(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof GeoError) return error;
  // RangeError: a size in the file that no buffer can have. RuntimeError: a trap in WebAssembly.
  const ofEngine =
    error.name === "SQLite3Error" ||
    (error as NodeJS.ErrnoException).code === "ERR_SQLITE_ERROR" ||
    error.name === "RuntimeError" ||
    error instanceof RangeError;
  if (!ofEngine) return error;
  // After a trap the memory of the engine may be inconsistent: the next database gets a fresh one.
  if (error.name === "RuntimeError") forgetWasm();
  if (/database (table )?is locked/.test(error.message)) {
    const reason = "another program has locked it";
    return new GeoError(
      "UNREADABLE",
      `${path} cannot be read: ${reason}`,
      { path, reason },
      { cause: error, hint: "Close the program that is writing to it, then run again." },
    );
  }
  return new GeoError(
    "INVALID_FORMAT",
    `${path} is a damaged SQLite database: ${error.message}`,
    { format: "GeoPackage", path },
    {
      cause: error,
      hint: "Copy or download it again, or save what is left with: sqlite3 FILE .recover | sqlite3 NEW.gpkg",
    },
  );
}

/** Name of a table or column inside SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Text inside SQL. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const MAGIC = "SQLite format 3\0";

/** Whether the header says write-ahead mode. @throws GeoError when it is not SQLite or is cut off. */
async function checkHeader(path: string): Promise<boolean> {
  let header: Buffer;
  let size: number;
  try {
    const file = await open(path, "r");
    try {
      size = (await file.stat()).size;
      header = Buffer.alloc(Math.min(100, size));
      await file.read(header, 0, header.length, 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw readError(path, error);
  }
  const fail = (finding: string): GeoError =>
    new GeoError(
      "INVALID_FORMAT",
      `${path} is not a usable GeoPackage: ${finding}`,
      { format: "GeoPackage", path, offset: 0 },
      { hint: "Copy or download the file again and compare its size with the original." },
    );
  if (size === 0) throw fail("it is empty (0 bytes)");
  if (header.length < 100 || header.toString("latin1", 0, 16) !== MAGIC) {
    throw fail("it does not begin with the 100-byte header of an SQLite database");
  }
  const stored = header.readUInt16BE(16);
  const pageSize = stored === 1 ? 65_536 : stored;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) throw fail(`its page size is ${pageSize}`);
  const pages = header.readUInt32BE(28);
  // The count is only meant when the two change counters agree (SQLite file format, section 1.3.7).
  if (
    header.readUInt32BE(24) === header.readUInt32BE(92) &&
    pages * pageSize > size &&
    !existsSync(`${path}-wal`)
  ) {
    throw fail(`it is truncated: ${pages} pages of ${pageSize} bytes expected, the file has ${size} bytes`);
  }
  return header[18] === 2 || header[19] === 2;
}

async function hasBytes(path: string): Promise<boolean> {
  return ((await stat(path).catch(() => null))?.size ?? 0) > 0;
}

/** Private folders of this process; removed when it exits. */
const folders = new Set<string>();
let watching = false;

async function privateFolder(): Promise<string> {
  const parent = tmpdir();
  const folder = await mkdtemp(join(parent, "tilth-")).catch((error: unknown) => {
    throw new GeoError(
      "OUTPUT_FAILED",
      `no folder can be made in ${parent}, which SQLite needs for its locks`,
      { path: parent, reason: String((error as NodeJS.ErrnoException).code) },
      { cause: error, hint: "Set TMPDIR to a folder that can be written to." },
    );
  });
  folders.add(folder);
  if (!watching) {
    watching = true;
    process.on("exit", () => {
      for (const left of folders) rmSync(left, { recursive: true, force: true });
    });
  }
  return folder;
}

async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** A copy of `path`, and of the changes beside it, that may be written to. */
async function copyInto(folder: string, path: string): Promise<string> {
  const copy = join(folder, "db");
  for (const suffix of ["", "-wal", "-journal"]) {
    if (suffix !== "" && !(await hasBytes(path + suffix))) continue;
    await copyFile(path + suffix, copy + suffix, constants.COPYFILE_FICLONE);
    await chmod(copy + suffix, 0o600);
  }
  return copy;
}

/**
 * A link to `path` in a private folder. The WebAssembly engine locks by making a folder beside the name that it
 * was given; this keeps that out of the user's folders. Where links are not allowed, the path itself.
 */
async function linkInto(folder: string, path: string): Promise<string> {
  const link = join(folder, "db");
  try {
    await symlink(resolve(path), link);
    return link;
  } catch {
    return path;
  }
}

// --- node:sqlite -----------------------------------------------------------------------------------------

/** The part of `node:sqlite` that is used; Node's own types come with a later Node than the oldest we support. */
interface NativeStatement {
  all(...params: SqlValue[]): SqlRow[];
  iterate(...params: SqlValue[]): IterableIterator<SqlRow>;
  run(...params: SqlValue[]): unknown;
  setReadBigInts(enabled: boolean): void;
}
interface NativeDatabase {
  prepare(sql: string): NativeStatement;
  exec(sql: string): void;
  close(): void;
}
interface NativeModule {
  DatabaseSync: new (path: string, options: { readOnly: boolean }) => NativeDatabase;
}

/** `node:sqlite` where it is there without a flag and knows `readOnly`: Node 22.13 and later. */
function loadNative(): NativeModule | null {
  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  if (major < 22 || (major === 22 && minor < 13)) return null;
  // Loading it prints a warning that it is experimental, which says nothing to a user of this library.
  const emitWarning = process.emitWarning;
  process.emitWarning = (() => {}) as typeof process.emitWarning;
  try {
    return (process.getBuiltinModule("node:sqlite") as unknown as NativeModule | undefined) ?? null;
  } catch {
    return null;
  } finally {
    process.emitWarning = emitWarning;
  }
}

function openNative(
  native: NativeModule,
  path: string,
  readOnly: boolean,
  cleanUp: () => Promise<void>,
): Sqlite {
  const database = new native.DatabaseSync(path, { readOnly });
  const prepare = (sql: string): NativeStatement => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement;
  };
  let open = true;
  return {
    driver: "node:sqlite",
    all: (sql, params = []) => prepare(sql).all(...params),
    iterate: (sql, params = []) => prepare(sql).iterate(...params),
    run: (sql, params = []) => {
      prepare(sql).run(...params);
    },
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      return {
        run: (params) => {
          statement.run(...params);
        },
        finalize() {},
      };
    },
    async close() {
      if (!open) return;
      open = false;
      database.close();
      await cleanUp();
    },
  };
}

// --- WebAssembly -----------------------------------------------------------------------------------------

type WasmModule = typeof import("node-sqlite3-wasm");

const require = createRequire(import.meta.url);

function forgetWasm(): void {
  delete require.cache[require.resolve("node-sqlite3-wasm")];
}

function openWasm(path: string, readOnly: boolean, cleanUp: () => Promise<void>): Sqlite {
  const { Database } = require("node-sqlite3-wasm") as WasmModule;
  const database = new Database(path, { readOnly, fileMustExist: true });
  let open = true;
  return {
    driver: "node-sqlite3-wasm",
    all: (sql, params = []) => database.all(sql, [...params]) as SqlRow[],
    *iterate(sql, params = []) {
      const statement = database.prepare(sql);
      try {
        yield* statement.iterate([...params]) as IterableIterator<SqlRow>;
      } finally {
        statement.finalize();
      }
    },
    run: (sql, params = []) => {
      database.run(sql, [...params]);
    },
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      return {
        run: (params) => {
          statement.run(params as SqlValue[]);
        },
        finalize: () => statement.finalize(),
      };
    },
    async close() {
      if (!open) return;
      open = false;
      try {
        database.close();
      } finally {
        await cleanUp();
      }
    },
  };
}
