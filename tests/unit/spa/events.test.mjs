import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hear } from '../../../spa/events.js';
import { HandClock, settled } from '../../stage/spa/clock.mjs';
import { Network, json, problem } from '../../stage/spa/network.mjs';
import { NOBODY, sessionOf, storeWith } from '../../stage/spa/people.mjs';
import { FakeWindow } from '../../stage/spa/window.mjs';

const OPEN = 1;
const CLOSED = 2;

/** A stream of events that the test sends. */
class Stream extends EventTarget {
  readyState = OPEN;

  /** @param {string} url */
  constructor(url) {
    super();
    this.url = url;
  }

  close() { this.readyState = CLOSED; }

  /** @param {string} type @param {string} [data] */
  async sends(type, data = '{}') {
    this.dispatchEvent(new MessageEvent(type, { data }));
    await settled();
  }

  /** The browser gave up, or, `for` a while, only lost the connection. @param {HandClock} time */
  async fails(time, { forGood = true } = {}) {
    if (forGood) this.readyState = CLOSED;
    await this.sends('error');
    await time.advance(0);
  }
}

/** @param {{session?: (time: HandClock) => unknown, supported?: boolean}} [how] */
async function world({ session = (time) => sessionOf(time), supported = true } = {}) {
  const time = new HandClock();
  const network = new Network(time.clock);
  const store = await storeWith(time, network, session(time));
  /** @type {Stream[]} */
  const streams = [];
  class EventSource extends Stream {
    /** @param {string} url */
    constructor(url) {
      super(url);
      streams.push(this);
    }
  }
  const window = Object.assign(new FakeWindow(), supported ? { EventSource } : {});
  hear({ page: window, store, clock: time.clock, random: () => 0.5 });
  const open = () => streams.filter(({ readyState }) => readyState === OPEN).length;
  const newest = () => streams.at(-1) ?? assert.fail('nothing was opened');
  return { time, network, store, streams, window, open, newest };
}

test('a page with somebody signed in holds one connection', async () => {
  const { newest, open, store } = await world();
  await store.loadSession();

  assert.deepEqual([open(), newest().url], [1, '/api/session/events']);
});

test('a page with nobody signed in holds none, until somebody is', async () => {
  const { network, open, store, time } = await world({ session: () => NOBODY });
  assert.equal(open(), 0);
  network.answer('GET /api/session', () => json(sessionOf(time)));
  await store.loadSession();

  assert.equal(open(), 1);
});

test('a browser without event streams goes without', async () => {
  const { streams, window } = await world({ supported: false });
  window.document.becomes('visible');

  assert.equal(streams.length, 0);
});

test('a page that nobody looks at holds no connection', async () => {
  const { open, streams, window } = await world();
  window.document.becomes('hidden');
  assert.equal(open(), 0);
  window.document.becomes('visible');

  assert.deepEqual([open(), streams.length], [1, 2]);
});

test('a page that is left lets go, and takes up again when it comes back', async () => {
  const { open, window } = await world();
  window.dispatchEvent(new Event('pagehide'));
  assert.equal(open(), 0);
  window.dispatchEvent(new Event('pageshow'));

  assert.equal(open(), 1);
});

test('what may be done has changed: the page asks', async () => {
  const { network, newest, store, time } = await world();
  network.answer('GET /api/session', () => json(sessionOf(time, { edit: 'granted' })));
  await newest().sends('access-changed');

  assert.equal(store.mayEdit, true);
});

test('a session that ends soon is asked about, and then told', async () => {
  const { network, newest, store } = await world();
  let calls = -1;
  store.addEventListener('expiring', () => (calls = network.calls.length));
  await newest().sends('session-expiring');

  assert.equal(calls, 1);
});

for (const [data, reason] of /** @type {[string, string][]} */ ([
  ['{"reason": "revoked"}', 'revoked'], ['{}', 'ended'], ['', 'ended'], ['null', 'ended'], ['{"reason": 7}', 'ended'], ['[', 'ended'],
])) {
  test(`a session that ended with ${data || 'nothing'} is told as ${reason}`, async () => {
    const { network, newest, open, store } = await world();
    network.answer('GET /api/session', () => json(NOBODY));
    await newest().sends('session-ended', data);

    assert.deepEqual([store.user, store.ended, open()], [null, reason, 0]);
  });
}

test('an event is not believed where the server says otherwise, and the next connection is a new one', async () => {
  const { newest, open, store, streams } = await world();
  await newest().sends('session-ended', '{"reason": "replaced"}');

  assert.deepEqual([store.user?.id, open(), streams.length], ['ada', 1, 2]);
});

test('a connection that was only lost is the browser\'s to restore', async () => {
  const { network, newest, streams, time } = await world();
  await newest().fails(time, { forGood: false });
  await time.advance(600_000);

  assert.deepEqual([streams.length, network.calls.length], [1, 0]);
});

test('a refused connection is asked about at once and tried again later, ever more seldom', async () => {
  const { network, newest, streams, time } = await world();
  const pauses = [];
  for (let turn = 0; turn < 6; turn += 1) {
    // eslint-disable-next-line no-await-in-loop -- one refusal after the other
    await newest().fails(time);
    const [pause = 0] = time.waits;
    pauses.push(pause / 1000);
    // eslint-disable-next-line no-await-in-loop -- the same
    await time.advance(pause);
  }

  assert.deepEqual(pauses, [30, 60, 120, 240, 300, 300]);
  assert.deepEqual([network.calls.length, streams.length], [6, 7]);
});

test('once a connection was there, the next refusal is the first again', async () => {
  const { newest, time } = await world();
  await newest().fails(time);
  await time.advance(30_000);
  await newest().sends('open');
  await newest().fails(time);

  assert.deepEqual(time.waits, [30_000]);
});

test('while it waits, nothing is opened by looking at the page', async () => {
  const { newest, streams, time, window } = await world();
  await newest().fails(time);
  window.document.becomes('visible');

  assert.equal(streams.length, 1);
});

test('a page that is hidden while it waits does not wait any more', async () => {
  const { newest, open, time, window } = await world();
  await newest().fails(time);
  window.document.becomes('hidden');

  assert.deepEqual(time.waits, []);
  window.document.becomes('visible');
  assert.equal(open(), 1);
});

test('pages of many people do not come back in the same moment', async () => {
  const time = new HandClock();
  const store = await storeWith(time, new Network(time.clock));
  /** @type {Stream[]} */
  const streams = [];
  const window = Object.assign(new FakeWindow(), { EventSource: class extends Stream {
    /** @param {string} url */
    constructor(url) {
      super(url);
      streams.push(this);
    }
  } });
  hear({ page: window, store, clock: time.clock, random: () => 0 });
  await streams[0]?.fails(time);

  assert.deepEqual(time.waits, [15_000]);
});

test('not to know is no reason to take the page away', async () => {
  const { network, newest, store, time } = await world();
  network.answer('GET /api/session', () => problem('session-store-unavailable', 503));
  await newest().fails(time);

  assert.equal(store.user?.id, 'ada');
});
