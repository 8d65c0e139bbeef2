import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';

const CHOICES = readFileSync(new URL('../../../spa/choices.js', import.meta.url), 'utf8');

/** Runs the script as the head of a page does, and returns the language that the page then has.
 * @param {() => unknown} language @param {() => unknown} languages */
const spoken = (language, languages) => {
  const root = { lang: '', dataset: {} };
  const navigator = Object.defineProperties({}, { language: { get: language }, languages: { get: languages } });
  const document = {
    documentElement: root,
    currentScript: { src: '/choices.js' },
  };
  runInNewContext(CHOICES, { document, navigator, localStorage: { getItem: () => null } });
  return root.lang;
};

/** What browsers on odd systems say of their language; `null` where they say nothing.
 * @type {[unknown, string][]} */
const ODD = [
  ['en-US@posix', 'en'],
  ['C', 'en'],
  ['POSIX', 'en'],
  ['', 'en'],
  [undefined, 'en'],
  [null, 'en'],
  [7, 'en'],
  ['de_DE.UTF-8', 'de'],
  ['DE', 'de'],
  ['xx-invalid-…', 'en'],
  ['deutsch', 'en'],
];

/** @type {Record<string, (odd: unknown) => unknown>} */
const LISTS = {
  'lists that': (odd) => [odd],
  'lists none': () => [],
  'has no list': () => undefined,
  'keeps its list to itself': () => { throw new Error('blocked'); },
};

for (const [how, list] of Object.entries(LISTS)) {
  for (const [odd, language] of ODD) {
    test(`X9: a browser that calls its language ${JSON.stringify(odd)} and ${how} is spoken to in ${language}`, () => {
      assert.equal(spoken(() => odd, () => list(odd)), language);
    });
  }
}

test('X9: a browser that keeps its language to itself is spoken to in English', () => {
  const blocked = () => { throw new Error('blocked'); };

  assert.equal(spoken(blocked, blocked), 'en');
});
