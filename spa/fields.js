// @ts-check
/** The ten fields a person may change: groups, limits, what browsers need to know. */
import { countries, countryName, languageName } from './places.js';
import { has, t } from './words.js';

/** @import {Field, Values} from './types.js' */

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
  ['streetAddress', { limit: 1024, autocomplete: 'street-address', lines: true }],
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
  if (!value || isBlank(value) || (name === 'displayName' && isPlaceholder(value))) return '';
  const kind = FIELDS.get(name)?.kind;
  return kind === 'language' ? languageName(value) : kind === 'country' ? countryName(value) : value.replace(/\r\n?/g, '\n');
}

/** Whether nothing of a text is seen, as of Braille's empty pattern. @param {string} text */
const isBlank = (text) => /^[\s\p{Cc}\p{Default_Ignorable_Code_Point}\u2800]*$/u.test(text);

/** What Entra puts where a person gave no name. @param {string} name */
const isPlaceholder = (name) => /^\s*unknown\s*$/i.test(name);

/** What to call a person; '' where nobody knows. @param {Values | null} profile @param {{name: string} | null} user */
export const nameOf = (profile, user) =>
  [profile?.displayName, `${profile?.givenName ?? ''} ${profile?.surname ?? ''}`, user?.name]
    .map((name) => shown('displayName', name).trim()).find(Boolean) ?? '';

/** What is wrong with a value, as the server's code, or ''; the server has the last word.
 * @param {string} name @param {string | null} value */
export function fault(name, value) {
  const field = FIELDS.get(name);
  if (!field) return 'unknown_field';
  if (!value || isBlank(value)) return field.required ? 'required' : '';
  if (value.length > field.limit) return 'too_long';
  if (field.kind === 'language' && !isLanguage(value)) return 'invalid_value';
  if (field.kind === 'country' && countries().length && !countries().some((one) => one.value === value)) return 'invalid_value';
  return '';
}

/** The beginning of a language's name is no language, though it has the form of a tag. @param {string} value */
const isLanguage = (value) =>
  /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})+$/.test(value) || (/^[A-Za-z]{2,3}$/.test(value) && (!Intl.DisplayNames || languageName(value) !== value));

/** The sentence for a fault, the same at the field and in the summary.
 * @param {string} name @param {string} code @param {string | null} value @param {string} [detail] */
export function sentence(name, code, value, detail = '') {
  const own = `wrong.${code}.${name}`;
  const key = has(own) ? own : has(`wrong.${code}`) ? `wrong.${code}` : 'wrong.other';
  return t(key, { label: label(name), limit: FIELDS.get(name)?.limit ?? 0, length: value?.length ?? 0, detail });
}

/** What the person typed, as it is sent: outer space gone, what nobody sees becomes null. @param {string} text */
export const tidy = (text) => (isBlank(text) ? null : text.trim());
