// @ts-check
/**
 * The ten fields a person may change: groups, limits, what browsers need to know. Their words are in the catalogue.
 *
 *   for (const {id, fields} of GROUPS) …   FIELDS.get('city').limit   fault('displayName', '') // 'required'
 */
import { countryName, languageName } from './places.js';
import { has, t } from './words.js';

/** @import {Field} from './types.js' */

export const GROUPS = [
  { id: 'name', fields: ['displayName', 'givenName', 'surname'] },
  { id: 'work', fields: ['jobTitle'] },
  { id: 'address', fields: ['streetAddress', 'city', 'state', 'postalCode', 'country'] },
  { id: 'language', fields: ['preferredLanguage'] },
];

/** Limits in UTF-16 units, as the directory counts. @type {Map<string, Field>} */
export const FIELDS = new Map([
  ['displayName', { limit: 256, required: true, autocomplete: 'name' }],
  ['givenName', { limit: 64, autocomplete: 'given-name' }],
  ['surname', { limit: 64, autocomplete: 'family-name' }],
  ['jobTitle', { limit: 128, autocomplete: 'organization-title' }],
  ['streetAddress', { limit: 1024, autocomplete: 'street-address' }],
  ['city', { limit: 128, autocomplete: 'address-level2' }],
  ['state', { limit: 128, autocomplete: 'address-level1' }],
  ['postalCode', { limit: 40, autocomplete: 'postal-code', narrow: true }],
  ['country', { limit: 128, autocomplete: 'country-name', kind: 'country' }],
  ['preferredLanguage', { limit: 35, autocomplete: 'language', kind: 'language' }],
]);

/** @param {string} name */
export const label = (name) => (has(`field.${name}`) ? t(`field.${name}`) : name);

/** A value as people read it. @param {string} name @param {string | null | undefined} value */
export function shown(name, value) {
  if (!value) return '';
  const kind = FIELDS.get(name)?.kind;
  return kind === 'language' ? languageName(value) : kind === 'country' ? countryName(value) : value;
}

/** What is wrong with a value, as the server's own code, or ''. The server checks again, and has the last word.
 * @param {string} name @param {string | null} value */
export function fault(name, value) {
  const field = FIELDS.get(name);
  if (!field) return 'unknown_field';
  if (!value) return field.required ? 'required' : '';
  if (value.length > field.limit) return 'too_long';
  if (field.kind === 'language' && !/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(value)) return 'invalid_value';
  return '';
}

/** The sentence for a fault, the same at the field and in the summary.
 * @param {string} name @param {string} code @param {string | null} value @param {string} [detail] */
export function sentence(name, code, value, detail = '') {
  const own = `wrong.${code}.${name}`;
  const key = has(own) ? own : has(`wrong.${code}`) ? `wrong.${code}` : 'wrong.other';
  return t(key, { label: label(name), limit: FIELDS.get(name)?.limit ?? 0, length: value?.length ?? 0, detail });
}

/** What the person typed, as it is sent: outer space gone, '' becomes null. @param {string} text */
export const tidy = (text) => text.trim() || null;
