// @ts-check
/**
 * Every sentence of the client comes from a catalogue through here, in the page's language; dates and numbers come
 * from Intl. What a catalogue lacks is English.
 *
 *   t('edit.count', {n: 2})  // '2 changes'
 *   time(new Date())         // '10:42'
 *
 * A catalogue value is a sentence with {holes}, or an object of plural forms chosen by {n}.
 */
import { english } from './words/en.js';

/** @typedef {Record<string, string | Record<string, string>>} Catalogue */

/** The languages there are, with where the words of each come from. @type {Map<string, () => Promise<Catalogue>>} */
const CATALOGUES = new Map([
  ['en', async () => ({})],
  ['de', async () => (await import('./words/de.js')).german],
]);
export const LANGUAGES = [...CATALOGUES.keys()];

/** @type {Map<string, string | Record<string, string>>} */
const catalogue = new Map(Object.entries(english));
export const LANGUAGE = await speak(document.documentElement.lang);
const plural = new Intl.PluralRules(LANGUAGE);

/** Takes up a language; English where its words can't be fetched. @param {string} language */
async function speak(language) {
  try {
    const words = await CATALOGUES.get(language)?.();
    if (!words) throw new TypeError(`no words in ${language}`);
    for (const [key, entry] of Object.entries(words)) catalogue.set(key, entry);
    return language;
  } catch {
    document.documentElement.lang = 'en';
    return 'en';
  }
}

/** @param {string} key @param {Record<string, string | number>} [values] @returns {string} */
export function t(key, values = {}) {
  const entry = catalogue.get(key);
  if (entry === undefined) return key;
  const sentence = typeof entry === 'string' ? entry : (entry[plural.select(Number(values.n))] ?? entry.other ?? '');
  return sentence.replace(/\{(\w+)\}/g, (hole, name) => String(values[name] ?? hole));
}

/** Whether there are words under this key. @param {string} key */
export const has = (key) => catalogue.has(key);

// The person's own regional habits for times (24 hours or am/pm), in the language of the page where they differ.
const region = navigator.language?.startsWith(LANGUAGE) ? navigator.language : LANGUAGE;
const clock = new Intl.DateTimeFormat(region, { hour: 'numeric', minute: '2-digit' });
const full = new Intl.DateTimeFormat(region, { dateStyle: 'long', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: 'auto' });

/** @param {Date | number} moment */
export const time = (moment) => clock.format(moment);

/** @param {Date | number} moment */
export const date = (moment) => full.format(moment);

/** How long ago, in words. @param {number} moment @param {number} now */
export function ago(moment, now) {
  const seconds = Math.round((moment - now) / 1000);
  if (Math.abs(seconds) < 60) return t('just.now');
  if (Math.abs(seconds) < 3570) return relative.format(Math.round(seconds / 60), 'minute');
  if (Math.abs(seconds) < 84_600) return relative.format(Math.round(seconds / 3600), 'hour');
  return relative.format(Math.round(seconds / 86_400), 'day');
}

/** A length of time in words: minutes from two minutes on, else seconds. @param {number} seconds */
export const span = (seconds) =>
  seconds >= 120 ? t('span.minutes', { n: Math.round(seconds / 60) }) : t('span.seconds', { n: Math.max(0, Math.round(seconds)) });
