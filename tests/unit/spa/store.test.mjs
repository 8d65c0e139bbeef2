import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Store } from '../../../spa/store.js';
import { HandClock } from '../../stage/spa/clock.mjs';
import { Network, held, inTurn, json, problem } from '../../stage/spa/network.mjs';
import { NOBODY, sessionOf, storeWith } from '../../stage/spa/people.mjs';

function world() {
  const time = new HandClock();
  return { time, network: new Network(time.clock) };
}

/** What the store says of itself while the work runs: the type, and for a session whether the person is another.
 * @param {Store} store @param {() => unknown} work */
async function news(store, work) {
  /** @type {string[]} */
  const heard = [];
  store.addEventListener('session', (event) => heard.push(event instanceof CustomEvent && event.detail.person ? 'person' : 'session'));
  store.addEventListener('profile', () => heard.push('profile'));
  await work();
  return heard;
}

test('before the server has answered nobody is signed in, and that is not known', () => {
  const { time, network } = world();
  const store = new Store({ request: network.request, now: time.clock.now });

  assert.deepEqual([store.known, store.user, store.mayEdit], [false, null, false]);
  assert.deepEqual([store.profile, store.etag, store.ended, store.now], [null, '', '', time.now]);
});

test('a person who signed in is another person than nobody', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network, NOBODY);
  network.answer('GET /api/session', () => json(sessionOf(time)));

  assert.deepEqual(await news(store, () => store.loadSession()), ['person']);
  assert.deepEqual([store.known, store.user?.id], [true, 'ada']);
});

test('asking again about the same person is no new person', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network);

  assert.deepEqual(await news(store, () => store.loadSession()), ['session']);
});

for (const [edit, may] of /** @type {[string, boolean][]} */ ([['granted', true], ['step-up', false], ['', false]])) {
  test(`access that is ${JSON.stringify(edit)} means that an edit ${may ? 'goes through' : 'is asked about first'}`, async () => {
    const { time, network } = world();

    assert.equal((await storeWith(time, network, sessionOf(time, { edit }))).mayEdit, may);
  });
}

test('the server\'s time counts, however wrong this clock is', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network);
  network.answer('GET /api/session', () => json(sessionOf(time), { headers: { Date: new Date(time.now + 3_600_000).toUTCString() } }));
  await store.loadSession();

  assert.equal(store.skew, 3_600_000);
  assert.equal(store.now, time.now + 3_600_000);
});

test('an answer that was overtaken by a later one is not believed', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network);
  const slow = held();
  network.answer('GET /api/session', inTurn(slow.responder, () => json(NOBODY)));
  const first = store.loadSession();
  await store.loadSession();
  slow.letGo(json(sessionOf(time)));
  await first;

  assert.equal(store.user, null);
});

test('an answer that was asked for before the session ended brings nobody back', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network);
  const slow = held();
  network.answer('GET /api/session', slow.responder);
  const asking = store.loadSession();
  store.end('here');
  slow.letGo(json(sessionOf(time)));
  await asking;

  assert.deepEqual([store.user, store.ended], [null, 'here']);
});

test('the first answer is believed even where it was overtaken by a failure', async () => {
  const { time, network } = world();
  const store = new Store({ request: network.request, now: time.clock.now });
  const slow = held();
  network.answer('GET /api/session', inTurn(slow.responder, () => problem('session-store-unavailable', 503)));
  const first = store.loadSession();
  await assert.rejects(store.loadSession());
  slow.letGo(json(sessionOf(time)));
  await first;

  assert.equal(store.user?.id, 'ada');
});

for (const odd of [null, [], 'signed in', { authenticated: true }]) {
  test(`an answer like ${JSON.stringify(odd)} leaves the person signed in as they were`, async () => {
    const { time, network } = world();
    const store = await storeWith(time, network);
    network.answer('GET /api/session', () => json(odd));

    await assert.rejects(store.loadSession(), { name: 'ApiError', slug: 'unexpected-answer' });
    assert.equal(store.user?.id, 'ada');
  });
}

for (const [seconds, reason] of /** @type {[number, string][]} */ ([[1800, 'expired'], [1796, 'expired'], [1790, 'ended'], [60, 'ended']])) {
  test(`a session found ended after ${seconds} of 1800 seconds is told as ${reason}`, async () => {
    const { time, network } = world();
    const store = await storeWith(time, network, sessionOf(time, { idle: 1800 }));
    await time.advance(seconds * 1000);
    network.answer('GET /api/session', () => json(NOBODY));
    await store.loadSession();

    assert.equal(store.ended, reason);
  });
}

test('a reason that is known goes before what the clock suggests', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network);
  network.answer('GET /api/session', () => json(NOBODY));
  await store.loadSession('revoked');

  assert.equal(store.ended, 'revoked');
});

test('A1 why nobody counts as signed in is told, whether somebody was or not', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network);
  network.answer('GET /api/session', () => json({ ...NOBODY, reason: 'duplicate-cookie' }));
  await store.loadSession();
  assert.equal(store.ended, 'duplicate-cookie');

  store.ended = '';
  await store.loadSession();
  assert.equal(store.ended, 'duplicate-cookie');
});

for (const order of ['first', 'last']) {
  for (const from of ['the answer', 'an event']) {
    test(`A1 a reason from ${from} is told, though another look that knows none is answered ${order}`, async () => {
      const { time, network } = world();
      const store = await storeWith(time, network);
      const [telling, other] = [held(), held()];
      network.answer('GET /api/session', inTurn(telling.responder, other.responder));
      const asked = [store.loadSession(from === 'an event' ? 'revoked' : undefined), store.loadSession()];
      const tell = () => telling.letGo(json(from === 'an event' ? NOBODY : { ...NOBODY, reason: 'duplicate-cookie' }));
      const reason = from === 'an event' ? 'revoked' : 'duplicate-cookie';

      const heard = await news(store, async () => {
        if (order === 'last') tell();
        else other.letGo(json(NOBODY));
        await asked[order === 'last' ? 0 : 1];
        if (order === 'last') other.letGo(json(NOBODY));
        else tell();
        await Promise.all(asked);
      });

      assert.deepEqual([store.user, store.ended], [null, reason]);
      assert.equal(heard.at(order === 'last' ? 0 : -1), 'person', 'the screen says so');
    });
  }
}

for (const [before, after] of [['ended', 'revoked'], ['here', 'here'], ['expired', 'expired']]) {
  test(`A1 a refusal that tells why, after a page has said ${before}, leaves it at ${after}`, async () => {
    const { time, network } = world();
    const store = await storeWith(time, network);
    store.end(before);
    store.end('revoked');

    assert.equal(store.ended, after);
  });
}

for (const found of ['somebody', 'nobody']) {
  test(`an answer with a reason that found ${found} takes nobody in or out whom a later look found`, async () => {
    const { time, network } = world();
    const store = await storeWith(time, network);
    const slow = held();
    network.answer('GET /api/session', inTurn(slow.responder, () => json(sessionOf(time, { id: 'bob' }))));
    const first = store.loadSession('revoked');
    await store.loadSession();
    slow.letGo(json(found === 'nobody' ? NOBODY : sessionOf(time)));
    await first;

    assert.deepEqual([store.user?.id, store.ended], ['bob', '']);
  });
}

test('who signs in again is not told why they were signed out', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network);
  store.end('revoked');
  await store.loadSession();

  assert.deepEqual([store.ended, store.user?.id], ['', 'ada']);
});

test('who was never signed in was not signed out', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network, NOBODY);
  store.end('expired');

  assert.equal(store.ended, '');
});

test('a profile is kept with its version', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network);
  network.answer('GET /api/profile', () => json({ city: 'Turin' }, { headers: { ETag: '"2"' } }));

  assert.deepEqual(await news(store, () => store.loadProfile()), ['profile']);
  assert.deepEqual([store.profile, store.etag], [{ city: 'Turin' }, '"2"']);
});

test('a profile goes with the person', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network);
  network.answer('GET /api/profile', () => json({ city: 'Turin' }, { headers: { ETag: '"2"' } }));
  await store.loadProfile();
  network.answer('GET /api/session', () => json(sessionOf(time, { id: 'bob' })));

  assert.deepEqual(await news(store, () => store.loadSession()), ['person']);
  assert.deepEqual([store.profile, store.etag], [null, '']);
});

test('a profile that was asked for by one person is never shown to the next', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network);
  const slow = held();
  network.answer('GET /api/profile', inTurn(slow.responder, () => json({ displayName: 'Bob' })));
  const reading = store.loadProfile();
  network.answer('GET /api/session', () => json(sessionOf(time, { id: 'bob' })));
  await store.loadSession();
  slow.letGo(json({ displayName: 'Ada' }));

  assert.deepEqual(await reading, { displayName: 'Bob' });
  assert.deepEqual(store.profile, { displayName: 'Bob' });
});

test('a profile that is none is not kept', async () => {
  const { time, network } = world();
  const store = await storeWith(time, network);
  network.answer('GET /api/profile', () => new Response(null));

  await assert.rejects(store.loadProfile(), { slug: 'unexpected-answer' });
  assert.equal(store.profile, null);
});
