import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError } from '../../../spa/api-error.js';
import { requester } from '../../../spa/api.js';
import { HandClock, settled } from '../../stage/spa/clock.mjs';
import { Network, inTurn, json, problem } from '../../stage/spa/network.mjs';

const PATH = '/api/profile';

/** @param {import('../../stage/spa/network.mjs').Responder} responder @param {string} [method] */
function networkWith(responder, method = 'GET') {
  const time = new HandClock();
  return { time, network: new Network(time.clock).answer(`${method} ${PATH}`, responder) };
}

/** @param {Promise<unknown>} call @returns {Promise<ApiError>} */
async function failure(call) {
  const error = await call.then(() => assert.fail('it worked'), (reason) => reason);
  assert(error instanceof ApiError, String(error));
  return error;
}

test('every call carries the header that no other site can send, and goes nowhere else', async () => {
  const { network } = networkWith(() => json({}));
  await network.request('GET', PATH);

  const [{ headers, options } = assert.fail('nothing was asked')] = network.asked;
  assert.equal(headers.get('X-CSRF'), '1');
  assert.equal(headers.get('Accept'), 'application/json');
  assert.equal(headers.get('Content-Type'), null);
  assert.equal(options.body, null);
  assert.deepEqual([options.credentials, options.cache, options.redirect], ['same-origin', 'no-store', 'error']);
});

test('a body goes as JSON, with the headers of its call', async () => {
  const { network } = networkWith(() => json({}), 'PATCH');
  await network.request('PATCH', PATH, { body: { city: null }, headers: { 'If-Match': '"1"' } });

  const [{ headers, body } = assert.fail('nothing was asked')] = network.asked;
  assert.deepEqual(body, { city: null });
  assert.equal(headers.get('Content-Type'), 'application/json');
  assert.equal(headers.get('If-Match'), '"1"');
});

test('an answer comes with its version and the server\'s clock', async () => {
  const { network } = networkWith(() => json({ city: 'Turin' }, { headers: { ETag: '"2"', Date: 'Sat, 21 Nov 2026 19:00:00 GMT' } }));

  assert.deepEqual(await network.request('GET', PATH), { data: { city: 'Turin' }, etag: '"2"', now: Date.parse('2026-11-21T19:00:00Z') });
});

for (const date of ['', 'yesterday']) {
  test(`without the server's clock (${JSON.stringify(date)}) this one counts`, async () => {
    const { time, network } = networkWith(() => json({}, { headers: date ? { Date: date } : {} }));

    assert.deepEqual(await network.request('GET', PATH), { data: {}, etag: '', now: time.now });
  });
}

test('an answer without a body is null', async () => {
  const { network } = networkWith(() => new Response(null, { status: 204 }), 'DELETE');

  assert.equal((await network.request('DELETE', PATH)).data, null);
});

for (const [what, response] of /** @type {[string, () => Response][]} */ ([
  ['a page of somebody between', () => new Response('<h1>Log in to this Wi-Fi</h1>', { headers: { 'Content-Type': 'text/html' } })],
  ['JSON that breaks off', () => new Response('{"city": "Tur', { headers: { 'Content-Type': 'application/json' } })],
  ['text without a type', () => new Response(new Blob(['{}']))],
])) {
  test(`${what} is no answer, though its status is 200`, async () => {
    const { network } = networkWith(response);
    const error = await failure(network.request('GET', PATH));

    assert.deepEqual([error.slug, error.status], ['unexpected-answer', 200]);
  });
}

test('a failure is told by its type, with its members and the time to wait', async () => {
  const { network } = networkWith(() => problem('too-many-requests', 429, { title: 'Too many', reference: '7K2M' }, { 'Retry-After': '90' }));
  const error = await failure(network.request('GET', PATH));

  assert.deepEqual([error.slug, error.status, error.reference, error.retryAfter], ['too-many-requests', 429, '7K2M', 90]);
  assert.equal(error.message, 'Too many');
});

for (const body of [{}, { type: 'about:blank' }, { type: 7 }, { type: '/problems/UPPER' }, { type: '/problems/a/b?c' }, null, [], 'away', 500]) {
  test(`a failure that says ${JSON.stringify(body)} of itself is one that we don't know`, async () => {
    const { network } = networkWith(() => json(body, { status: 502 }));
    const error = await failure(network.request('GET', PATH));

    assert.deepEqual([error.slug, error.status], ['unexpected-answer', 502]);
  });
}

const AWAY = () => { throw new TypeError('Failed to fetch'); };

test('X11 no connection is told as such, and at once', async () => {
  const { network } = networkWith(AWAY);
  network.online = false;

  assert.equal((await failure(network.request('GET', PATH))).slug, 'offline');
  assert.equal(network.asked.length, 1);
});

test('X11 a look that was refused while there is a connection is quietly tried once more, after a pause', async () => {
  const { time, network } = networkWith(inTurn(AWAY, () => json({ city: 'Turin' })));
  const call = network.request('GET', PATH);
  await settled();
  await time.advance(999);
  assert.equal(network.asked.length, 1);
  await time.advance(1);

  assert.deepEqual((await call).data, { city: 'Turin' });
});

test('X11 a look that is refused twice can\'t be answered, which is not to be offline', async () => {
  const { time, network } = networkWith(AWAY);
  const call = failure(network.request('GET', PATH));
  await settled();
  await time.advance(1000);

  assert.equal((await call).slug, 'unreachable');
  assert.equal(network.asked.length, 2);
});

test('X11 a connection that is lost in the pause is told as such', async () => {
  const { time, network } = networkWith(AWAY);
  const call = failure(network.request('GET', PATH));
  await settled();
  await time.advance(999);
  network.online = false;
  await time.advance(1);

  assert.equal((await call).slug, 'offline');
});

test('X11 a change that was refused is not sent again by itself', async () => {
  const { network } = networkWith(AWAY, 'PATCH');

  assert.equal((await failure(network.request('PATCH', PATH))).slug, 'unreachable');
  assert.equal(network.asked.length, 1);
});

test('an answer is waited for ten seconds', async () => {
  const { time, network } = networkWith(({ options }) => new Promise((_, reject) => {
    options.signal?.addEventListener('abort', () => reject(options.signal?.reason));
  }));
  const call = failure(network.request('GET', PATH));
  let over = false;
  call.finally(() => (over = true));

  await time.advance(9_999);
  assert.equal(over, false);
  await time.advance(1);
  assert.equal((await call).slug, 'timeout');
});

test('a body that never comes to its end is not waited for either', async () => {
  const { time, network } = networkWith(({ options }) => new Response(
    new ReadableStream({
      start: (stream) => options.signal?.addEventListener('abort', () => stream.error(options.signal?.reason)),
    }),
    { headers: { 'Content-Type': 'application/json' } },
  ));
  const call = failure(network.request('GET', PATH));

  await time.advance(10_000);
  assert.equal((await call).slug, 'timeout');
});

test('no alarm is left behind, whatever came', async () => {
  for (const responder of [() => json({}), () => problem('misconfigured', 500), () => { throw new TypeError('away'); }]) {
    const { time, network } = networkWith(responder);
    const call = network.request('GET', PATH).catch(() => undefined);
    // eslint-disable-next-line no-await-in-loop -- one after the other, to know which
    await settled().then(() => time.advance(1000)).then(() => call);
    assert.deepEqual(time.waits, []);
  }
});

for (const [method, reason, times] of /** @type {[string, string, number][]} */ ([
  ['GET', 'rotated', 2],
  ['PATCH', 'rotated', 2],
  ['GET', 'replaced', 2],
  // It may be somebody else who is signed in now.
  ['PATCH', 'replaced', 1],
  ['GET', 'expired', 1],
])) {
  test(`after a session that was ${reason}, ${method} is called ${times === 1 ? 'no second time' : 'once more'}`, async () => {
    const ended = () => problem('sign-in-required', 401, { reason });
    const { network } = networkWith(inTurn(ended, () => json({ city: 'Turin' })), method);
    const outcome = await network.request(method, PATH).then(({ data }) => data, (error) => error.reason);

    assert.equal(network.asked.length, times);
    assert.deepEqual(outcome, times === 2 ? { city: 'Turin' } : reason);
  });
}

test('a session that goes on rotating is not asked for ever', async () => {
  const { network } = networkWith(() => problem('sign-in-required', 401, { reason: 'rotated' }));
  const error = await failure(network.request('GET', PATH));

  assert.equal(error.signedOut, true);
  assert.equal(network.asked.length, 2);
});

test('what breaks while the answer is read is no fault of the caller', async () => {
  const time = new HandClock();
  const request = requester({ fetch: async () => new Response(new ReadableStream({ start: (stream) => stream.error(new Error('reset')) })), clock: time.clock, online: () => true });
  const call = failure(request('GET', PATH));
  await settled();
  await time.advance(1000);

  assert.equal((await call).slug, 'unreachable');
});
