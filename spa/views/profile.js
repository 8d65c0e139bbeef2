// @ts-check
/** The profile, and home: what is held, what was just saved, what still waits. */
import { announce, button, h, heard, icon, link } from '../dom.js';
import { drop, load, rebase } from '../draft.js';
import { GROUPS, label, nameOf, shown } from '../fields.js';
import { agreedToLose } from '../loss-question.js';
import { navigate } from '../router.js';
import { takeSaved } from '../saving.js';
import { startEdit } from '../step-up.js';
import { store } from '../store.js';
import { t, time } from '../words.js';

/** @import {Resolve, Saved, Screen, Values} from '../types.js' */

/** From here on a name is told in smaller letters: a directory allows 256. */
const LONG_NAME = 60;

/** @type {Resolve} */
export async function view(_url, show) {
  const saved = takeSaved();
  // The directory may take a moment to agree with what was saved.
  if (!saved) {
    if (!store.profile) show(screen(null, null));
    await store.loadProfile();
  }
  return screen(store.profile, saved);
}

/** @param {Values | null} profile @param {Saved | null} saved
 * @returns {Screen} */
function screen(profile, saved) {
  const name = nameOf(profile, store.user);
  const waiting = profile && draftNotice(profile);
  if (saved) announce(t('profile.saved', { time: time(saved.at) }));
  return {
    screen: 'profile',
    title: t('profile.title'),
    nodes: [
      h('h1', { class: name.length > LONG_NAME ? 'long' : null }, name ? t('profile.hello', { name: isolated(name) }) : t('profile.hello.nobody')),
      h('p', { class: 'lead' }, t('profile.lead')),
      saved && h('p', { class: 'notice saved' }, icon('tick'), t('profile.saved', { time: time(saved.at) })),
      waiting,
      h('div', { class: 'actions' }, button(t('edit.title'), () => startEdit(), { kind: waiting ? 'second' : 'primary' })),
      ...GROUPS.map(({ id, fields }) => group(t(`group.${id}`), fields.map((field) => row(field, profile, saved)))),
      group(t('profile.sign-in'), [emailRow(profile)]),
    ],
  };
}

/** A name that runs the other way must not turn the sentence around it (Unicode UAX #9). @param {string} name */
const isolated = (name) => (/[\u0590-\u08ff\ufb1d-\ufefc]/.test(name) ? `\u2068${name}\u2069` : name);

/** @param {string} title @param {Node[]} rows */
const group = (title, rows) => h('section', { class: 'group' }, h('h2', {}, title), h('dl', { class: 'summary' }, rows));

/** @param {string} field @param {Values | null} profile @param {Saved | null} saved */
function row(field, profile, saved) {
  const value = shown(field, profile?.[field]);
  const fresh = saved?.fields.has(field);
  const change = link(`/edit#${field}`, t('profile.change'), heard(t('profile.change.what', { label: label(field) })));
  change.addEventListener('click', (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    startEdit(field);
  });
  return h(
    'div', { class: fresh ? 'row fresh' : 'row', 'data-field': field },
    h('dt', {}, label(field)),
    profile
      ? h('dd', { class: value ? 'value' : 'value unset' }, value ? h('bdi', {}, value) : t('profile.unset'), fresh && h('span', { class: 'tag' }, icon('tick'), t('profile.saved.row')))
      : h('dd', { class: 'value' }, h('span', { class: 'bone' })),
    h('dd', { class: 'action' }, change),
  );
}

/** The address that one signs in with: shown, explained, never editable. @param {Values | null} profile */
const emailRow = (profile) =>
  h('div', { class: 'row' },
    h('dt', {}, t('profile.email')),
    h('dd', { class: 'value wide' }, profile?.mail || store.user?.username || t('profile.unset'),
      h('span', { class: 'hint' }, t('profile.email.why'))));

/** @param {Values} profile */
function draftNotice(profile) {
  const found = load(store.user?.id);
  const draft = found && rebase(found, profile, store.etag).draft;
  const n = Object.keys(draft?.changes ?? {}).length;
  if (!draft || !n) {
    // What was sent, and is there by now, is no draft.
    drop();
    return null;
  }
  const notice = h(
    'div', { class: 'notice' },
    h('p', {}, draft.sent ? t('data.unsure') : t('profile.draft', { n })),
    h('div', { class: 'actions' },
      button(t('profile.draft.go'), () => navigate('/edit'), { kind: 'primary' }),
      button(t('discard.go'), async () => {
        if (!(await agreedToLose(draft, 'discard'))) return;
        notice.remove();
        announce(t('discarded'));
        document.querySelector('h1')?.focus();
      }, { kind: 'quiet' })),
  );
  return notice;
}
