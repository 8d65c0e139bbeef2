import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changesIn, claimsIn, profileIn, redirectIn, sessionIn, sessionsIn } from '../../../spa/answers.js';
import { ApiError } from '../../../spa/api-error.js';

const UNEXPECTED = (/** @type {unknown} */ error) => error instanceof ApiError && error.slug === 'unexpected-answer';

test('a session says who is signed in, until when, and what they may do', () => {
  const session = sessionIn({
    authenticated: true,
    user: { id: '6d3a', name: 'Ada', username: 'ada@example.com', email_hint: null },
    expires: { idle_at: '2026-11-21T20:30:00Z', absolute_at: '2026-11-22T04:00:00Z' },
    access: { 'profile.edit': 'granted' },
    step_up: '/auth/step-up?action=other',
    sign_out: '/auth/leave',
  });

  assert.deepEqual(session, {
    user: { id: '6d3a', name: 'Ada', username: 'ada@example.com', email_hint: '' },
    expires: { idle_at: '2026-11-21T20:30:00Z', absolute_at: '2026-11-22T04:00:00Z' },
    access: { 'profile.edit': 'granted' },
    sign_in: '/auth/sign-in',
    sign_up: '/auth/sign-up',
    sign_out: '/auth/leave',
    step_up: '/auth/step-up?action=other',
  });
});

for (const odd of [{}, { authenticated: false }, { authenticated: 'true', user: { id: '6d3a' } }, { authenticated: false, user: { id: '6d3a' } }]) {
  test(`${JSON.stringify(odd)} is nobody's session`, () => {
    assert.deepEqual(sessionIn(odd), {
      user: null,
      expires: { idle_at: '', absolute_at: '' },
      access: {},
      sign_in: '/auth/sign-in',
      sign_up: '/auth/sign-up',
      sign_out: '/auth/sign-out',
      step_up: '/auth/step-up?action=profile.edit',
    });
  });
}

for (const odd of [null, [], 'signed in', { authenticated: true }, { authenticated: true, user: 'ada' }, { authenticated: true, user: { id: 7 } }]) {
  test(`${JSON.stringify(odd)} is no answer about a session`, () => {
    assert.throws(() => sessionIn(odd), UNEXPECTED);
  });
}

test('a session without its ends is still a session', () => {
  const session = sessionIn({ authenticated: true, user: { id: '6d3a' }, expires: null, access: [] });

  assert.deepEqual([session.expires, session.access], [{ idle_at: '', absolute_at: '' }, {}]);
});

test('a profile has texts and nothing else', () => {
  assert.deepEqual(profileIn({ city: 'Turin', state: null, businessPhones: [] }), { city: 'Turin', state: null });
  assert.throws(() => profileIn(null), UNEXPECTED);
});

test('a parked edit is a list of changes', () => {
  assert.deepEqual(changesIn({ changes: [{ field: 'city', from: null, to: 'Turin' }, 'odd'] }), [{ field: 'city', from: null, to: 'Turin' }]);
  assert.deepEqual(changesIn({ changes: [{ field: 'city', from: 'Turin', to: null }] }), [{ field: 'city', from: 'Turin', to: null }]);
  assert.deepEqual(changesIn({}), []);
  assert.throws(() => changesIn([]), UNEXPECTED);
});

test('listed sessions have every column', () => {
  const row = { id: '5da4', device: 'Firefox', created_at: '2026-11-21T20:00:00Z', last_seen_at: '2026-11-21T20:04:00Z', last_mfa_at: null, current: true };

  assert.deepEqual(sessionsIn({ sessions: [row] }), [{ ...row, last_mfa_at: '' }]);
  assert.deepEqual(sessionsIn({ sessions: [{ current: 'yes' }] }), [{ id: '', device: '', created_at: '', last_seen_at: '', last_mfa_at: '', current: false }]);
});

test('claims are whatever they are', () => {
  assert.deepEqual(claimsIn({ claims: { iat: 1, amr: ['pwd'] } }), { iat: 1, amr: ['pwd'] });
  assert.deepEqual(claimsIn({}), {});
});

test('signing out without an address leads to the start page', () => {
  assert.equal(redirectIn({ redirect: 'https://login.example/out' }), 'https://login.example/out');
  assert.equal(redirectIn({}), '/');
  assert.throws(() => redirectIn(null), UNEXPECTED);
});
