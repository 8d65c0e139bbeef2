import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { meant, offers, only, places, plain } from '../../../spa/places.js';

/** Every language that is offered. */
const TAGS =
  'af-ZA am-ET ar-AE ar-EG ar-MA ar-SA az-AZ be-BY bg-BG bn-BD bn-IN bs-BA ca-ES cs-CZ cy-GB da-DK de-AT de-CH de-DE el-GR ' +
  'en-AU en-CA en-GB en-IE en-IN en-NZ en-SG en-US en-ZA es-AR es-CL es-CO es-ES es-MX es-PE es-US et-EE eu-ES fa-IR fi-FI ' +
  'fil-PH fr-BE fr-CA fr-CH fr-FR ga-IE gl-ES gu-IN he-IL hi-IN hr-HR hu-HU hy-AM id-ID ig-NG is-IS it-CH it-IT ja-JP ka-GE ' +
  'kk-KZ km-KH kn-IN ko-KR ky-KG lb-LU lo-LA lt-LT lv-LV mi-NZ mk-MK ml-IN mn-MN mr-IN ms-MY mt-MT my-MM nb-NO ne-NP nl-BE ' +
  'nl-NL nn-NO pa-IN pl-PL ps-AF pt-BR pt-PT ro-RO ru-RU rw-RW si-LK sk-SK sl-SI so-SO sq-AL sr-Cyrl-RS sr-Latn-RS sv-FI ' +
  'sv-SE sw-KE sw-TZ ta-IN te-IN th-TH ti-ET tk-TM tr-TR uk-UA ur-PK uz-UZ vi-VN xh-ZA yo-NG zh-CN zh-HK zh-TW zu-ZA';

const ENGLISH = places({ language: 'en', locale: 'en-GB' });
const GERMAN = places({ language: 'de', locale: 'fr-FR' });

/** @param {typeof ENGLISH} from @param {string} value */
const country = (from, value) => from.countries().find((one) => one.value === value);

test('there is every country of ISO 3166-1, and Kosovo, once', () => {
  const names = ENGLISH.countries().map(({ value }) => value);

  assert.equal(new Set(names).size, 250);
  assert.deepEqual(names.filter((name) => /^[A-Z]{2}$/.test(name)), [], 'Intl knows every code');
  for (const name of ['Andorra', 'Zimbabwe', 'Oman', 'Qatar', 'Kosovo', 'Wallis & Futuna']) assert(names.includes(name), name);
});

test('a country is sent by its English name, whatever the page speaks', () => {
  const austria = country(GERMAN, 'Austria');

  assert.deepEqual([austria?.label, austria?.note], ['Österreich', 'Autriche']);
  assert.equal(GERMAN.countryName('Austria'), 'Österreich');
});

test('a country that is in no list is shown as it is', () => {
  assert.deepEqual(['Yugoslavia', ''].map(GERMAN.countryName), ['Yugoslavia', '']);
});

test('a note that says the same as the name is left out', () => {
  assert.equal(country(ENGLISH, 'Austria')?.note, '');
});

test('names are in the order of the page\'s language', () => {
  const labels = GERMAN.countries().map(({ label }) => label);

  assert(labels.indexOf('Österreich') < labels.indexOf('Polen'), 'Ö is an O');
});

for (const locale of ['', 'C', 'POSIX', 'c.utf-8', 'en-US@posix', 'de_DE.UTF-8', 'en_US', 'und', 'tlh', 'de-']) {
  test(`a browser that calls its language ${JSON.stringify(locale)} still has all countries`, () => {
    const { countries } = places({ language: 'en', locale });

    assert.equal(countries().length, 250);
    assert.equal(countries()[0]?.label, 'Afghanistan');
  });
}

test('a language is shown by its name, and a tag that is none as it is', () => {
  assert.deepEqual(['en-GB', 'de', 'tlh', 'not a tag', ''].map((tag) => ENGLISH.languageName(tag)),
    ['English (United Kingdom)', 'German', 'Klingon', 'not a tag', '']);
  assert.equal(GERMAN.languageName('en-GB'), 'Englisch (Vereinigtes Königreich)');
});

test('languages are offered with the regions that have the most of their speakers', () => {
  assert.deepEqual(ENGLISH.spoken().map(({ value }) => value).sort(), TAGS.split(' ').sort());
});

test('a language names itself', () => {
  assert.equal(GERMAN.languageName('fr', 'fr'), 'français');
  assert.equal(ENGLISH.spoken().find(({ value }) => value === 'ja-JP')?.note, '日本語 (日本)');
});

test('marks and capitals do not matter to a search', () => {
  assert.deepEqual(['Österreich', 'CURAÇAO', 'Türkiye', 'Åland', 'Guinea-Bissau', ' St.  Lucia', 'Ｇｅｒｍａｎｙ', 'Côte d’Ivoire'].map(plain),
    ['osterreich', 'curacao', 'turkiye', 'aland', 'guinea bissau', 'st lucia', 'germany', 'cote d ivoire']);
});

test('a browser in Turkish finds India and Iran as any other', () => {
  const script = "import { countries, offers } from './spa/places.js'; console.log(offers(countries(), 'IRAN').concat(offers(countries(), 'india')).map(({ label }) => label).join());";
  const options = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', '--import', './tests/stage/spa/page.mjs', '--input-type=module', '--eval', script];
  const told = execFileSync(process.execPath, options, { env: { ...process.env, LC_ALL: 'tr_TR.UTF-8' }, encoding: 'utf-8' });

  assert.match(told, /^Iran,.*India/);
});

test('what begins with the search comes first, in order', () => {
  const labels = offers(ENGLISH.countries(), ' GUI ').map(({ label }) => label);

  assert.deepEqual(labels, ['Guinea', 'Guinea-Bissau', 'Anguilla', 'Equatorial Guinea', 'French Guiana', 'Papua New Guinea']);
});

test('a country is found by its name here, in the person\'s language, in English and by its code', () => {
  for (const typed of ['österr', 'autriche', 'austria', 'at']) {
    assert(offers(GERMAN.countries(), typed).some(({ value }) => value === 'Austria'), typed);
  }
});

test('without a search everything is offered, in a list of its own', () => {
  const all = ENGLISH.countries();
  const offered = offers(all, ' ');

  assert.deepEqual(offered, all);
  assert.notEqual(offered, all);
});

test('a search leaves the list as it was', () => {
  const before = [...ENGLISH.countries()];
  offers(ENGLISH.countries(), 'guinea');

  assert.deepEqual(ENGLISH.countries(), before);
});

for (const [typed, name] of /** @type {[string, string | undefined][]} */ ([
  ['germ', 'Germany'], ['GERMANY ', 'Germany'], ['DE', 'Germany'], ['zerland', 'Switzerland'], ['Guinea', 'Guinea'], ['Niger', 'Niger'],
  ['Cote dIvoire', undefined], ["cote d'ivoire", 'Côte d’Ivoire'], ['united', undefined], ['guin', undefined], ['Atlantis', undefined], ['x', undefined],
  ['', undefined], [' ', undefined], ['|', undefined],
])) {
  test(`D2 ${JSON.stringify(typed)} can mean ${name ?? 'no one country'}`, () => {
    assert.equal(only(ENGLISH.countries(), typed)?.label, name);
  });
}

test('D2 a country is meant by its name in the person\'s own language and in English, too', () => {
  assert.deepEqual(['autri', 'osterr', 'Austr', 'Germa'].map((typed) => only(GERMAN.countries(), typed)?.value), ['Austria', 'Austria', undefined, 'Germany']);
});

test('D2 a language of which there are several is none of them yet', () => {
  assert.deepEqual(['germ', 'Japan', 'ja-jp', 'English', 'français (france)'].map((typed) => only(ENGLISH.spoken(), typed)?.value),
    [undefined, 'ja-JP', 'ja-JP', undefined, 'fr-FR']);
});

test('a browser without such names has no list, and every value is shown as it is', () => {
  const { DisplayNames } = Intl;
  try {
    Object.assign(Intl, { DisplayNames: undefined });
    const bare = places({ language: 'en', locale: 'en' });

    assert.deepEqual([bare.countries(), bare.countryName('Austria'), bare.languageName('de')], [[], 'Austria', 'de']);
  } finally {
    Object.assign(Intl, { DisplayNames });
  }
});

test('what was typed means the choice of that label or value, else itself', () => {
  assert.deepEqual([' osterreich ', 'AUSTRIA', 'Atlantis', ' '].map((typed) => meant(GERMAN.countries(), typed)), ['Austria', 'Austria', 'Atlantis', ' ']);
  assert.equal(meant(ENGLISH.spoken(), 'EN-gb'), 'en-GB');
});
