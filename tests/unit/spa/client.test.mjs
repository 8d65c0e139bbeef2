import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Problem, connect } from '../../../spa/client.js';
import { Stream, world } from '../../stage/spa/client.mjs';
import { settled } from '../../stage/spa/clock.mjs';
import { json, problem } from '../../stage/spa/network.mjs';

const PATH = '/api/notes/7';

/** @param {Promise<unknown>} call @returns {Promise<Problem>} */
async function refused(call) {
  const error = await call.then(() => assert.fail('it worked'), (reason) => reason);
  assert(error instanceof Problem, String(error));
  return error;
}

test('every request carries the header that no other site can send, and the session, and follows nobody elsewhere', async () => {
  const { asked, gateway } = world();
  await gateway.request('GET', PATH);

  const [{ url, init, headers } = assert.fail()] = asked;
  assert.deepEqual([url, init.method, init.credentials, init.redirect, init.body], [PATH, 'GET', 'include', 'error', null]);
  assert.deepEqual([headers.get('X-CSRF'), headers.get('Accept'), headers.get('Content-Type')], ['1', 'application/json', null]);
});

test('from another origin the gateway is asked at its own', async () => {
  const { asked, gateway } = world(undefined, { base: 'https://bff.example' });
  await gateway.request('GET', PATH);

  assert.equal(asked[0]?.url, `https://bff.example${PATH}`);
});

for (const [body, sent] of /** @type {[unknown, string | null][]} */ ([
  [{ text: 'Milk' }, '{"text":"Milk"}'], [[1], '[1]'], ['Milk', '"Milk"'], [0, '0'], [false, 'false'], ['', '""'], [null, 'null'], [undefined, null],
])) {
  test(`the body ${JSON.stringify(body)} is sent as ${sent}`, async () => {
    const { asked, gateway } = world();
    await gateway.request('POST', PATH, { body });

    assert.deepEqual([asked[0]?.init.body, asked[0]?.headers.get('Content-Type')], [sent, sent === null ? null : 'application/json']);
  });
}

for (const name of ['Content-Type', 'content-type', 'CONTENT-TYPE']) {
  test(`another kind of JSON is named by ${name}`, async () => {
    const { asked, gateway } = world();
    await gateway.request('PATCH', PATH, { body: {}, headers: { [name]: 'application/merge-patch+json', 'If-Match': '"1"' } });

    assert.deepEqual([asked[0]?.headers.get('Content-Type'), asked[0]?.headers.get('If-Match')], ['application/merge-patch+json', '"1"']);
  });
}

test('what else fetch takes goes to it', async () => {
  const { asked, gateway } = world();
  const { signal } = new AbortController();
  await gateway.request('GET', PATH, { signal, cache: 'reload' });

  assert.deepEqual([asked[0]?.init.signal, asked[0]?.init.cache], [signal, 'reload']);
});

for (const [what, response, data] of /** @type {[string, () => Response, unknown][]} */ ([
  ['JSON', () => json({ id: 7 }), { id: 7 }],
  ['another kind of JSON', () => json([7], { headers: { 'Content-Type': 'Application/Vnd.Api+JSON; charset=utf-8' } }), [7]],
  ['JSON that is null', () => json(null), null],
  ['nothing', () => new Response(null, { status: 204 }), undefined],
  ['nothing, by the name of JSON', () => new Response(null, { status: 204, headers: { 'Content-Type': 'application/json' } }), undefined],
  ['an empty body, by the name of JSON', () => new Response('', { headers: { 'Content-Type': 'application/json' } }), undefined],
])) {
  test(`an answer of ${what} is read`, async () => {
    assert.deepEqual((await world(response).gateway.request('GET', PATH)).data, data);
  });
}

test('an answer that is no JSON is left to be read', async () => {
  const { data, response } = await world(() => new Response('a,b', { headers: { 'Content-Type': 'text/csv' } })).gateway.request('GET', PATH);

  assert.deepEqual([data, await response.text()], [undefined, 'a,b']);
});

test('JSON that breaks off, and no answer at all, reject as they do for fetch', async () => {
  const broken = world(() => new Response('{"id', { headers: { 'Content-Type': 'application/json' } })).gateway;
  await assert.rejects(broken.request('GET', PATH), SyntaxError);
  const away = world(() => { throw new TypeError('Failed to fetch'); });
  await assert.rejects(away.gateway.request('GET', PATH), TypeError);
  assert.equal(away.asked.length, 1);
});

test('a refusal is told by its type, with its members and the time to wait', async () => {
  const { gateway } = world(() => problem('too-many-requests', 429, { title: 'Too many', upstream: 'notes' }, { 'Retry-After': '90' }));
  const error = await refused(gateway.request('GET', PATH));

  assert.deepEqual([error.slug, error.status, error.members.upstream, error.retryAfter, error.message], ['too-many-requests', 429, 'notes', 90, 'Too many']);
});

for (const body of [{}, { type: 'about:blank' }, { type: 7 }, { type: '/problems/UPPER' }, { type: '/problems/a/b' }, { type: 'https://api.example/problems/overloaded' }, null, [], 'away', 500]) {
  test(`a refusal that says ${JSON.stringify(body)} of itself is not the gateway's own`, async () => {
    const error = await refused(world(() => json(body, { status: 502 })).gateway.request('GET', PATH));

    assert.deepEqual([error.slug, error.status], ['unexpected-answer', 502]);
  });
}

const WAIT = { 'Retry-After': '2' };

for (const [what, method, first, pause] of /** @type {[string, string, () => Response, number | null][]} */ ([
  ['any request of a session that was rotated', 'PATCH', () => problem('sign-in-required', 401, { reason: 'rotated' }), 0],
  ['a look of a session that was replaced', 'GET', () => problem('sign-in-required', 401, { reason: 'replaced' }), 0],
  ['no change for a person who was replaced', 'PATCH', () => problem('sign-in-required', 401, { reason: 'replaced' }), null],
  ['nothing where the session is over', 'GET', () => problem('sign-in-required', 401, { reason: 'expired' }), null],
  ['nothing that rotates elsewhere', 'GET', () => problem('access-blocked', 403, { reason: 'rotated' }), null],
  ['any request that was too many', 'POST', () => problem('overloaded', 503, {}, WAIT), 2500],
  ['a look at what is away for a while', 'GET', () => problem('session-store-unavailable', 503, {}, WAIT), 2500],
  ['a look at an API that says so itself', 'GET', () => new Response('', { status: 503, headers: WAIT }), 2500],
  ['no change where nobody knows what became of it', 'POST', () => problem('resource-unavailable', 503, {}, WAIT), null],
  ['nothing where nobody says when', 'GET', () => problem('overloaded', 503), null],
  ['nothing where it says a date', 'GET', () => problem('overloaded', 503, {}, { 'Retry-After': 'Sat, 21 Nov 2026 20:00:00 GMT' }), null],
  ['nothing that would take too long', 'GET', () => problem('overloaded', 503, {}, { 'Retry-After': '6' }), null],
  ['nothing that fails otherwise', 'GET', () => problem('resource-unavailable', 502, {}, WAIT), null],
  ['nothing that is limited', 'GET', () => problem('too-many-requests', 429, {}, WAIT), null],
])) {
  test(`${what} is repeated${pause ? ' after a while' : ''}`, async () => {
    const { asked, gateway, time } = world((call) => (call === 1 ? first() : json({ id: 7 })));
    const call = gateway.request(method, PATH, { body: { id: 7 } }).then(({ data }) => data.id, (error) => error.status);
    await settled();
    if (pause) {
      assert.deepEqual([asked.length, time.waits], [1, [pause]]);
      await time.advance(pause);
    }

    assert.equal(await call, pause === null ? first().status : 7);
    assert.deepEqual(asked.map(({ init }) => init.body), Array(pause === null ? 1 : 2).fill('{"id":7}'));
  });
}

test('a change with an Idempotency-Key is repeated, under the same key, however that is spelled', async () => {
  const { asked, gateway, time } = world((call) => (call === 1 ? problem('authority-unavailable', 503, {}, WAIT) : json({})));
  const call = gateway.request('POST', PATH, { headers: { 'idempotency-key': 'k1' } });
  await settled();
  await time.advance(2500);
  await call;

  assert.deepEqual(asked.map(({ headers }) => headers.get('Idempotency-Key')), ['k1', 'k1']);
});

test('nothing is repeated twice', async () => {
  const { asked, gateway } = world(() => problem('sign-in-required', 401, { reason: 'rotated' }));

  assert.equal((await refused(gateway.request('GET', PATH))).slug, 'sign-in-required');
  assert.equal(asked.length, 2);
});

/** @param {Record<string, unknown>} members */
const problemWith = (members) => refused(world(() => problem('step-up-required', 403, members)).gateway.request('PATCH', PATH));

test('whoever must sign in or confirm comes back to the page, and to what waits', async () => {
  const { gateway } = world();
  const signIn = await problemWith({ redirect: '/auth/sign-in' });
  const stepUp = await problemWith({ redirect: '/auth/step-up?challenge=c', parked: { id: 'p/1' } });
  const edit = await problemWith({ redirect: '/auth/step-up?challenge=c', parked_edit: { id: 'e' } });

  assert.equal(gateway.flowUrl(signIn), `/auth/sign-in?return_to=${encodeURIComponent('/notes?page=2#seven')}`);
  assert.equal(gateway.flowUrl(stepUp), `/auth/step-up?challenge=c&return_to=${encodeURIComponent('/notes?page=2&parked=p%2F1#seven')}`);
  assert.equal(gateway.flowUrl(edit, '/'), `/auth/step-up?challenge=c&return_to=${encodeURIComponent('/?parked=e')}`);
});

test('from another origin both addresses are whole', () => {
  const { gateway, page } = world(undefined, { base: 'https://bff.example' });

  assert.equal(gateway.flowUrl('/auth/sign-up'), `https://bff.example/auth/sign-up?return_to=${encodeURIComponent(page.location.href)}`);
});

for (const redirect of [undefined, null, '', '/', '/auth', '/edit', '/auth/../api/notes', '/auth/%2e%2e/api/notes', '/auth/\\..\\..\\edit',
  // eslint-disable-next-line no-script-url -- what an API could answer
  '//elsewhere.example/auth/x', 'https://elsewhere.example/auth/x', 'https://profile.example.elsewhere/auth/x', 'javascript:alert(1)', {}, 7]) {
  test(`an API can lead nobody to ${JSON.stringify(redirect)}`, async () => {
    for (const base of ['', 'https://bff.example']) {
      const { gateway } = world(undefined, { base });
      // eslint-disable-next-line no-await-in-loop -- one base after the other
      const refusal = await problemWith({ redirect });

      assert.throws(() => gateway.flowUrl(refusal), TypeError);
    }
  });
}

for (const [base, to, asks] of /** @type {[string, string | undefined, string][]} */ ([
  ['', undefined, '/auth/sign-out?return_to=%2F'],
  ['', '/bye', '/auth/sign-out?return_to=%2Fbye'],
  ['https://bff.example', undefined, 'https://bff.example/auth/sign-out?return_to=https%3A%2F%2Fprofile.example%2F'],
])) {
  test(`signing out by ${asks} tells where to end the session of the authority`, async () => {
    const { asked, gateway } = world(() => json({ redirect: 'https://login.example/logout' }), { base });

    assert.equal(await gateway.signOut(to), 'https://login.example/logout');
    assert.deepEqual(asked.map(({ url, init }) => `${init.method} ${url}`), [`POST ${asks}`]);
  });
}

test('what waits is shown, and sent or dropped when that is said', async () => {
  const { asked, gateway } = world(() => json({ id: 'p', method: 'DELETE', path: PATH }), { at: '/notes?parked=p' });
  const waiting = await gateway.resume();
  await waiting?.send();
  await waiting?.drop();

  assert.deepEqual([waiting?.method, waiting?.path], ['DELETE', PATH]);
  assert.deepEqual(asked.map(({ url, init }) => `${init.method} ${url}`), ['GET /api/parked/p', 'POST /api/parked/p', 'DELETE /api/parked/p']);
});

test('nothing waits where no address says so, and nothing is asked', async () => {
  for (const at of ['/notes', '/notes?parked=', '/notes#parked=p']) {
    const { asked, gateway } = world(undefined, { at });
    // eslint-disable-next-line no-await-in-loop -- one address after the other
    assert.deepEqual([await gateway.resume(), asked.length], [null, 0]);
  }
});

test('what was sent, or is another\'s, waits no more; not to know is told', async () => {
  assert.equal(await world(() => problem('not-found', 404), { at: '/?parked=p' }).gateway.resume(), null);
  assert.equal((await refused(world(() => problem('sign-in-required', 401), { at: '/?parked=p' }).gateway.resume())).status, 401);
});

test('an address can\'t make the page send something else', async () => {
  const { asked, gateway } = world(undefined, { at: '/notes?parked=..%2Fnotes%2F7%3Fx' });
  await gateway.resume();

  assert.equal(asked[0]?.url, '/api/parked/..%2Fnotes%2F7%3Fx');
});

test('the page hears of its session with its cookie, from whatever origin', () => {
  const { gateway } = world(undefined, { base: 'https://bff.example' });
  const heard = /** @type {string[]} */ ([]);
  gateway.listen(({ type }) => void heard.push(type));
  const [source = assert.fail()] = Stream.opened;
  for (const type of ['access-changed', 'session-expiring', 'session-ended', 'message', 'open']) source.dispatchEvent(new Event(type));

  assert.deepEqual(heard, ['access-changed', 'session-expiring', 'session-ended']);
  assert.deepEqual([source.url, source.withCredentials], ['https://bff.example/api/session/events', true]);
});

test('a page that is told it may not listen hears that, and listens again later', async () => {
  const { gateway, time } = world();
  const heard = /** @type {string[]} */ ([]);
  gateway.listen(({ type }) => void heard.push(type));
  Stream.opened[0]?.dispatchEvent(new Event('error'));
  assert.deepEqual([heard, time.waits], [[], []]);
  Stream.opened[0]?.close();
  Stream.opened[0]?.dispatchEvent(new Event('error'));
  // Of a page that is being left, whose streams end by the same event, this is the last turn.
  assert.deepEqual([heard, time.waits], [[], [0]]);
  await time.advance(0);
  assert.deepEqual([heard, time.waits], [['error'], [30_000]]);
  await time.advance(30_000);

  assert.equal(Stream.opened.length, 2);
});

test('whoever stops listening is left alone, also where that is said while something is heard', async () => {
  const { gateway, page, time } = world();
  /** @type {(() => void)[]} */
  const ends = [];
  ends.push(gateway.listen(() => ends[0]?.()));
  Stream.opened[0]?.close();
  Stream.opened[0]?.dispatchEvent(new Event('error'));
  await time.advance(0);
  page.document.becomes('hidden');
  page.document.becomes('visible');
  await time.advance(600_000);

  assert.deepEqual([Stream.opened.length, time.waits], [1, []]);
});

test('whoever stops listening before a refusal is told hears nothing of it', async () => {
  const { gateway, time } = world();
  const end = gateway.listen(() => assert.fail('it was told'));
  Stream.opened[0]?.close();
  Stream.opened[0]?.dispatchEvent(new Event('error'));
  end();
  await time.advance(600_000);
  assert.equal(Stream.opened.length, 1);
});

test('a page that nobody looks at listens once somebody does', () => {
  const { gateway, page } = world();
  page.document.becomes('hidden');
  gateway.listen(() => undefined);
  assert.equal(Stream.opened.length, 0);
  page.document.becomes('visible');
  page.document.becomes('visible');

  assert.equal(Stream.opened.length, 1);
});

test('where event streams are blocked, that is said at once and never again', () => {
  const { page } = world();
  const gateway = connect({ world: Object.assign(page, { EventSource: class { constructor() { throw new DOMException('blocked', 'SecurityError'); } } }) });

  assert.throws(() => gateway.listen(() => undefined), DOMException);
  page.document.becomes('visible');
});
