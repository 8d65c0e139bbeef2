import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FIELDS, GROUPS, fault, label, nameOf, sentence, shown, tidy } from '../../../spa/fields.js';

/** Of which nothing is seen. */
const BLANKS = ['\u3164', '\u115f\u1160', '\uffa0', '\u200b', '\u200c\u200d', '\u2800', '\u00ad', '\u180e', '\u{e0041}\u{e007f}', '\ufe0f', '\u3000 \ufeff'];

test('every field is in one group', () => {
  assert.deepEqual(GROUPS.flatMap(({ fields }) => fields).sort(), [...FIELDS.keys()].sort());
});

for (const [name, { limit, required }] of FIELDS) {
  test(`${name} takes ${limit} characters and not one more`, () => {
    assert.deepEqual([fault(name, 'x'.repeat(limit)), fault(name, 'x'.repeat(limit + 1))], [['preferredLanguage', 'country'].includes(name) ? 'invalid_value' : '', 'too_long']);
  });

  test(`${name} ${required ? 'must be there' : 'may be empty'}`, () => {
    const code = required ? 'required' : '';

    assert.deepEqual([fault(name, null), fault(name, '')], [code, code]);
    for (const blank of BLANKS) assert.equal(fault(name, blank), code, JSON.stringify(blank));
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

test('D2 a country is one of the list', () => {
  assert.deepEqual(['Germany', 'germ', 'Deutschland', 'DE'].map((value) => fault('country', value)), ['', 'invalid_value', 'invalid_value', 'invalid_value']);
  assert.equal(sentence('country', 'invalid_value', 'germ'), 'Choose a country or region from the list');
});

test('D2 a language without a region has a name', () => {
  assert.deepEqual(['de', 'tlh', 'abc', 'qq', 'aaa-NG'].map((value) => fault('preferredLanguage', value)), ['', '', 'invalid_value', 'invalid_value', '']);
});

test('D3 what a directory writes for no name is none', () => {
  const user = { name: 'ada@example.com' };
  for (const name of ['unknown', 'Unknown', ' UNKNOWN ', '', '  ', '\u3164', null, undefined]) {
    assert.equal(nameOf({ displayName: name ?? null, givenName: 'Ada', surname: 'Lovelace' }, user), 'Ada Lovelace', String(name));
    assert.equal(nameOf({ displayName: name ?? null }, user), 'ada@example.com', String(name));
    assert.equal(nameOf(null, { name: name ?? '' }), '', String(name));
    assert.equal(shown('displayName', name), '', String(name));
  }
  assert.equal(nameOf({ displayName: 'Unknown Pleasures' }, user), 'Unknown Pleasures');
  assert.equal(nameOf({ displayName: null, givenName: null, surname: 'Lovelace' }, null), 'Lovelace');
  assert.equal(shown('city', 'Unknown'), 'Unknown');
});

test('D1 lines are shown as lines, whatever breaks them', () => {
  assert.equal(shown('streetAddress', 'Flat 3\r\nRiver House\r12 Row'), 'Flat 3\nRiver House\n12 Row');
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
  assert.deepEqual([' Turin\n', '  ', '', 'a  b', '\ufa1b', 'A\u030a', '\u3164', 'a\nb'].map(tidy), ['Turin', null, null, 'a  b', '\ufa1b', 'A\u030a', null, 'a\nb']);
});
