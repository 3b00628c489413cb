// What the kit itself has to say to the author of a test.

/** The test, or the saga's code, is not as it must be; the message says where and what to do. */
export class TestkitError extends Error {
  override readonly name = 'TestkitError'
}
