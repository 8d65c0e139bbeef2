import assert from 'node:assert/strict';
import { test } from 'node:test';

import { drafts } from '../../../spa/draft.js';
import { tabMemory } from '../../../spa/tab-memory.js';
import { HandClock } from '../../stage/spa/clock.mjs';
import { blocked, storage } from '../../stage/spa/storage.mjs';

const HOUR = 3_600_000;
const KEY = 'stepup.draft';
const PROFILE = { displayName: 'Ada', city: 'London', state: null };

/** @param {() => ReturnType<typeof storage>} [kept] */
function world(kept) {
  const time = new HandClock();
  const stored = storage();
  let count = 0;
  const memory = tabMemory(kept ?? (() => stored));
  return { time, stored, ...drafts({ memory, now: time.clock.now, newKey: () => `key-${(count += 1)}` }) };
}

test('a draft comes back as it was left', () => {
  const { begin, keep, load, waiting, withChanges } = world();
  const draft = { ...withChanges(begin('ada', PROFILE, '"1"'), { city: null }), parked: { id: 'Z0', expires_at: '', redirect: '/auth/x' } };
  keep(draft);

  assert.equal(waiting(), true);
  assert.deepEqual(load('ada'), draft);
});

test('a draft without storage lives as long as the page', () => {
  const { begin, drop, keep, load } = world(blocked);
  keep(begin('ada', PROFILE, '"1"'));
  assert.equal(load('ada')?.user, 'ada');
  drop();
  assert.equal(load('ada'), null);
});

for (const somebody of ['bob', '', undefined]) {
  test(`what Ada wrote is deleted before ${somebody || 'nobody'} could read it`, () => {
    const { begin, keep, load, stored, waiting } = world();
    keep(begin('ada', PROFILE, '"1"'));

    assert.equal(load(somebody), null);
    assert.equal(waiting(), false);
    assert.deepEqual([...stored.texts], []);
  });
}

test('a draft lives for an hour after the last change', async () => {
  const { begin, keep, load, stored, time } = world();
  keep(begin('ada', PROFILE, '"1"'));
  await time.advance(HOUR - 1);
  const draft = load('ada');
  assert(draft);
  keep(draft);
  await time.advance(HOUR - 1);
  assert(load('ada'));
  await time.advance(1);

  assert.equal(load('ada'), null);
  assert.deepEqual([...stored.texts], []);
});

for (const odd of ['', 'null', '[]', '{', '"ada"', '{"user": "ada"}', '{"user": 7, "changes": {}, "until": 9e15}',
  '{"user": "ada", "changes": null, "until": 9e15}', '{"user": "ada", "changes": [], "until": 9e15}',
  '{"user": "ada", "changes": {}, "until": "9e15"}']) {
  test(`storage that holds ${odd || 'nothing'} holds no draft, and is cleared`, () => {
    const { load, stored } = world();
    stored.setItem(KEY, odd);

    assert.equal(load('ada'), null);
    assert.deepEqual([...stored.texts], []);
  });
}

test('of a draft of another release what can be used is used', () => {
  const { load, stored } = world();
  stored.setItem(KEY, '{"user": "ada", "changes": {"city": "Turin", "age": 7}, "until": 9e15, "parked": "Z0", "base": []}');

  assert.deepEqual(load('ada'), { user: 'ada', base: {}, changes: { city: 'Turin' }, etag: '', key: 'key-1', parked: null, sent: false });
});

test('other changes are another attempt, and nothing waits for them on the server', () => {
  const { begin, withChanges } = world();
  const parked = { id: 'Z0', expires_at: '', redirect: '' };
  const draft = { ...withChanges(begin('ada', PROFILE, '"1"'), { city: 'Turin' }), parked };
  const changed = withChanges(draft, { city: 'Rome' });

  assert.notEqual(changed.key, draft.key);
  assert.equal(changed.parked, null);
});

test('the same changes over another version are another attempt', () => {
  const { begin, withChanges } = world();
  const draft = withChanges(begin('ada', PROFILE, '"1"'), { city: 'Turin' });

  assert.equal(withChanges(draft, { city: 'Turin' }, '"2"').etag, '"2"');
  assert.notEqual(withChanges(draft, { city: 'Turin' }, '"2"').key, draft.key);
});

test('L5: whether a draft was sent is not forgotten over another version, and is of no other changes', () => {
  const { begin, keep, load, rebase, withChanges } = world();
  const draft = { ...withChanges(begin('ada', PROFILE, '"1"'), { city: 'Turin', state: 'Piedmont' }), sent: true };
  keep(draft);

  assert.equal(load('ada')?.sent, true);
  assert.equal(rebase(draft, { ...PROFILE, city: 'Turin' }, '"2"').draft.sent, true);
  assert.equal(withChanges(draft, { city: 'Rome' }).sent, false);
});

test('the same changes over the same version are the same attempt, so that a repeat is known', () => {
  const { begin, withChanges } = world();
  const draft = withChanges(begin('ada', PROFILE, '"1"'), { city: 'Turin' });

  assert.equal(withChanges(draft, { city: 'Turin' }), draft);
});

test('a draft does not change with the profile that it began with', () => {
  const { begin } = world();
  const profile = { ...PROFILE };
  const draft = begin('ada', profile, '"1"');
  profile.city = 'Rome';

  assert.equal(draft.base.city, 'London');
});

test('where only this side changed, a draft starts from the profile as it is now', () => {
  const { begin, rebase, withChanges } = world();
  const draft = withChanges(begin('ada', PROFILE, '"1"'), { city: 'Turin' });
  const now = { ...PROFILE, displayName: 'Ada L.' };
  const { draft: rebased, conflicts } = rebase(draft, now, '"2"');

  assert.deepEqual(conflicts, []);
  assert.deepEqual([rebased.base, rebased.etag, rebased.changes], [now, '"2"', { city: 'Turin' }]);
  assert.notEqual(rebased.key, draft.key);
});

test('a field that both sides changed is a conflict, and the draft stays on the version that the person saw', () => {
  const { begin, rebase, withChanges } = world();
  const draft = withChanges(begin('ada', PROFILE, '"1"'), { city: 'Turin', state: 'Piedmont' });
  const { draft: rebased, conflicts } = rebase(draft, { ...PROFILE, city: 'Rome' }, '"2"');

  assert.deepEqual(conflicts, ['city']);
  assert.deepEqual([rebased.base, rebased.etag, rebased.key], [PROFILE, '"1"', draft.key]);
});

test('what the profile says already is no change any more, nor a conflict', () => {
  const { begin, rebase, withChanges } = world();
  const draft = withChanges(begin('ada', PROFILE, '"1"'), { city: 'Turin', state: null });
  const { draft: rebased, conflicts } = rebase(draft, { displayName: 'Ada', city: 'Turin' }, '"2"');

  assert.deepEqual([rebased.changes, conflicts], [{}, []]);
});
