// @ts-check
/** Reads JSON that may be anything: what is of another type is not there. */

/** An object's members; null where it is no object. @param {unknown} value @returns {Record<string, unknown> | null} */
export const members = (value) =>
  (typeof value === 'object' && value !== null && !Array.isArray(value) ? /** @type {Record<string, unknown>} */ (value) : null);

/** A text; '' where it is none. @param {unknown} value */
export const text = (value) => (typeof value === 'string' ? value : '');

/** Some members as texts. @template {string} Name @param {unknown} value @param {...Name} names
 * @returns {Record<Name, string>} */
export const texts = (value, ...names) =>
  /** @type {Record<Name, string>} */ (Object.fromEntries(names.map((name) => [name, text(members(value)?.[name])])));

/** The objects of a list. @param {unknown} value */
export const list = (value) => (Array.isArray(value) ? value.map(members).filter((one) => one !== null) : []);

/** The members that are texts or null: fields and their values. @param {unknown} value @returns {Record<string, string | null>} */
export const values = (value) =>
  Object.fromEntries(Object.entries(members(value) ?? {}).flatMap(([name, one]) => (one === null || typeof one === 'string' ? [[name, one]] : [])));

/** What a text says as JSON; undefined where it is none. @param {string} written @returns {unknown} */
export function parsed(written) {
  try {
    return JSON.parse(written);
  } catch {
    return undefined;
  }
}
