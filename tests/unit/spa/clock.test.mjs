import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { clock } from '../../../spa/clock.js';

/** @param {(ring: () => void) => void} set */
async function rings(set) {
  const bell = new EventTarget();
  const rung = once(bell, 'ring');
  set(() => bell.dispatchEvent(new Event('ring')));
  await rung;
}

test('what was set for later happens, and not before', async () => {
  const began = clock.now();
  await rings((ring) => clock.after(20, ring));

  assert(clock.now() - began >= 19);
});

test('what repeats goes on until it is stopped', async () => {
  let count = 0;
  await rings((ring) => {
    const stop = clock.every(1, () => {
      count += 1;
      if (count < 3) return;
      stop();
      ring();
    });
  });
  await rings((ring) => clock.after(20, ring));

  assert.equal(count, 3);
});

test('what was cancelled does not happen', async () => {
  let happened = false;
  const cancel = clock.after(1, () => (happened = true));
  cancel();
  await rings((ring) => clock.after(20, ring));

  assert.equal(happened, false);
});
