import assert from 'node:assert/strict';
import { test } from 'node:test';

import { tabMemory } from '../../../spa/tab-memory.js';
import { blocked, full, storage } from '../../stage/spa/storage.mjs';

test('a text is kept in the tab\'s storage, where a reload finds it', () => {
  const kept = storage();
  assert.equal(tabMemory(() => kept).set('key', 'text'), true);

  assert.deepEqual([...kept.texts], [['key', 'text']]);
  assert.equal(tabMemory(() => kept).get('key'), 'text');
});

test('what was removed is gone', () => {
  const kept = storage({ key: 'text' });
  const memory = tabMemory(() => kept);
  memory.remove('key');

  assert.equal(memory.get('key'), null);
  assert.deepEqual([...kept.texts], []);
});

test('where storage is blocked a text lives as long as the page', () => {
  const memory = tabMemory(blocked);
  assert.equal(memory.get('key'), null);
  assert.equal(memory.set('key', 'text'), false);
  assert.equal(memory.get('key'), 'text');
  memory.remove('key');
  assert.equal(memory.get('key'), null);
});

test('where storage is full the newest text counts, and not what is still stored', () => {
  const kept = full({ key: 'old' });
  const memory = tabMemory(() => kept);
  assert.equal(memory.set('key', 'new'), false);

  assert.equal(memory.get('key'), 'new');
});

test('what did not fit is removed together with what was stored', () => {
  const kept = full({ key: 'old' });
  const memory = tabMemory(() => kept);
  memory.set('key', 'new');
  memory.remove('key');

  assert.equal(memory.get('key'), null);
});

test('once there is room again, storage has the text', () => {
  const kept = { ...full(), ...storage() };
  const refusing = full().setItem;
  const memory = tabMemory(() => (room ? kept : { ...kept, setItem: refusing }));
  let room = false;
  memory.set('key', 'old');
  room = true;
  memory.set('key', 'new');
  kept.setItem('key', 'newer');

  assert.equal(memory.get('key'), 'newer');
});
