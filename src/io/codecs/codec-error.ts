/**
 * What a decoder throws when its input is damaged: a reason in words, without the name of the file, which the
 * reader adds.
 */
export class CodecError extends Error {
  override readonly name = "CodecError";
  /** True when the data may be sound but uses a variant that is not decoded here. */
  readonly unsupported: boolean;

  constructor(message: string, options: { unsupported?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.unsupported = options.unsupported ?? false;
  }
}

/** The same complaint in the same words for every codec. */
export function tooShort(codec: string, found: number, expected: number): CodecError {
  return new CodecError(`${codec} data ends after ${found} of ${expected} bytes`);
}
