import assert from 'node:assert/strict';
import { test } from 'node:test';

import { json, problem } from '../../stage/spa/network.mjs';
import { PROFILE, world } from '../../stage/spa/saving.mjs';

/** A change was sent, and nobody knows what became of it. */
async function unknown() {
  const all = await world();
  all.network.answer('PATCH /api/profile', () => problem('resource-unavailable', 502, { outcome: 'unknown' }));
  const error = await all.saveDraft(all.draft);
  assert.equal(error?.unsure, true);
  return all;
}

for (const unasked of [true, false]) {
  test(`L5: what a look shows is told as saved, and the draft is none any more, ${unasked ? 'by itself' : 'when asked'}`, async () => {
    const { look, network, own, steps, takeSaved, time } = await unknown();
    network.answer('GET /api/profile', () => json(PROFILE));

    assert.equal(await look(unasked), 'gone-on');
    assert.deepEqual([own.waiting(), steps.slice(-2)], [false, ['tell saved', 'go /']]);
    assert.deepEqual(takeSaved(), { fields: new Set(['city']), at: time.now });
  });

  test(`L5: what a look doesn't show yet is not told as not saved, and the draft is kept, ${unasked ? 'by itself' : 'when asked'}`, async () => {
    const { draft, look, network, own, steps, takeSaved } = await unknown();
    network.answer('GET /api/profile', () => json({ city: 'London' }));

    assert.equal(await look(unasked), 'not-yet');
    assert.deepEqual([own.load('ada'), takeSaved(), steps], [{ ...draft, sent: true }, null, ['say Saving…']]);
  });
}

test('L5: a part of what was sent is not all of it', async () => {
  const { draft, look, network, own, saveDraft } = await unknown();
  await saveDraft(own.withChanges(draft, { city: 'Turin', state: 'Piedmont' }));
  network.answer('GET /api/profile', () => json({ city: 'Turin', state: null }));

  assert.equal(await look(), 'not-yet');
});

test('L5: a look that fails says nothing of the change, and the same key is sent again', async () => {
  const { draft, look, network, own, saveDraft } = await unknown();
  network.answer('GET /api/profile', () => problem('resource-unavailable', 502));

  assert.equal(await look(), 'failed');
  assert.equal(own.waiting(), true);
  await saveDraft(draft);
  const keys = network.asked.filter(({ method }) => method === 'PATCH').map(({ headers }) => headers.get('Idempotency-Key'));
  assert.deepEqual(keys, ['key-1', 'key-1']);
});

test('L5: a look that meets the end of the session says so', async () => {
  const { look, network, own, store } = await unknown();
  network.answer('GET /api/profile', () => problem('sign-in-required', 401, { reason: 'revoked' }));

  assert.equal(await look(true), 'gone-on');
  assert.deepEqual([store.user, store.ended, own.waiting()], [null, 'revoked', true]);
});

test('L5: nobody is taken away from newer changes, but where they ask', async () => {
  const { draft, look, network, own, steps } = await unknown();
  const newer = { ...own.withChanges(draft, { city: 'Turin', state: 'Piedmont' }), key: 'key-2' };
  own.keep(newer);
  network.answer('GET /api/profile', () => json(PROFILE));
  const calls = network.calls.length;

  assert.equal(await look(true), 'left');
  assert.equal(network.calls.length, calls);
  assert.equal(await look(), 'gone-on');
  assert.deepEqual([own.load('ada'), steps.at(-1)], [newer, 'replace /edit']);
});

test('there is nothing to look for where nothing was sent', async () => {
  const { look, network } = await world();

  assert.equal(await look(), 'left');
  assert.deepEqual(network.calls, []);
});

test('what is broken in the page itself is no look that failed', async () => {
  const { look, network, store } = await unknown();
  network.answer('GET /api/profile', () => json(PROFILE));
  store.keepProfile = () => { throw new RangeError('a fault of ours'); };

  await assert.rejects(look(), RangeError);
});
