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
import { LANGUAGE } from './words.js';

/** @typedef {{value: string, label: string, note: string, noteLanguage: string, search: string}} Choice */

const REGIONS =
  'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF ' +
  'CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH ' +
  'GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW ' +
  'KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG ' +
  'NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN ' +
  'SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE ' +
  'YT ZA ZM ZW';

const TAGS =
  'af-ZA am-ET ar-AE ar-EG ar-MA ar-SA az-AZ be-BY bg-BG bn-BD bn-IN bs-BA ca-ES cs-CZ cy-GB da-DK de-AT de-CH de-DE el-GR ' +
  'en-AU en-CA en-GB en-IE en-IN en-NZ en-SG en-US en-ZA es-AR es-CL es-CO es-ES es-MX es-PE es-US et-EE eu-ES fa-IR fi-FI ' +
  'fil-PH fr-BE fr-CA fr-CH fr-FR ga-IE gl-ES gu-IN he-IL hi-IN hr-HR hu-HU hy-AM id-ID ig-NG is-IS it-CH it-IT ja-JP ka-GE ' +
  'kk-KZ km-KH kn-IN ko-KR ky-KG lb-LU lo-LA lt-LT lv-LV mi-NZ mk-MK ml-IN mn-MN mr-IN ms-MY mt-MT my-MM nb-NO ne-NP nl-BE ' +
  'nl-NL nn-NO pa-IN pl-PL ps-AF pt-BR pt-PT ro-RO ru-RU rw-RW si-LK sk-SK sl-SI so-SO sq-AL sr-Cyrl-RS sr-Latn-RS sv-FI ' +
  'sv-SE sw-KE sw-TZ ta-IN te-IN th-TH ti-ET tk-TM tr-TR uk-UA ur-PK uz-UZ vi-VN xh-ZA yo-NG zh-CN zh-HK zh-TW zu-ZA';

const regions = new Intl.DisplayNames([LANGUAGE], { type: 'region' });
const kept = new Intl.DisplayNames(['en'], { type: 'region' });
const languages = new Intl.DisplayNames([LANGUAGE], { type: 'language', languageDisplay: 'standard' });

/** Letters without their marks, small: what a search compares. @param {string} text */
export const plain = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();

/** @param {string} value @param {string} label @param {string} own @param {string} noteLanguage @param {string} code @returns {Choice} */
function choice(value, label, own, noteLanguage, code) {
  const note = plain(own) === plain(label) ? '' : own;
  return { value, label, note, noteLanguage, search: plain(`${label}|${own}|${code}`) };
}

/** @param {Choice[]} list */
const sorted = (list) => list.sort((a, b) => a.label.localeCompare(b.label, LANGUAGE));

/** @type {Choice[] | undefined} */
let countryList;
/** Countries, with their name in the person's own language as a note. */
export const countries = () => (countryList ??= everyCountry());

function everyCountry() {
  const mine = new Intl.DisplayNames([navigator.language || LANGUAGE, LANGUAGE], { type: 'region' });
  return sorted(
    REGIONS.split(' ').map((code) => {
      const value = kept.of(code) ?? code;
      return choice(value, regions.of(code) ?? code, mine.of(code) ?? '', mine.resolvedOptions().locale, `${code}|${value}`);
    }),
  );
}

/** A country as the page's language has it; as it is, where it is none of the list. @param {string} value */
export const countryName = (value) => countries().find((one) => one.value === value)?.label ?? value;

/** @type {Choice[] | undefined} */
let languageList;
/** Languages, with the name they have for themselves as a note. */
export function spoken() {
  languageList ??= sorted(TAGS.split(' ').map((tag) => choice(tag, languageName(tag), languageName(tag, tag), tag, tag)));
  return languageList;
}

/** @param {string} tag @param {string} [inLanguage] */
export function languageName(tag, inLanguage) {
  try {
    const names = inLanguage ? new Intl.DisplayNames([inLanguage], { type: 'language', languageDisplay: 'standard' }) : languages;
    return names.of(tag) ?? tag;
  } catch {
    return tag;
  }
}
