// @ts-check
/**
 * Countries and languages by their real names, from the browser's own data; nothing is fetched.
 *
 *   countries()               // [{value: 'Austria', label: 'Austria', note: 'Österreich', search: …}, …]
 *   countryName('Austria')    // 'Österreich', on a German page
 *   languageName('en-GB')     // 'English (United Kingdom)'
 *
 * A country's value is its English name, as the directory keeps it, whatever the page's language; a language's value
 * is its tag.
 */
import { isTag, localeOf } from './vocabulary.js';
import { LANGUAGE } from './words.js';

/** @import {Choice} from './types.js' */

/** ISO 3166-1 and XK: a first letter with every second one. */
const REGIONS =
  'ADEFGILMOQRSTUWXZ BABDEFGHIJLMNOQRSTVWYZ CACDFGHIKLMNORUVWXYZ DEJKMOZ ECEGHRST FIJKMOR GABDEFGHILMNPQRSTUWY ' +
  'HKMNRTU IDELMNOQRST JEMOP KEGHIMNPRWYZ LABCIKRSTUVY MACDEFGHKLMNOPQRSTUVWXYZ NACEFGILOPRUZ OM PAEFGHKLMNRSTWY ' +
  'QA REOSUW SABCDEGHIJKLMNORSTVXYZ TCDFGHJKLMNORTVWZ UAGMSYZ VACEGINU WFS XK YET ZAMW';

const TAGS =
  'af-ZA am-ET ar-AE ar-EG ar-MA ar-SA az-AZ be-BY bg-BG bn-BD bn-IN bs-BA ca-ES cs-CZ cy-GB da-DK de-AT de-CH de-DE el-GR ' +
  'en-AU en-CA en-GB en-IE en-IN en-NZ en-SG en-US en-ZA es-AR es-CL es-CO es-ES es-MX es-PE es-US et-EE eu-ES fa-IR fi-FI ' +
  'fil-PH fr-BE fr-CA fr-CH fr-FR ga-IE gl-ES gu-IN he-IL hi-IN hr-HR hu-HU hy-AM id-ID ig-NG is-IS it-CH it-IT ja-JP ka-GE ' +
  'kk-KZ km-KH kn-IN ko-KR ky-KG lb-LU lo-LA lt-LT lv-LV mi-NZ mk-MK ml-IN mn-MN mr-IN ms-MY mt-MT my-MM nb-NO ne-NP nl-BE ' +
  'nl-NL nn-NO pa-IN pl-PL ps-AF pt-BR pt-PT ro-RO ru-RU rw-RW si-LK sk-SK sl-SI so-SO sq-AL sr-Cyrl-RS sr-Latn-RS sv-FI ' +
  'sv-SE sw-KE sw-TZ ta-IN te-IN th-TH ti-ET tk-TM tr-TR uk-UA ur-PK uz-UZ vi-VN xh-ZA yo-NG zh-CN zh-HK zh-TW zu-ZA';

/** Letters without their marks, small, and words by one space: what a search compares. In no language's own way: Turkish
 * would make I another letter than i. @param {string} text */
export const plain = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ').trim();

/** What is offered for what was typed: what begins with it comes before what only contains it.
 * @param {Choice[]} choices @param {string} typed */
export function offers(choices, typed) {
  const words = plain(typed);
  const found = choices.filter((one) => one.search.includes(words));
  return words ? found.sort((a, b) => Number(b.search.startsWith(words)) - Number(a.search.startsWith(words))) : found;
}

/** Shorter, and it may be a code. */
const SHORTEST = 3;

/** The one choice that was typed: by one of its names or its code, or by the beginning or a part that no other has.
 * @param {Choice[]} choices @param {string} typed @returns {Choice | undefined} */
export function only(choices, typed) {
  const words = plain(typed);
  if (!words) return undefined;
  /** @param {(name: string) => boolean} fits */
  const having = (fits) => choices.filter((one) => one.search.split('|').some(fits));
  const [one, another] = [
    choices.filter(({ label }) => plain(label) === words),
    having((name) => name === words),
    ...(words.length < SHORTEST ? [] : [having((name) => name.startsWith(words)), having((name) => name.includes(words))]),
  ].find(({ length }) => length > 0) ?? [];
  return another ? undefined : one;
}

/** The value of the choice that was typed in full; what was typed, where it is none.
 * @param {Choice[]} choices @param {string} typed */
export function meant(choices, typed) {
  const one = only(choices, typed);
  return one?.search.split('|').includes(plain(typed)) ? one.value : typed;
}

/** @param {string} value @param {string} label @param {string} own @param {string} noteLanguage @param {string} code @returns {Choice} */
function choice(value, label, own, noteLanguage, code) {
  const note = plain(own) === plain(label) ? '' : own;
  return { value, label, note, noteLanguage, search: [label, own, ...code.split('|')].map(plain).join('|') };
}

/** The names in one language. @param {{language: string, locale: string}} person `language` is the page's, `locale` what
 * the browser calls the person's own */
export function places({ language, locale }) {
  /** @param {string} tag */
  const languagesIn = (tag) => new Intl.DisplayNames([tag], { type: 'language', languageDisplay: 'standard' });
  /** @type {Intl.DisplayNames | undefined} */
  let languages;

  /** @param {Choice[]} list */
  const sorted = (list) => list.sort((a, b) => a.label.localeCompare(b.label, language));

  /** @type {Choice[] | undefined} */
  let countryList;
  /** Countries, with their name in the person's own language as a note. */
  function countries() {
    try {
      return (countryList ??= everyCountry());
    } catch {
      return []; // A browser without such names: anything may be typed.
    }
  }

  function everyCountry() {
    const regions = new Intl.DisplayNames([language], { type: 'region' });
    const kept = new Intl.DisplayNames(['en'], { type: 'region' });
    const mine = new Intl.DisplayNames(isTag(locale) ? [locale, language] : [language], { type: 'region' });
    return sorted(
      REGIONS.split(' ').flatMap(([first, ...others]) => others.map((second) => `${first}${second}`)).map((code) => {
        const value = kept.of(code) ?? code;
        return choice(value, regions.of(code) ?? code, mine.of(code) ?? '', mine.resolvedOptions().locale, `${code}|${value}`);
      }),
    );
  }

  /** A country as the page's language has it; as it is, where it is none of the list. @param {string} value */
  const countryName = (value) => countries().find((one) => one.value === value)?.label ?? value;

  /** @type {Choice[] | undefined} */
  let languageList;
  /** Languages, with the name they have for themselves as a note. */
  const spoken = () =>
    (languageList ??= sorted(TAGS.split(' ').map((tag) => choice(tag, languageName(tag), languageName(tag, tag), tag, tag))));

  /** @param {string} tag @param {string} [inLanguage] */
  function languageName(tag, inLanguage) {
    try {
      return (inLanguage ? languagesIn(inLanguage) : (languages ??= languagesIn(language))).of(tag) ?? tag;
    } catch {
      return tag;
    }
  }

  return { countries, spoken, countryName, languageName };
}

export const { countries, spoken, countryName, languageName } = places({ language: LANGUAGE, locale: localeOf() });
