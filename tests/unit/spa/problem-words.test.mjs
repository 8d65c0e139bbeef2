import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';

import { ApiError } from '../../../spa/api-error.js';
import { begin, drop, keep } from '../../../spa/draft.js';
import { problemWords } from '../../../spa/problem-words.js';
import { t } from '../../../spa/words.js';

afterEach(drop);

const NOTHING = 'Nothing was changed.';
const KEPT = 'Nothing was changed; your changes are kept.';
const UNSURE = 'We don’t know yet whether your change was saved. Trying again is safe: the same change is never made twice.';

test('a problem is told in our own words, not in the server\'s', () => {
  const words = problemWords(new ApiError('access-blocked', 403, { title: 'Blocked', detail: 'AADSTS53003', reference: '7K2M' }));

  assert.deepEqual([words.title, words.happened, words.todo, words.reference],
    [t('problem.access-blocked.title'), t('problem.access-blocked.happened'), t('problem.access-blocked.todo'), '7K2M']);
});

test('a problem that this release does not know is told in the server\'s words', () => {
  const words = problemWords(new ApiError('new-problem', 500, { title: 'New', detail: 'Something new.' }));

  assert.deepEqual([words.title, words.happened, words.todo], ['New', 'Something new.', t('problem.unexpected-answer.todo')]);
});

for (const odd of [null, {}, { title: 7, detail: [] }, { title: '', detail: '' }]) {
  test(`a problem that this release does not know and that says ${JSON.stringify(odd)} is one that we couldn't read`, () => {
    const words = problemWords(new ApiError('new-problem', 500, odd));

    assert.deepEqual([words.title, words.happened, words.reference], [t('problem.unexpected-answer.title'), t('problem.unexpected-answer.happened'), '']);
  });
}

test('changes that are kept are spoken of where there are some', () => {
  assert.equal(problemWords(new ApiError('resource-unavailable', 503)).data, NOTHING);
  keep(begin('ada', {}, ''));
  assert.equal(problemWords(new ApiError('resource-unavailable', 503)).data, KEPT);
});

test('where nothing can have been lost, nothing is said of drafts', () => {
  keep(begin('ada', {}, ''));

  assert.equal(problemWords(new ApiError('not-found', 404)).data, NOTHING);
});

test('doubt is spoken of only where something was sent', () => {
  assert.equal(problemWords(new ApiError('timeout'), { wrote: true }).data, UNSURE);
  assert.equal(problemWords(new ApiError('timeout')).data, NOTHING);
  keep(begin('ada', {}, ''));
  assert.equal(problemWords(new ApiError('timeout')).data, KEPT);
});

test('a server that doesn\'t know itself whether it saved makes any problem one of doubt', () => {
  keep(begin('ada', {}, ''));

  assert.equal(problemWords(new ApiError('resource-unavailable', 503, { outcome: 'unknown' }), { wrote: true }).data, UNSURE);
  assert.equal(problemWords(new ApiError('resource-unavailable', 503, { outcome: 'failed' }), { wrote: true }).data, KEPT);
});

/** The rows that tests/product/test_truth_of_writes.py plays: what is answered, and what the person reads then.
 * @type {{at: string, id: string, answer: [number, string | null, string | null], person_reads: string}[]} */
const ROWS = JSON.parse(readFileSync(new URL('../../stage/truth_of_writes.json', import.meta.url), 'utf8'));

for (const { at, id, answer: [status, slug, outcome], person_reads: reads } of ROWS.filter((row) => row.answer[1])) {
  test(`L5: the person reads what is known of the change: ${at}: ${id}`, () => {
    keep(begin('ada', {}, ''));
    const words = problemWords(new ApiError(slug ?? '', status, { outcome }), { wrote: true });

    assert.equal(words.data, t(reads));
    assert.equal(words.todo === '', reads === 'data.unsure', 'the way out of doubt is to look');
  });
}
