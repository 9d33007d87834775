/** A page, header or column that breaks the rules of Parquet. Turned into a `GeoError` where the file is known. */
export class DamagedPage extends Error {
  override readonly name = "DamagedPage";
}

/** Something Parquet allows and this library does not read. */
export class UnsupportedPage extends Error {
  override readonly name = "UnsupportedPage";
}
