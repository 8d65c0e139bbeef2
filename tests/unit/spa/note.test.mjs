import assert from 'node:assert/strict';
import { test } from 'node:test';

import { leaveNote, takeNote } from '../../../spa/note.js';

test('a note is read once', () => {
  leaveNote('field', 'city');

  assert.deepEqual([takeNote('field'), takeNote('field')], ['city', '']);
});

test('notes are told apart by their names', () => {
  leaveNote('field', 'city');
  leaveNote('confirming', 'yes');

  assert.deepEqual([takeNote('confirming'), takeNote('field')], ['yes', 'city']);
});
