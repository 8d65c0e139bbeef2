import assert from 'node:assert/strict';
import { test } from 'node:test';

import { activityIn, changesIn, claimsIn, profileIn, redirectIn, sessionIn, sessionsIn } from '../../../spa/answers.js';
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
    change_password: 'https://login.example.com/password?app=1',
  });

  assert.deepEqual(session, {
    user: { id: '6d3a', name: 'Ada', username: 'ada@example.com', email_hint: '' },
    expires: { idle_at: '2026-11-21T20:30:00Z', absolute_at: '2026-11-22T04:00:00Z' },
    access: { 'profile.edit': 'granted' },
    sign_in: '/auth/sign-in',
    sign_up: '/auth/sign-up',
    sign_out: '/auth/leave',
    step_up: '/auth/step-up?action=other',
    reason: '',
    change_password: 'https://login.example.com/password?app=1',
  });
});

// eslint-disable-next-line no-script-url -- what must not become a link
for (const odd of ['javascript:alert(1)', 'data:text/html,x', '//elsewhere.example', '/password', ' https://elsewhere.example', null, 7, {}]) {
  test(`A8 ${JSON.stringify(odd)} is no place to change a password`, () => {
    assert.equal(sessionIn({ authenticated: true, user: { id: '6d3a' }, change_password: odd }).change_password, '');
  });
}

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
      reason: '',
      change_password: '',
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

test('an entry of the activity has what is told of it, and nothing else', () => {
  const told = { at: '2026-11-21T20:04:00Z', event: 'profile-edit', outcome: 'success', device: 'Firefox on Linux', network: '203.0.113.0/24', reference: '7K2M-9QXR' };
  const [edit, end] = activityIn({
    entries: [
      { ...told, fields: ['city', 'state'], session: { id: '0c6f', current: true }, value: 'Turin' },
      { event: 'session-end', sessions: 2, reason: 'ended-elsewhere' },
    ],
  });

  assert.deepEqual(edit, { ...told, reason: '', fields: ['city', 'state'], sessions: 0, current: true });
  assert.deepEqual(end, { at: '', event: 'session-end', outcome: '', reason: 'ended-elsewhere', device: '', network: '', reference: '', fields: [], sessions: 2, current: false });
});

test('odd entries of the activity are as if they were not there', () => {
  assert.deepEqual(activityIn({}), []);
  assert.deepEqual(activityIn({ entries: 'none' }), []);
  assert.deepEqual(activityIn({ entries: [null, 'a', { fields: 'city', session: 'x', sessions: 'two' }] }),
    activityIn({ entries: [{}] }));
  assert.throws(() => activityIn([]), UNEXPECTED);
});
