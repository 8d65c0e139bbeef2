/** Storage as browsers have it: working, blocked, or full. */

/** @param {Record<string, string>} [before] */
export function storage(before = {}) {
  const texts = new Map(Object.entries(before));
  return {
    getItem: (/** @type {string} */ key) => texts.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ text) => void texts.set(key, text),
    removeItem: (/** @type {string} */ key) => void texts.delete(key),
    texts,
  };
}

/** The property itself raises, as where cookies are blocked. @returns {never} */
export function blocked() {
  throw new DOMException('The operation is insecure.', 'SecurityError');
}

/** Takes nothing new, and keeps what it has. @param {Record<string, string>} [before] */
export function full(before = {}) {
  return {
    ...storage(before),
    setItem: () => {
      throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    },
  };
}
