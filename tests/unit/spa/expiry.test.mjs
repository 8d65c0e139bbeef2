import assert from 'node:assert/strict';
import { test } from 'node:test';

import { watch } from '../../../spa/expiry.js';
import { HandClock } from '../../stage/spa/clock.mjs';
import { Network, json, problem } from '../../stage/spa/network.mjs';
import { NOBODY, sessionOf, storeWith } from '../../stage/spa/people.mjs';

const HOUR = 3600;

/** A page that watches a session. @param {{idle?: number, absolute?: number}} ends seconds until they come */
async function world(ends) {
  const time = new HandClock();
  const network = new Network(time.clock);
  const first = sessionOf(time, ends);
  const store = await storeWith(time, network, first);
  /** @type {string[]} */
  const acts = [];
  /** What is asked now: how it ends and how to answer. @type {{final: boolean, left: () => number, answer: (answer: string) => Promise<void>} | null} */
  let open = null;
  let asked = 0;
  watch({
    store,
    clock: time.clock,
    question: {
      ask: ({ final, left }, opened) => new Promise((resolve) => {
        const answer = (/** @type {string} */ text) => {
          open = null;
          resolve(text);
        };
        asked += 1;
        open = { final, left, answer: async (text) => {
          answer(text);
          await time.advance(0);
        } };
        opened(answer);
      }),
      signIn: () => void acts.push('sign in'),
      signOut: () => void acts.push('sign out'),
      stayed: () => void acts.push('stayed'),
    },
  });
  return {
    time, network, store, acts,
    asked: () => asked,
    open: () => open,
    question: () => open ?? assert.fail('nothing is asked'),
    /** The server says these ends from now on. @param {{idle?: number, absolute?: number}} later */
    becomes: (later) => {
      const session = sessionOf(time, later);
      network.answer('GET /api/session', () => json(session));
    },
    ends: () => network.answer('GET /api/session', () => json(NOBODY)),
    advance: (/** @type {number} */ seconds) => time.advance(seconds * 1000),
  };
}

test('the person is warned two minutes before the session ends, once the server was asked', async () => {
  const { advance, network, open, question } = await world({ idle: 1800 });
  await advance(1679);
  assert.deepEqual([open(), network.calls], [null, []]);
  await advance(1);

  assert.deepEqual([question().final, question().left(), network.calls], [false, 120, ['GET /api/session']]);
});

test('a session of less than four minutes is warned about half-way', async () => {
  const { advance, open } = await world({ idle: 60 });
  await advance(29);
  assert.equal(open(), null);
  await advance(1);

  assert.notEqual(open(), null);
});

test('a session that another tab prolonged is not warned about', async () => {
  const { advance, becomes, open } = await world({ idle: 1800 });
  await advance(600);
  becomes({ idle: 1800 });
  await advance(1080);
  assert.equal(open(), null);
  await advance(600);

  assert.notEqual(open(), null);
});

test('a session that is found ended is not warned about', async () => {
  const { advance, asked, ends, store } = await world({ idle: 1800 });
  ends();
  await advance(HOUR);

  assert.deepEqual([store.user, asked()], [null, 0]);
});

for (const [absolute, final] of /** @type {[number, boolean][]} */ ([[1800, true], [1801, true], [1802, false], [28_800, false]])) {
  test(`activity ${final ? 'can\'t prolong' : 'prolongs'} a session of at most ${absolute} seconds that would end after 1800 unused`, async () => {
    const { advance, question } = await world({ idle: 1800, absolute });
    await advance(1680);

    assert.equal(question().final, final);
  });
}

test('how long the session of another person was says nothing about this one', async () => {
  const { advance, network, open, store, time } = await world({ idle: 1800 });
  const bob = sessionOf(time, { id: 'bob', idle: 60 });
  network.answer('GET /api/session', () => json(bob));
  await store.loadSession();
  await advance(29);
  assert.equal(open(), null);
  await advance(1);

  assert.notEqual(open(), null);
});

test('whoever stays is active, and asked again before the next end', async () => {
  const { acts, advance, asked, becomes, network, open, question } = await world({ idle: 1800 });
  network.answer('GET /api/profile', () => json({}));
  await advance(1700);
  becomes({ idle: 1800 });
  await question().answer('stay');
  assert.deepEqual([acts, network.calls.slice(1), open()], [['stayed'], ['GET /api/profile', 'GET /api/session'], null]);
  await advance(1679);
  assert.equal(asked(), 1);
  await advance(1);

  assert.equal(asked(), 2);
});

test('whoever wants to stay and can\'t be heard is asked again', async () => {
  const { acts, advance, asked, network, question } = await world({ idle: 1800 });
  network.answer('GET /api/profile', () => problem('session-store-unavailable', 503)).answer('GET /api/session', () => problem('session-store-unavailable', 503));
  await advance(1680);
  await question().answer('stay');
  assert.deepEqual(acts, []);
  await advance(1);

  assert.equal(asked(), 2);
});

test('an end that was accepted is not asked about again, and is noticed', async () => {
  const { advance, asked, ends, question, store, time } = await world({ idle: 1800, absolute: 1800 });
  await advance(1680);
  await question().answer('later');
  assert.deepEqual(time.waits, [121_000], 'a second after the end');
  await advance(119);
  ends();
  await advance(2);

  assert.deepEqual([asked(), store.user], [1, null]);
});

test('an end that was accepted says nothing about the end of another session', async () => {
  const { advance, asked, becomes, question, store } = await world({ idle: 1800, absolute: 1800 });
  await advance(1680);
  await question().answer('later');
  becomes({ idle: 1800, absolute: HOUR });
  await store.loadSession();
  await advance(1680);

  assert.equal(asked(), 2);
});

for (const [answer, act] of [['again', 'sign in'], ['out', 'sign out']]) {
  test(`to ${act} is done at once; where the person stays after all, the end is noticed`, async () => {
    const { acts, advance, asked, ends, question, store, time } = await world({ idle: 1800 });
    await advance(1680);
    await question().answer(String(answer));
    assert.deepEqual([acts, time.waits], [[act], [121_000]]);
    await advance(119);
    assert.equal(asked(), 1);
    ends();
    await advance(2);

    assert.equal(store.user, null);
  });
}

test('a session that ends elsewhere takes the question away', async () => {
  const { advance, ends, open, store } = await world({ idle: 1800 });
  await advance(1680);
  ends();
  await store.loadSession();

  assert.equal(open(), null);
});

test('a session that another tab prolongs takes the question away', async () => {
  const { advance, asked, becomes, open, store } = await world({ idle: 1800 });
  await advance(1680);
  becomes({ idle: 1800 });
  await store.loadSession();
  await advance(10);

  assert.deepEqual([open(), asked()], [null, 1]);
});

test('asking the server does not take the question away by itself', async () => {
  const { advance, open, store } = await world({ idle: 1800 });
  await advance(1680);
  await store.loadSession();

  assert.notEqual(open(), null);
});

test('the countdown that runs out asks the server, which has the last word', async () => {
  const { advance, ends, network, question, store } = await world({ idle: 1800 });
  await advance(1800);
  ends();
  await question().answer('over');

  assert.deepEqual([network.calls.length, store.user], [2, null]);
});

test('a question that was closed because the person is gone sets nothing off', async () => {
  const { acts, advance, ends, network, question, store } = await world({ idle: 1800 });
  await advance(1680);
  ends();
  const { answer } = question();
  await store.loadSession();
  await answer('');

  assert.deepEqual([acts, network.calls.length], [[], 2]);
});

test('the server may say by itself that it is time', async () => {
  const { advance, open, store } = await world({ idle: 125 });
  store.dispatchEvent(new Event('expiring'));
  await advance(0);

  assert.notEqual(open(), null);
});

for (const [idle, why] of /** @type {[number, string][]} */ ([[2, 'there is nothing left to decide'], [126, 'another tab has prolonged it']])) {
  test(`what the server said is not passed on where ${why}`, async () => {
    const { asked, store } = await world({ idle });
    store.dispatchEvent(new Event('expiring'));

    assert.equal(asked(), 0);
  });
}

test('the question is put once, whoever says first that it is time', async () => {
  const { advance, asked, store } = await world({ idle: 1800 });
  await advance(1680);
  store.dispatchEvent(new Event('expiring'));

  assert.equal(asked(), 1);
});

test('the ends are the server\'s, not this clock\'s', async () => {
  const { advance, becomes, network, open, store, time } = await world({ idle: 1800 });
  const ahead = sessionOf(time, { idle: 1800 });
  network.answer('GET /api/session', () => json(ahead, { headers: { Date: new Date(time.now + 600_000).toUTCString() } }));
  await store.loadSession();
  await advance(1079);
  assert.equal(open(), null);
  becomes({ idle: 120 });
  await advance(1);

  assert.notEqual(open(), null);
});

test('a session that never ends soon is looked at when a timer can\'t be set longer', async () => {
  const { time } = await world({ idle: 1e7, absolute: 1e7 });

  assert.deepEqual(time.waits, [2 ** 31 - 1]);
});

test('a session without ends is looked at again and again, and nobody is bothered', async () => {
  const { advance, asked, network } = await world({ idle: 1800 });
  network.answer('GET /api/session', () => json({ authenticated: true, user: { id: 'ada' } }));
  await advance(1685);

  assert.deepEqual([asked(), network.calls.length], [0, 6]);
});
