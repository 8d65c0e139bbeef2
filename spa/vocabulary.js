// @ts-check
/** A language's words: sentences with {holes}, or their plural forms by {n}; dates and numbers from Intl. */
import { pause } from './clock.js';

/** @import {VocabularyWorld} from './types.js' */

/** Takes up a language; English where its words can't be fetched. @param {VocabularyWorld} world */
export async function vocabulary({ language: wanted, locale, catalogues, clock }) {
  const ask = async () => catalogues.get(wanted)?.();
  const twice = () => ask().catch(() => pause(clock, 1000).then(ask)).catch(() => undefined);
  const words = wanted === 'en' ? undefined : await Promise.race([twice(), pause(clock, 10_000)]);
  const catalogue = new Map(Object.entries(words ?? (await catalogues.get('en')?.()) ?? {}));
  const language = words ? wanted : 'en';

  // The person's own habits for times (24 hours or am/pm), where the language is the same.
  const region = locale.startsWith(`${language}-`) && isTag(locale) ? locale : language;
  const plural = new Intl.PluralRules(language);
  const hours = new Intl.DateTimeFormat(region, { hour: 'numeric', minute: '2-digit' });
  const full = new Intl.DateTimeFormat(region, { dateStyle: 'long', timeStyle: 'short' });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });

  /** @param {string} key @param {Record<string, string | number>} [values] @returns {string} */
  function t(key, values = {}) {
    const entry = catalogue.get(key);
    if (entry === undefined) return key;
    const sentence = typeof entry === 'string' ? entry : (entry[plural.select(Number(values.n))] ?? entry.other ?? '');
    return sentence.replace(/\{(\w+)\}/g, (hole, name) => String(values[name] ?? hole));
  }

  /** Whether there are words under this key. @param {string} key */
  const has = (key) => catalogue.has(key);

  /** @param {Date | number} moment */
  const time = (moment) => hours.format(moment);

  /** '' for what is no moment, as a claim may hold any number. @param {Date | number} moment */
  const date = (moment) => (Number.isNaN(new Date(moment).getTime()) ? '' : full.format(moment));

  /** How long ago, in words; '' for what is no moment. @param {number} moment @param {number} now */
  function ago(moment, now) {
    const seconds = Math.round((moment - now) / 1000);
    if (Number.isNaN(seconds)) return '';
    if (Math.abs(seconds) < 60) return t('just.now');
    if (Math.abs(seconds) < 3570) return relative.format(Math.round(seconds / 60), 'minute');
    if (Math.abs(seconds) < 84_600) return relative.format(Math.round(seconds / 3600), 'hour');
    return relative.format(Math.round(seconds / 86_400), 'day');
  }

  /** A length of time in words: minutes from two minutes on, else seconds. @param {number} seconds */
  const span = (seconds) =>
    (seconds >= 120 ? t('span.minutes', { n: Math.round(seconds / 60) }) : t('span.seconds', { n: Math.max(0, Math.round(seconds)) }));

  return { language, t, has, time, date, ago, span };
}

/** The browser's language; '' where it keeps that to itself.
 * @param {Pick<Navigator, 'language'>} [browser] */
export function localeOf(browser = navigator) {
  try {
    return String(browser.language ?? '');
  } catch {
    return '';
  }
}

/** Whether Intl takes a text for a language tag, unlike a C locale's.
 * @param {string} text */
export function isTag(text) {
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false;
  }
}
