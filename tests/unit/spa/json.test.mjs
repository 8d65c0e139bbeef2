import assert from 'node:assert/strict';
import { test } from 'node:test';

import { list, members, parsed, text, texts, values } from '../../../spa/json.js';

test('only an object has members', () => {
  assert.deepEqual(members({ a: 1 }), { a: 1 });
  assert.deepEqual([null, undefined, [], 'a', 1, true].map(members), [null, null, null, null, null, null]);
});

test('only a text is a text', () => {
  assert.deepEqual(['a', '', null, undefined, 1, {}].map(text), ['a', '', '', '', '', '']);
});

test('a list is of objects', () => {
  assert.deepEqual(list([{ a: 1 }, null, 'b', [2]]), [{ a: 1 }]);
  assert.deepEqual([null, {}, 'ab'].map(list), [[], [], []]);
});

test('some members can be had as texts, there or not', () => {
  assert.deepEqual(texts({ a: 'x', b: 1, c: 'z' }, 'a', 'b', 'd'), { a: 'x', b: '', d: '' });
  assert.deepEqual(texts(null, 'a'), { a: '' });
  assert.deepEqual(texts({}, 'constructor'), { constructor: '' });
});

test('what is no JSON says nothing', () => {
  assert.deepEqual(parsed('{"a": [1]}'), { a: [1] });
  assert.deepEqual(['', 'a', '{', '{"a": 1} x'].map(parsed), [undefined, undefined, undefined, undefined]);
});

test('values are texts or null', () => {
  assert.deepEqual(values({ city: 'Turin', state: null, phones: ['1'], age: 7 }), { city: 'Turin', state: null });
  assert.deepEqual([null, [], 'ab'].map(values), [{}, {}, {}]);
});

test('a member with a dangerous name is a member like any other', () => {
  const found = values(JSON.parse('{"__proto__": "x", "constructor": "y"}'));

  assert.deepEqual(Object.keys(found), ['__proto__', 'constructor']);
  assert.equal(Object.getPrototypeOf(found), Object.prototype);
});
