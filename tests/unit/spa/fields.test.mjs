import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FIELDS, GROUPS, fault, label, sentence, shown, tidy } from '../../../spa/fields.js';

test('every field is in one group', () => {
  assert.deepEqual(GROUPS.flatMap(({ fields }) => fields).sort(), [...FIELDS.keys()].sort());
});

for (const [name, { limit, required }] of FIELDS) {
  test(`${name} takes ${limit} characters and not one more`, () => {
    assert.deepEqual([fault(name, 'x'.repeat(limit)), fault(name, 'x'.repeat(limit + 1))], [name === 'preferredLanguage' ? 'invalid_value' : '', 'too_long']);
  });

  test(`${name} ${required ? 'must be there' : 'may be empty'}`, () => {
    const code = required ? 'required' : '';

    assert.deepEqual([fault(name, null), fault(name, '')], [code, code]);
  });
}

test('characters are counted as the directory counts, in UTF-16 units', () => {
  assert.equal(fault('givenName', '🦉'.repeat(33)), 'too_long');
  assert.equal(fault('givenName', '🦉'.repeat(32)), '');
});

test('a field that is none of ours is refused', () => {
  assert.equal(fault('mail', 'x'), 'unknown_field');
});

test('a language is a tag', () => {
  const tags = ['de', 'en-GB', 'sr-Latn-RS', 'German', 'en_GB', 'e', 'en-', 'de-DE x', '-'];

  assert.deepEqual(tags.filter((tag) => fault('preferredLanguage', tag) === ''), ['de', 'en-GB', 'sr-Latn-RS']);
});

test('a value is shown as people read it', () => {
  assert.deepEqual(
    [shown('preferredLanguage', 'en-GB'), shown('country', 'Austria'), shown('city', 'Turin'), shown('city', null), shown('city', undefined), shown('mail', 'a@b')],
    ['English (United Kingdom)', 'Austria', 'Turin', '', '', 'a@b'],
  );
});

test('a field has a label, and one that we don\'t know its name', () => {
  assert.deepEqual([label('postalCode'), label('faxNumber')], ['Postal code', 'faxNumber']);
});

test('the sentence for a fault is the field\'s own, else the fault\'s, else what the server said', () => {
  assert.equal(sentence('displayName', 'required', null), 'Enter a display name');
  assert.equal(sentence('city', 'required', null), 'City can’t be empty');
  assert.equal(sentence('city', 'too_long', 'x'.repeat(130)), 'City must be 128 characters or fewer; it has 130');
  assert.equal(sentence('city', 'haunted', 'Turin', 'It is haunted.'), 'City: It is haunted.');
});

test('a sentence about a field that we don\'t have can be said all the same', () => {
  assert.equal(sentence('', 'too_long', null), ' must be 0 characters or fewer; it has 0');
});

test('outer space is not sent, and nothing is null', () => {
  assert.deepEqual([' Turin\n', '  ', '', 'a  b'].map(tidy), ['Turin', null, null, 'a  b']);
});
