import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError } from '../../../spa/api-error.js';
import { parkedPath } from '../../../spa/saving.js';
import { HandClock } from '../../stage/spa/clock.mjs';
import { json, problem } from '../../stage/spa/network.mjs';
import { sessionOf } from '../../stage/spa/people.mjs';
import { PROFILE, world } from '../../stage/spa/saving.mjs';

const POST = 'POST /api/parked-edits/Z%2F0';
const PARKED = { id: 'Z/0', expires_at: '2026-11-21T20:10:00Z', redirect: '/auth/step-up?challenge=1' };

test('what was changed is sent, once for each key and over the version that the person saw', async () => {
  const { draft, network, saveDraft } = await world();
  network.answer('PATCH /api/profile', () => json(PROFILE));
  await saveDraft(draft);

  const [{ headers, body } = assert.fail('nothing was sent')] = network.asked;
  assert.deepEqual(body, { city: 'Turin' });
  assert.deepEqual([headers.get('Idempotency-Key'), headers.get('If-Match')], ['key-1', '"1"']);
});

test('without a version the last write wins', async () => {
  const { draft, network, saveDraft } = await world();
  network.answer('PATCH /api/profile', () => json(PROFILE));
  await saveDraft({ ...draft, etag: '' });

  assert.equal(network.asked[0]?.headers.has('If-Match'), false);
});

test('what was saved is shown, told to the other tabs, and no draft any more', async () => {
  const { draft, network, own, saveDraft, steps, store, takeSaved, time } = await world();
  network.answer('PATCH /api/profile', () => json(PROFILE, { headers: { ETag: '"2"' } }));

  assert.equal(await saveDraft(draft), null);
  assert.deepEqual(steps, ['say Saving…', 'tell saved', 'go /']);
  assert.deepEqual([store.profile, store.etag, own.waiting()], [PROFILE, '"2"', false]);
  assert.deepEqual(network.calls, ['PATCH /api/profile', 'GET /api/session']);
  assert.deepEqual(takeSaved(), { fields: new Set(['city']), at: time.now });
  assert.equal(takeSaved(), null, 'it is news once');
});

test('a session that can\'t be asked about afterwards takes nothing back', async () => {
  const { draft, network, saveDraft, steps } = await world();
  network.answer('PATCH /api/profile', () => json(PROFILE)).answer('GET /api/session', () => problem('session-store-unavailable', 503));

  assert.equal(await saveDraft(draft), null);
  assert.equal(steps.at(-1), 'go /');
});

test('L5: while it is being saved the draft is kept, as one of which nobody knows', async () => {
  const { draft, network, own, saveDraft } = await world();
  /** @type {unknown} */
  let kept;
  network.answer('PATCH /api/profile', () => {
    kept = own.load('ada');
    return json(PROFILE);
  });
  await saveDraft(draft);

  assert.deepEqual(kept, { ...draft, sent: true });
});

for (const [slug, status, members, sent] of /** @type {[string, number, Record<string, unknown>, boolean][]} */ ([
  ['resource-unavailable', 502, { outcome: 'unknown' }, true], ['internal-error', 500, {}, true], ['edit-in-progress', 409, {}, true], ['of-another-release', 500, {}, true],
  ['resource-unavailable', 502, { outcome: 'not-saved' }, false], ['misconfigured', 500, {}, false], ['step-up-required', 403, {}, false], ['profile-changed', 412, {}, false],
  ['sign-in-required', 401, {}, false], ['invalid-profile-patch', 422, {}, false],
])) {
  test(`L5: a draft is kept with what is known of it: ${slug} ${JSON.stringify(members)}`, async () => {
    const { draft, network, own, saveDraft } = await world();
    network.answer('PATCH /api/profile', () => problem(slug, status, members));
    await saveDraft(draft);

    assert.equal(own.load('ada')?.sent, sent);
  });
}

test('a step-up that is asked for leads to the confirmation, with what waits on the server', async () => {
  const { draft, network, own, saveDraft, steps } = await world();
  network.answer('PATCH /api/profile', () => problem('step-up-required', 403, { parked_edit: { id: 'Z/0', expires_at: PARKED.expires_at }, redirect: PARKED.redirect }));

  assert.equal(await saveDraft(draft), null);
  assert.equal(steps.at(-1), 'go /confirm');
  assert.deepEqual(own.load('ada'), { ...draft, parked: PARKED });
});

test('a step-up for which nothing could be parked keeps the draft all the same', async () => {
  const { draft, network, own, saveDraft, steps } = await world();
  network.answer('PATCH /api/profile', () => problem('step-up-required', 403));

  assert.equal(await saveDraft(draft), null);
  assert.equal(steps.at(-1), 'go /confirm');
  assert.deepEqual(own.load('ada')?.parked, { id: '', expires_at: '', redirect: '' });
});

for (const [path, step] of /** @type {[string, string][]} */ ([['/edit', 'go /check'], ['/check', 'replace /check']])) {
  test(`a profile that was changed elsewhere is read anew and compared, from ${path}`, async () => {
    const { draft, network, own, saveDraft, steps, store } = await world({ path });
    network.answer('PATCH /api/profile', () => problem('profile-changed', 412));

    assert.equal(await saveDraft({ ...draft, parked: PARKED }), null);
    assert.equal(steps.at(-1), step);
    assert.deepEqual([store.etag, own.load('ada')?.parked], ['"2"', null]);
  });
}

test('a profile that was changed elsewhere and can\'t be read is compared later', async () => {
  const { draft, network, saveDraft, steps } = await world();
  network.answer('PATCH /api/profile', () => problem('profile-changed', 412)).answer('GET /api/profile', () => problem('resource-unavailable', 503));

  assert.equal(await saveDraft(draft), null);
  assert.equal(steps.at(-1), 'go /check');
});

test('a session that ended keeps the draft and says why', async () => {
  const { draft, network, own, saveDraft, steps, store } = await world();
  network.answer('PATCH /api/profile', () => problem('sign-in-required', 401, { reason: 'revoked' }));

  assert.equal(await saveDraft(draft), null);
  assert.deepEqual([store.user, store.ended], [null, 'revoked']);
  assert.deepEqual([own.waiting(), steps], [true, ['say Saving…']]);
});

test('fields that the server refuses are told on the form, also from another screen', async () => {
  const { draft, network, saveDraft, steps, takeRejected } = await world({ path: '/check' });
  network.answer('PATCH /api/profile', () => problem('invalid-profile-patch', 422, { errors: [{ field: 'city', code: 'too_long', detail: '' }] }));

  assert.equal(await saveDraft(draft), null);
  assert.equal(steps.at(-1), 'go /edit');
  assert.deepEqual(takeRejected(), [{ field: 'city', code: 'too_long', detail: '' }]);
  assert.deepEqual(takeRejected(), [], 'it is news once');
});

test('on the form itself refused fields come back to it', async () => {
  const { draft, network, saveDraft, steps, takeRejected } = await world();
  network.answer('PATCH /api/profile', () => problem('invalid-profile-patch', 422, { errors: [] }));
  const error = await saveDraft(draft);

  assert(error instanceof ApiError);
  assert.deepEqual([error.invalid, takeRejected(), steps], [true, [], ['say Saving…']]);
});

test('what can\'t be handled comes back, with the draft kept', async () => {
  const { draft, network, own, saveDraft } = await world();
  network.answer('PATCH /api/profile', () => problem('resource-unavailable', 503));

  assert.equal((await saveDraft(draft))?.slug, 'resource-unavailable');
  assert.equal(own.waiting(), true);
});

test('an answer that is no profile is not shown as saved', async () => {
  const { draft, network, own, saveDraft, takeSaved } = await world();
  network.answer('PATCH /api/profile', () => json('saved'));

  assert.equal((await saveDraft(draft))?.slug, 'unexpected-answer');
  assert.deepEqual([takeSaved(), own.waiting()], [null, true]);
});

test('a parked edit is applied on the server', async () => {
  const { draft, network, saveParked, steps } = await world({ path: '/check' });
  network.answer(POST, () => json(PROFILE));

  assert.equal(await saveParked({ ...draft, parked: PARKED }), null);
  assert.deepEqual([network.calls[0], network.asked[0]?.body, steps.at(-1)], [POST, null, 'go /']);
});

test('a parked edit that is gone is compared with the profile as it is now', async () => {
  const { draft, network, own, saveParked, steps } = await world({ path: '/check' });
  network.answer(POST, () => problem('not-found', 404));

  assert.equal(await saveParked({ ...draft, parked: PARKED }), null);
  assert.deepEqual([steps.at(-1), own.load('ada')?.parked, own.load('ada')?.sent], ['replace /check', null, true]);
});

test('a profile that is gone is no parked edit that is gone', async () => {
  const { draft, network, saveDraft } = await world();
  network.answer('PATCH /api/profile', () => problem('not-found', 404));

  assert.equal((await saveDraft(draft))?.gone, true);
});

test('what is discarded is gone here and on the server', async () => {
  const { discard, draft, network, own } = await world();
  own.keep({ ...draft, parked: PARKED });
  network.answer('DELETE /api/parked-edits/Z%2F0', () => new Response(null, { status: 204 }));
  await discard({ ...draft, parked: PARKED });

  assert.deepEqual([own.waiting(), network.calls], [false, ['DELETE /api/parked-edits/Z%2F0']]);
});

test('discarding works without a connection, and without anything to discard', async () => {
  const { discard, draft, network, own } = await world();
  own.keep(draft);
  await discard({ ...draft, parked: PARKED });
  await discard(draft);
  await discard(null);

  assert.deepEqual([own.waiting(), network.calls.length], [false, 1]);
});

test('an id of the server is one segment of the path, whatever it holds', () => {
  assert.equal(parkedPath({ user: '', base: {}, changes: {}, etag: '', key: '', parked: { ...PARKED, id: '../x?y' }, sent: false }), '/api/parked-edits/..%2Fx%3Fy');
});

test('what is broken in the page itself is no answer of the server', async () => {
  const { draft, network, saveDraft, store } = await world();
  network.answer('PATCH /api/profile', () => json(PROFILE)).answer('GET /api/session', () => json(sessionOf(new HandClock())));
  store.keepProfile = () => { throw new RangeError('a fault of ours'); };

  await assert.rejects(saveDraft(draft), RangeError);
});

for (const [name, answer] of /** @type {[string, unknown][]} */ ([['the values of before', { city: 'London' }], ['nothing', {}], ['an empty value', { city: null }]])) {
  test(`L5: a profile that shows ${name} is no evidence that something was saved`, async () => {
    const { draft, network, own, saveDraft, steps, takeSaved } = await world();
    network.answer('PATCH /api/profile', () => json(answer));

    assert.equal((await saveDraft(draft))?.slug, 'unexpected-answer');
    assert.deepEqual([takeSaved(), own.waiting(), steps], [null, true, ['say Saving…']]);
  });
}

test('L5: a value that the directory spells in its own way is the one that was sent', async () => {
  const { draft, network, own, saveDraft, steps } = await world();
  const typed = own.withChanges(draft, { city: 'Orle\u0301ans', streetAddress: '1 Rue\nB', state: null });
  network.answer('PATCH /api/profile', () => json({ city: 'Orl\u00e9ans', streetAddress: '1 Rue\r\nB', state: '' }));

  assert.equal(await saveDraft(typed), null);
  assert.equal(steps.at(-1), 'go /');
});
