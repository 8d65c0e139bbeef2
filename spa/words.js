// @ts-check
/** Every sentence of the client comes through here, in the page's language. */
import { clock } from './clock.js';
import { localeOf, vocabulary } from './vocabulary.js';

/** @import {Catalogue} from './types.js' */

/** The languages there are, with their words. @type {Map<string, () => Promise<Catalogue>>} */
export const CATALOGUES = new Map([
  ['en', async () => (await import('./words/en.js')).english],
  ['de', async () => (await import('./words/de.js')).german],
]);
export const LANGUAGES = [...CATALOGUES.keys()];

const words = await vocabulary({ language: document.documentElement.lang, locale: localeOf(), catalogues: CATALOGUES, clock }).catch((error) => {
  // WebKit tells nobody of it; not-loaded.js may come later.
  clock.after(1000, () => reportError(new Error(error)));
  throw error;
});
export const LANGUAGE = words.language;
document.documentElement.lang = LANGUAGE;

export const { t, has, time, date, ago, span } = words;
