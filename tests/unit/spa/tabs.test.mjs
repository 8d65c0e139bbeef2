import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { tabs } from '../../../spa/tabs.js';
import { HandClock, settled } from '../../stage/spa/clock.mjs';
import { Network, json, problem } from '../../stage/spa/network.mjs';
import { NOBODY, storeWith } from '../../stage/spa/people.mjs';
import { FakeWindow } from '../../stage/spa/window.mjs';

/** A tab that listens, and another one's end of the channel. @param {import('node:test').TestContext} context */
async function world(context, { open = true } = {}) {
  const time = new HandClock();
  const network = new Network(time.clock);
  const store = await storeWith(time, network);
  const window = new FakeWindow();
  const other = new BroadcastChannel(`stepup ${context.name}`);
  const own = new BroadcastChannel(`stepup ${context.name}`);
  context.after(() => [other, own].forEach((channel) => channel.close()));
  const heard = { saved: 0, dropped: 0, opened: 0 };
  const made = tabs({
    page: window,
    open: () => {
      heard.opened += 1;
      if (open) return own;
      throw new DOMException('The operation is insecure.', 'SecurityError');
    },
    store,
    drop: () => void (heard.dropped += 1),
    now: time.clock.now,
  });
  made.listen(() => void (heard.saved += 1));
  /** Says something in the other tab, and waits until it was heard here. @param {unknown} news */
  const says = async (news) => {
    const arrived = once(own, 'message');
    other.postMessage(news);
    await arrived;
    await settled();
  };
  return { time, network, store, window, heard, other, says, ...made };
}

test('what was saved in another tab is shown here, and asked about', async (context) => {
  const { heard, network, says } = await world(context);
  await says('saved');

  assert.deepEqual([heard, network.calls], [{ saved: 1, dropped: 0, opened: 1 }, ['GET /api/session']]);
});

test('signing out in another tab empties this one before the server has answered', async (context) => {
  const { heard, network, says, store } = await world(context);
  network.answer('GET /api/session', () => problem('session-store-unavailable', 503));
  await says('signed-out');

  assert.deepEqual([heard, store.user, store.ended], [{ saved: 0, dropped: 1, opened: 1 }, null, 'signed-out']);
});

test('signing in in another tab is asked about', async (context) => {
  const { heard, network, says } = await world(context);
  await says('signed-in');

  assert.deepEqual([heard, network.calls], [{ saved: 0, dropped: 0, opened: 1 }, ['GET /api/session']]);
});

for (const odd of [null, { type: 'signed-out' }, 'SIGNED-OUT', 7]) {
  test(`a message like ${JSON.stringify(odd)} changes nothing by itself`, async (context) => {
    const { heard, says, store } = await world(context);
    await says(odd);

    assert.deepEqual([heard, store.user?.id], [{ saved: 0, dropped: 0, opened: 1 }, 'ada']);
  });
}

test('every message is asked about, however close they are', async (context) => {
  const { network, says } = await world(context);
  await says('saved');
  await says('saved');

  assert.equal(network.calls.length, 2);
});

test('what is told here is heard in the other tab', async (context) => {
  const { other, tell } = await world(context);
  const arrived = once(other, 'message');
  tell('signed-out');
  const [event] = await arrived;

  assert.equal(event.data, 'signed-out');
});

test('a tab that comes back to view asks, and not twice within a second', async (context) => {
  const { network, time, window } = await world(context);
  window.document.becomes('hidden');
  window.document.becomes('visible');
  window.dispatchEvent(new Event('online'));
  await time.advance(999);
  window.document.becomes('visible');
  assert.equal(network.calls.length, 1);
  await time.advance(1);
  window.document.becomes('visible');

  assert.equal(network.calls.length, 2);
});

test('a device that has a connection again asks', async (context) => {
  const { network, window } = await world(context);
  window.dispatchEvent(new Event('online'));

  assert.deepEqual(network.calls, ['GET /api/session']);
});

test('a page from the browser\'s memory asks at once; one that was loaded has asked', async (context) => {
  const { network, window } = await world(context);
  window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }));
  assert.equal(network.calls.length, 0);
  window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));

  assert.equal(network.calls.length, 2);
});

test('not to know is no reason to take the page away', async (context) => {
  const { network, store, window } = await world(context);
  network.answer('GET /api/session', () => { throw new TypeError('Failed to fetch'); });
  window.dispatchEvent(new Event('online'));
  await settled();

  assert.equal(store.user?.id, 'ada');
});

test('a browser without channels still asks when it is looked at', async (context) => {
  const { heard, network, store, tell, window } = await world(context, { open: false });
  tell('saved');
  assert.equal(heard.opened, 1, 'it was tried once');
  network.answer('GET /api/session', () => json(NOBODY));
  window.document.becomes('visible');
  await settled();

  assert.equal(store.user, null);
});
