import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isTag, localeOf, vocabulary } from '../../../spa/vocabulary.js';
import { CATALOGUES } from '../../../spa/words.js';
import { HandClock, settled } from '../../stage/spa/clock.mjs';

const NEVER = new Promise(() => { /* never */ });
const MOMENT = new Date(2026, 10, 21, 15, 4);

/** @param {Partial<Parameters<typeof vocabulary>[0]>} [how] */
const speak = (how) => vocabulary({ language: 'en', locale: 'en-GB', catalogues: CATALOGUES, clock: new HandClock().clock, ...how });

test('a sentence is said with its values', async () => {
  const { t } = await speak();

  assert.equal(t('problem.wait', { span: '90 seconds' }), 'You can try again in 90 seconds.');
});

test('a value that is not given leaves its hole to be seen', async () => {
  const { t } = await speak();

  assert.equal(t('problem.wait'), 'You can try again in {span}.');
});

test('a value is put in as it is, whatever signs it has', async () => {
  const { t } = await speak();

  assert.equal(t('profile.hello', { name: '$& {name} <b>' }), 'Hello, $& {name} <b>');
});

test('a sentence that nobody wrote is its own key', async () => {
  const { has, t } = await speak();

  assert.deepEqual([t('no.such'), has('no.such'), has('discard.go')], ['no.such', false, true]);
});

for (const [n, text] of /** @type {[number, string][]} */ ([[0, '0 changes'], [1, '1 change'], [2, '2 changes']])) {
  test(`${n} makes ${text}`, async () => {
    assert.equal((await speak()).t('edit.count', { n }), text);
  });
}

test('another language is spoken with its own plural and its own dates', async () => {
  const { date, language, t } = await speak({ language: 'de', locale: 'de-AT' });

  assert.equal(language, 'de');
  assert.equal(t('edit.count', { n: 1 }), '1 Änderung');
  assert.match(date(MOMENT), /21\. November 2026/);
});

test('of two languages only one is fetched, and lacks nothing that the other has', async () => {
  /** @type {string[]} */
  const fetched = [];
  const watched = new Map([...CATALOGUES].map(([name, fetch]) => [name, () => {
    fetched.push(name);
    return fetch();
  }]));
  await speak({ language: 'de', catalogues: watched });
  assert.deepEqual(fetched, ['de']);

  const [english, ...others] = await Promise.all([...CATALOGUES.values()].map((fetch) => fetch()));
  for (const other of others) assert.deepEqual(Object.keys(other ?? {}).sort(), Object.keys(english ?? {}).sort());
});

test('X10 words that don\'t come at once are asked for again after a pause', async () => {
  const time = new HandClock();
  let asked = 0;
  const flaky = async () => {
    asked += 1;
    if (asked === 1) throw new TypeError('Failed to fetch');
    return { continue: 'Weiter' };
  };
  const speaking = speak({ language: 'de', catalogues: new Map([['de', flaky]]), clock: time.clock });
  await settled();
  await time.advance(999);
  assert.equal(asked, 1);
  await time.advance(1);

  assert.equal((await speaking).t('continue'), 'Weiter');
});

test('X10 words that never come are English after ten seconds', async () => {
  const time = new HandClock();
  const speaking = speak({ language: 'de', catalogues: new Map([...CATALOGUES, ['de', async () => NEVER]]), clock: time.clock });
  await time.advance(10_000);

  assert.equal((await speaking).language, 'en');
});

for (const [what, catalogues] of /** @type {[string, typeof CATALOGUES][]} */ ([
  ['whose words can\'t be fetched', new Map([['de', async () => { throw new TypeError('Failed to fetch'); }]])],
  ['whose file is empty', new Map([['de', async () => undefined]])],
  ['that nobody has written', new Map()],
])) {
  test(`instead of a language ${what}, English is spoken`, async () => {
    const time = new HandClock();
    const speaking = speak({ language: 'de', locale: 'de-DE', catalogues: new Map([['en', CATALOGUES.get('en') ?? assert.fail()], ...catalogues]), clock: time.clock });
    await settled();
    await time.advance(1000);
    const { date, language, t } = await speaking;

    assert.deepEqual([language, t('continue')], ['en', 'Continue']);
    assert.match(date(MOMENT), /November 21, 2026/);
  });
}

test('a time is written as in the person\'s own region', async () => {
  assert.equal((await speak({ locale: 'en-GB' })).time(MOMENT), '15:04');
  assert.match((await speak({ locale: 'en-US' })).time(MOMENT), /^3:04\sPM$/);
});

for (const locale of ['', 'C', 'POSIX', 'c.utf-8', 'en-US@posix', 'de_DE.UTF-8', 'en_GB', 'en-', 'en-GB.UTF-8', 'und', 'tlh-AA', 'english', 'de-DE', 'xx'.repeat(20)]) {
  test(`a browser that calls its language ${JSON.stringify(locale)} gets times as the page's language has them`, async () => {
    assert.match((await speak({ locale })).time(MOMENT), /^3:04\sPM$/);
  });
}

for (const [seconds, text] of /** @type {[number, string][]} */ ([
  [0, 'just now'], [-59, 'just now'], [59, 'just now'], [-60, '1 minute ago'], [-3569, '59 minutes ago'], [-3570, '1 hour ago'],
  [-84_599, '23 hours ago'], [-84_600, 'yesterday'], [-3 * 86_400, '3 days ago'], [3600, 'in 1 hour'],
])) {
  test(`${seconds} seconds from now is ${text}`, async () => {
    const { ago } = await speak();

    assert.equal(ago(1e12 + seconds * 1000, 1e12), text);
  });
}

test('what is no moment is said by nothing, instead of breaking the page', async () => {
  const { ago, date } = await speak();

  assert.deepEqual([ago(Date.parse('soon'), 0), date(NaN), date(1e20)], ['', '', '']);
});

for (const [seconds, text] of /** @type {[number, string][]} */ ([
  [-3, '0 seconds'], [0.4, '0 seconds'], [1, '1 second'], [119, '119 seconds'], [120, '2 minutes'], [150, '3 minutes'], [3600, '60 minutes'],
])) {
  test(`${seconds} seconds are ${text} long`, async () => {
    assert.equal((await speak()).span(seconds), text);
  });
}

test('X9 a browser that keeps its language to itself has none', () => {
  assert.equal(localeOf(/** @type {any} */ ({ get language() { throw new Error('blocked'); } })), '');
  assert.equal(localeOf(/** @type {Navigator} */ ({})), '');
  assert.equal(localeOf(/** @type {Navigator} */ ({ language: 'de-AT' })), 'de-AT');
});

test('only what Intl takes is a tag', () => {
  assert.deepEqual(['de', 'sr-Latn-RS', 'und', 'C', '', 'en_GB', 'de-'].map(isTag), [true, true, true, false, false, false, false]);
});
