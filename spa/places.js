// @ts-check
/** Countries, by their English names, and languages, by tags, in the browser's words. */
import { isTag, localeOf } from './vocabulary.js';
import { LANGUAGE } from './words.js';

/** @import {Choice, VocabularyWorld} from './types.js' */

/** ISO 3166-1 and XK: a first letter with every second one. */
const REGIONS =
  'ADEFGILMOQRSTUWXZ BABDEFGHIJLMNOQRSTVWYZ CACDFGHIKLMNORUVWXYZ DEJKMOZ ECEGHRST FIJKMOR GABDEFGHILMNPQRSTUWY ' +
  'HKMNRTU IDELMNOQRST JEMOP KEGHIMNPRWYZ LABCIKRSTUVY MACDEFGHKLMNOPQRSTUVWXYZ NACEFGILOPRUZ OM PAEFGHKLMNRSTWY ' +
  'QA REOSUW SABCDEGHIJKLMNORSTVXYZ TCDFGHJKLMNORTVWZ UAGMSYZ VACEGINU WFS XK YET ZAMW';

/** Languages, each where most of its speakers are, or in the regions that follow. */
const LANGUAGES =
  'af am arAEEGMASA az be bg bnBDIN bs ca cs cy da deATCHDE el enAUCAGBIEINNZSGUSZA esARCLCOESMXPEUS et eu fa fi fil frBECACHFR ' +
  'ga gl gu he hi hr hu hy id ig is itCHIT ja ka kk km kn ko ky lb lo lt lv mi mk ml mn mr ms mt my nb ne nlBENL nn pa pl ps ' +
  'ptBRPT ro ru rw si sk sl so sq sr-Cyrl sr-Latn svFISE swKETZ ta te th ti tk tr uk ur uz vi xh yo zhCNHKTW zu';

/** @param {string} one */
function tagsOf(one) {
  const language = one.replace(/[A-Z]{2}/g, '');
  const regions = one.match(/[A-Z]{2}/g) ?? [new Intl.Locale(language).maximize().region];
  return regions.map((region) => `${language}-${region}`);
}

/** What a search compares: small letters without marks, in no language's own way (Turkish I).
 * @param {string} text */
export const plain = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ').trim();

/** What has what was typed in it; what begins with it comes first.
 * @param {Choice[]} choices @param {string} typed */
export function offers(choices, typed) {
  const words = plain(typed);
  const found = choices.filter((one) => one.search.includes(words));
  return words ? found.sort((a, b) => Number(b.search.startsWith(words)) - Number(a.search.startsWith(words))) : found;
}

/** Shorter, and it may be a code. */
const SHORTEST = 3;

/** The one choice that was typed: by a name, its code, or a beginning or part that no other has.
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

/** The names in one language. @param {Pick<VocabularyWorld, 'language' | 'locale'>} person */
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
    (languageList ??= sorted(LANGUAGES.split(' ').flatMap(tagsOf).map((tag) => choice(tag, languageName(tag), languageName(tag, tag), tag, tag))));

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
