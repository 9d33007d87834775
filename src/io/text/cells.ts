import { GeoError } from "../../model/errors.ts";

/** Cells that any file may have, whatever its size: a table of them takes a second or two to fill with nulls. */
const FREE_CELLS = 2e7;
/** Cells a byte of the file may stand for. Real files have less than one. */
const CELLS_PER_BYTE = 20;

/**
 * Refuse files whose table would be far larger than they are, such as ten thousand rows that each name a column of
 * their own.
 * @throws GeoError `LIMIT`
 */
export function checkCells(url: string, rows: number, columns: number, size: number): void {
  const allowed = Math.max(FREE_CELLS, CELLS_PER_BYTE * size);
  if (rows * columns <= allowed) return;
  throw new GeoError(
    "LIMIT",
    `${url} has ${rows} rows with ${columns} different attributes in ${size} bytes; nearly all cells would be empty`,
    { what: "cells of the table", needed: rows * columns, allowed, path: url },
    { hint: "Put values into one attribute instead of making each value a name of its own." },
  );
}
