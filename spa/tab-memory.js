// @ts-check
/** Texts kept over a reload; as long as the page, where storage is blocked or full. */

/** @import {TabMemory, TabStorage} from './types.js' */

/** @param {() => TabStorage} storage raises where it is blocked @returns {TabMemory} */
export function tabMemory(storage) {
  /** @type {Map<string, string>} */
  const refused = new Map();
  return {
    get(key) {
      try {
        return refused.get(key) ?? storage().getItem(key);
      } catch {
        return null;
      }
    },
    set(key, text) {
      try {
        storage().setItem(key, text);
        refused.delete(key);
      } catch {
        refused.set(key, text);
      }
      return !refused.has(key);
    },
    remove(key) {
      refused.delete(key);
      try {
        storage().removeItem(key);
      } catch {
        // Blocked.
      }
    },
  };
}

export const tab = tabMemory(() => sessionStorage);
