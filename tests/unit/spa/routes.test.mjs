import assert from 'node:assert/strict';
import { test } from 'node:test';

import { leaveNote, takeNote } from '../../../spa/note.js';
import { load } from '../../../spa/routes.js';
import { settled } from '../../stage/spa/clock.mjs';

const GONE = () => Promise.reject(new TypeError('Failed to fetch dynamically imported module'));

/** Loads a part, and says what became of it. @param {() => Promise<unknown>} part @param {boolean} [online] */
async function outcome(part, online = true) {
  let reloads = 0;
  let result = 'waits';
  load(part, { online: () => online, again: () => void (reloads += 1) }).then(
    (loaded) => (result = String(loaded)),
    (error) => (result = error.slug),
  );
  await settled();
  return [result, reloads];
}

test('a part that is there is loaded', async () => {
  assert.deepEqual(await outcome(async () => 'the part'), ['the part', 0]);
});

test('a part that was deployed away loads the page once more, and then it is a problem', async () => {
  assert.deepEqual(await outcome(GONE), ['waits', 1]);
  assert.deepEqual(await outcome(GONE), ['unexpected-answer', 0]);
});

test('a part that was there in between makes the next one that is gone the first', async () => {
  leaveNote('reloaded', 'yes');
  await outcome(async () => 'the part');

  assert.deepEqual(await outcome(GONE), ['waits', 1]);
  takeNote('reloaded');
});

test('without a connection the page is not loaded again, as that would lose it', async () => {
  assert.deepEqual(await outcome(GONE, false), ['offline', 0]);
});
