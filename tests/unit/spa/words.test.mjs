import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CATALOGUES, LANGUAGE, LANGUAGES, t } from '../../../spa/words.js';

test('the page speaks the language that it is marked with', () => {
  assert.deepEqual([LANGUAGE, document.documentElement.lang, t('discard.go')], ['en', 'en', 'Discard']);
});

for (const [language, fetch] of CATALOGUES) {
  test(`every sentence in ${language} is a text or has a form for many`, async () => {
    const odd = Object.entries(await fetch()).filter(([, entry]) => !(typeof entry === 'string' ? entry : entry.other));

    assert.deepEqual(odd, []);
  });
}

test('every language can be chosen', () => {
  assert.deepEqual(LANGUAGES, ['en', 'de']);
});
