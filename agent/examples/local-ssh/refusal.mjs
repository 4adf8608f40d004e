/** What an action throws to be answered with `success:false`: one sentence, and the class that the agent acts on. */

/** @typedef {'transient' | 'permanent' | 'capacity' | 'configuration'} ErrorClass */

export class Refusal extends Error {
  /**
   * @param {ErrorClass} errorClass
   * @param {string} message
   */
  constructor(errorClass, message) {
    super(message);
    this.errorClass = errorClass;
  }
}

/**
 * The code of a system error, e.g. `ENOENT`.
 * @param {unknown} error
 */
export function codeOf(error) {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
