import assert from 'node:assert/strict';
import { test } from 'node:test';

import { leaveNote } from '../../../spa/note.js';
import { load } from '../../../spa/routes.js';
import { HandClock, settled } from '../../stage/spa/clock.mjs';

const GONE = () => Promise.reject(new TypeError('Failed to fetch dynamically imported module'));

/** Loads a part, and says what became of it after a while.
 * @param {() => Promise<unknown>} part @param {boolean} [online] @param {number} [wait]
 * @param {boolean} [kept] whether storage keeps a note over the reload */
async function outcome(part, online = true, wait = 1000, kept = true) {
  const time = new HandClock();
  let reloads = 0;
  let result = 'waits';
  /** @param {string} name @param {string} text */
  const leave = (name, text) => {
    if (kept) leaveNote(name, text);
    return kept;
  };
  load(part, { online: () => online, again: () => void (reloads += 1), after: time.clock.after, leave }).then(
    (loaded) => (result = String(loaded)),
    (error) => (result = error.slug),
  );
  await settled();
  assert.equal(reloads, 0, 'X10 only after a pause');
  await time.advance(wait);
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
  let isThere = false;
  const part = async () => (isThere ? 'the part' : Promise.reject(new TypeError('gone')));
  assert.deepEqual(await outcome(part), ['waits', 1]);
  isThere = true;
  assert.deepEqual(await outcome(part), ['the part', 0]);
  isThere = false;

  assert.deepEqual(await outcome(part), ['waits', 1]);
  assert.deepEqual(await outcome(part), ['unexpected-answer', 0]);
});

test('a part that comes does not let the page load itself again for ever where another never does', async () => {
  assert.deepEqual(await outcome(GONE), ['waits', 1]);
  assert.deepEqual(await outcome(async () => 'the part'), ['the part', 0]);
  assert.deepEqual(await outcome(GONE), ['unexpected-answer', 0]);
});

test('where storage is blocked a page that lost a part does not load itself again for ever', async () => {
  assert.deepEqual(await outcome(GONE, true, 1000, false), ['unexpected-answer', 0]);
});

test('a part that never comes takes too long after ten seconds', async () => {
  const never = () => new Promise(() => { /* never */ });

  assert.deepEqual(await outcome(never, true, 9_999), ['waits', 0]);
  assert.deepEqual(await outcome(never, true, 10_000), ['timeout', 0]);
});

test('without a connection the page is not loaded again, as that would lose it', async () => {
  assert.deepEqual(await outcome(GONE, false), ['offline', 0]);
});
