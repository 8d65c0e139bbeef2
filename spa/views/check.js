// @ts-check
/** Check your changes: from → to, and a choice where both sides changed. */
import { changesIn } from '../answers.js';
import { ApiError } from '../api-error.js';
import { request } from '../api.js';
import { announce, button, h, heard, icon } from '../dom.js';
import { keep, load, rebase, withChanges } from '../draft.js';
import { label, shown } from '../fields.js';
import { agreedToLose } from '../loss-question.js';
import { takeNote } from '../note.js';
import { problemNotice } from '../notice.js';
import { navigate } from '../router.js';
import { discard, parkedPath, saveDraft, saveParked } from '../saving.js';
import { store } from '../store.js';
import { t } from '../words.js';

/** @import {Change, Draft, Screen} from '../types.js' */

/** @typedef {Change & {conflict: boolean}} Compared */

/** @returns {Promise<Screen>} */
export async function view() {
  takeNote('confirming');
  const found = load(store.user?.id);
  const parked = found?.parked?.id ? await fetchParked(found) : null;
  if (found && parked) return screen(found, parked, () => saveParked(found));
  if (!found) return nothing();

  const profile = await store.loadProfile();
  const { draft, conflicts } = rebase(found, profile, store.etag);
  const changes = Object.entries(draft.changes).map(([field, to]) => ({ field, from: profile[field] ?? null, to, conflict: conflicts.includes(field) }));
  if (!changes.length) return nothing();
  keep(draft);
  return screen(draft, changes, (form) => saveChosen(draft, conflicts, form));
}

/** What waits on the server, or null where it is gone. @param {Draft} draft @returns {Promise<Compared[] | null>} */
async function fetchParked(draft) {
  try {
    const { data } = await request('GET', parkedPath(draft));
    return changesIn(data).map((change) => ({ ...change, conflict: false }));
  } catch (error) {
    if (!(error instanceof ApiError) || !error.gone) throw error;
    keep({ ...draft, parked: null });
    return null;
  }
}

/** Saves what the person chose, over the profile as it is now.
 * @param {Draft} draft @param {string[]} conflicts @param {HTMLFormElement} form */
async function saveChosen(draft, conflicts, form) {
  const chosen = new FormData(form);
  const changes = Object.fromEntries(Object.entries(draft.changes).filter(([field]) => !conflicts.includes(field) || chosen.get(field) === 'mine'));
  if (Object.keys(changes).length) return saveDraft(withChanges(draft, changes, store.etag));
  await discard(draft);
  announce(t('data.nothing'));
  await navigate('/');
  return null;
}

/** @param {Draft} draft @param {Compared[]} changes @param {(form: HTMLFormElement) => Promise<ApiError | null>} save
 * @returns {Screen} */
function screen(draft, changes, save) {
  const conflict = changes.some((change) => change.conflict);
  const above = h('div', { class: 'above' });
  const title = t(conflict ? 'problem.profile-changed.title' : 'check.title');

  async function send() {
    const error = await save(form);
    if (!error) return;
    announce('');
    const notice = problemNotice(error, { wrote: true });
    above.replaceChildren(notice);
    notice.focus();
  }

  async function drop() {
    if (!(await agreedToLose(draft, 'discard'))) return;
    announce(t('discarded'));
    await navigate('/');
  }

  const form = h(
    'form', { novalidate: true, class: 'check', on: { submit: (event) => event.preventDefault() } },
    changes.map((change) => (change.conflict ? choice(change) : plainChange(change))),
    h('div', { class: 'actions' },
      button(t('edit.save'), send, { kind: 'primary', busy: t('edit.saving'), type: 'submit' }),
      button(t('check.edit'), () => navigate('/edit')),
      button(t('discard.go'), drop, { kind: 'quiet' })),
  );
  if (store.mayEdit && !conflict) above.append(h('p', { class: 'notice' }, icon('shield'), t('check.confirmed')));

  return {
    screen: 'check',
    title,
    nodes: [h('h1', {}, title), h('p', { class: 'lead' }, t(conflict ? 'conflict.lead' : draft.sent ? 'data.unsure' : 'check.lead')), above, form],
    focus: () => document.querySelector('h1')?.focus(),
  };
}

/** @param {string} field @param {string | null} value */
const words = (field, value) => shown(field, value) || t('profile.unset');

/** @param {Compared} change */
const plainChange = ({ field, from, to }) =>
  h('div', { class: 'change', 'data-field': field },
    h('h2', {}, label(field)),
    h('p', { class: 'was' }, heard(`${t('check.was')} `), h('del', { dir: 'auto' }, words(field, from))),
    icon('arrow'),
    h('p', { class: 'becomes' }, heard(`${t('check.becomes')} `), h('ins', { dir: 'auto' }, words(field, to))));

/** @param {Compared} change */
function choice({ field, from, to }) {
  /** @param {string} which @param {string | null} value @param {boolean} checked */
  const option = (which, value, checked) =>
    h('div', { class: 'choice' },
      h('input', { type: 'radio', name: field, id: `${field}-${which}`, value: which, checked }),
      h('label', { for: `${field}-${which}` }, h('span', { class: 'hint' }, t(`conflict.${which}`)), h('span', { class: 'value', dir: 'auto' }, words(field, value))));
  return h('fieldset', { class: 'conflict', 'data-field': field },
    h('legend', {}, h('h2', {}, label(field))),
    option('mine', to, true),
    option('now', from, false));
}

/** @returns {Screen} */
const nothing = () => ({
  screen: 'check',
  title: t('check.empty.title'),
  nodes: [
    h('h1', {}, t('check.empty.title')),
    h('p', { class: 'lead' }, t('check.empty')),
    h('div', { class: 'actions' }, button(t('do.home'), () => navigate('/'), { kind: 'primary' })),
  ],
});
