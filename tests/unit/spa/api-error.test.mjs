import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError } from '../../../spa/api-error.js';

test('what a step-up needs is taken from the answer', () => {
  const error = new ApiError('step-up-required', 403, {
    redirect: '/auth/step-up?challenge=1',
    parked_edit: { id: 'Z0pq', expires_at: '2026-11-21T20:10:00Z' },
  });

  assert.equal(error.needsStepUp, true);
  assert.equal(error.redirect, '/auth/step-up?challenge=1');
  assert.deepEqual(error.parked, { id: 'Z0pq', expires_at: '2026-11-21T20:10:00Z' });
});

for (const odd of [null, undefined, 'text', 7, [], { title: 1, detail: [], reference: {}, reason: 2, redirect: true, parked_edit: 'Z', errors: {} }]) {
  test(`a body like ${JSON.stringify(odd)} says nothing`, () => {
    const error = new ApiError('misconfigured', 500, odd);

    assert.deepEqual(
      [error.title, error.detail, error.reference, error.reason, error.redirect, error.parked, error.errors],
      ['', '', '', undefined, '', { id: '', expires_at: '' }, []],
    );
    assert.equal(error.message, 'misconfigured');
  });
}

test('wrong fields are listed, and what is no field among them left out', () => {
  const error = new ApiError('invalid-profile-patch', 422, {
    errors: [{ field: 'city', code: 'too_long', detail: 'At most 128.' }, null, 'city', { field: 7, code: 'required' }],
  });

  assert.deepEqual(error.errors, [{ field: 'city', code: 'too_long', detail: 'At most 128.' }, { field: '', code: 'required', detail: '' }]);
});

for (const [text, seconds] of /** @type {[string, number][]} */ ([
  ['0', 0], ['90', 90], ['', 0], ['-5', 0], ['1e9', 0], ['Infinity', 0], ['Sat, 21 Nov 2026 20:00:00 GMT', 0],
])) {
  test(`Retry-After: ${text} asks to wait ${seconds} seconds`, () => {
    assert.equal(new ApiError('too-many-requests', 429, null, new Headers({ 'Retry-After': text })).retryAfter, seconds);
  });
}

test('each question is about one type of problem', () => {
  const asked = /** @type {const} */ (['signedOut', 'needsStepUp', 'changedElsewhere', 'invalid']);
  const slugs = ['sign-in-required', 'step-up-required', 'profile-changed', 'invalid-profile-patch', 'offline'];
  const answers = slugs.map((slug) => asked.filter((name) => new ApiError(slug)[name]));

  assert.deepEqual(answers, [['signedOut'], ['needsStepUp'], ['changedElsewhere'], ['invalid'], []]);
});

test('an error of the browser\'s own has no status and is named for a log', () => {
  const error = new ApiError('offline');

  assert.deepEqual([error.status, error.retryAfter, String(error)], [0, 0, 'ApiError: offline']);
});

test('gone and unsure are told by the status and by the outcome', () => {
  assert.equal(new ApiError('not-found', 404).gone, true);
  assert.equal(new ApiError('not-found', 0).gone, false);
  assert.equal(new ApiError('resource-unavailable', 503, { outcome: 'unknown' }).unsure, true);
  assert.equal(new ApiError('resource-unavailable', 503, { outcome: true }).unsure, false);
});
