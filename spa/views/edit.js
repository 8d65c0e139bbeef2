// @ts-check
/** The edit form. Only what differs is kept, counted and sent. */
import { announce, button, h } from '../dom.js';
import { begin, drop, keep, load, rebase, withChanges } from '../draft.js';
import { fieldRow } from '../field-row.js';
import { fault, GROUPS, sentence } from '../fields.js';
import { agreedToLose } from '../loss-question.js';
import { takeNote } from '../note.js';
import { problemNotice, summary } from '../notice.js';
import { navigate } from '../router.js';
import { saveDraft, takeRejected } from '../saving.js';
import { retitle } from '../screen.js';
import { store } from '../store.js';
import { t } from '../words.js';

/** @import {FieldError, Screen} from '../types.js' */

/** @typedef {ReturnType<typeof fieldRow>} Row */

/** Screens that go on with the draft; moving to them loses nothing. */
const KEEPING = new Set(['/check', '/confirm', '/problem', '/edit']);

/** @param {URL} url @returns {Promise<Screen>} */
export async function view(url) {
  const profile = await store.loadProfile();
  const user = store.user?.id ?? '';
  const found = load(user);
  let draft = found ? rebase(found, profile, store.etag).draft : begin(user, profile, store.etag);
  const restored = Object.keys(draft.changes).length > 0;
  const confirmed = Boolean(takeNote('confirming')) && store.mayEdit;
  const field = url.hash.slice(1) || takeNote('field');

  /** @type {Map<string, Row>} */
  const rows = new Map(GROUPS.flatMap((group) => group.fields).map((name) =>
    [name, fieldRow(name, profile[name] ?? null, name in draft.changes ? draft.changes[name] : undefined)]));
  const above = h('div', { class: 'above' });
  const count = h('p', { class: 'count', id: 'count' });
  const save = button(t('edit.save'), send, { kind: 'primary', busy: t('edit.saving'), type: 'submit' });

  /** Reads the form into the draft. */
  function gather() {
    const changes = Object.fromEntries([...rows].map(([name, row]) => [name, row.value]).filter(([name, value]) => value !== (profile[String(name)] ?? null)));
    draft = withChanges(draft, changes);
    for (const [name, row] of rows) row.mark(name in changes);
    const n = Object.keys(changes).length;
    count.textContent = n ? t('edit.count', { n }) : t('edit.none');
    if (n) keep(draft);
    else drop();
    return n;
  }

  /** @param {{field: string, text: string}[]} faults */
  function reject(faults) {
    for (const [name, row] of rows) row.fail(faults.find((one) => one.field === name)?.text ?? '');
    const told = faults.length ? [summary(faults, goTo)] : [];
    above.replaceChildren(...told);
    retitle(t('edit.title'), faults.length > 0);
    told[0]?.focus();
  }

  /** @param {string} name */
  function goTo(name) {
    const input = rows.get(name)?.input;
    input?.focus();
    input?.closest('.field')?.scrollIntoView({ block: 'center' });
  }

  async function send() {
    if (!gather()) {
      reject([]);
      // Beside the button, where the person is looking; the next change counts again.
      count.textContent = t('edit.nothing');
      return announce(t('edit.nothing'));
    }
    const wrong = Object.entries(draft.changes).map(([name, value]) => ({ field: name, code: fault(name, value), value }));
    reject(wrong.filter(({ code }) => code).map(({ field: name, code, value }) => ({ field: name, text: sentence(name, code, value) })));
    if (wrong.some(({ code }) => code)) return undefined;
    const error = await saveDraft(draft);
    if (error?.invalid) return reject(fromServer(error.errors));
    if (!error) return undefined;
    announce('');
    const notice = problemNotice(error, { wrote: true });
    above.replaceChildren(notice);
    return notice.focus();
  }

  /** @param {FieldError[]} errors */
  const fromServer = (errors) => errors.map(({ field: name, code, detail }) =>
    ({ field: rows.has(name) ? name : '', text: sentence(name, code, rows.get(name)?.value ?? null, detail) }));

  const form = h(
    'form', { novalidate: true, class: 'edit', on: { submit: (event) => event.preventDefault(), input: gather } },
    GROUPS.map((group) => h('fieldset', {}, h('legend', {}, h('h2', {}, t(`group.${group.id}`))), group.fields.map((name) => rows.get(name)?.node))),
    h('div', { class: 'bar' }, count, h('div', { class: 'actions' }, save, button(t('edit.cancel'), () => navigate('/'), { kind: 'quiet' }))),
  );
  const first = h('span', {}, t('edit.lead.step-up'));
  /** Confirmed in another tab, or no longer: what saving will ask for follows. */
  function follow() {
    first.hidden = store.mayEdit;
  }
  store.addEventListener('session', follow);
  follow();

  const news = [confirmed && t('edit.confirmed'), restored && t(draft.sent ? 'data.unsure' : 'edit.restored')].filter(Boolean).join(' ');
  if (news) above.append(h('p', { class: 'notice' }, news));
  gather();
  const refused = fromServer(takeRejected());
  if (news) announce(news);

  return {
    screen: 'edit',
    title: t('edit.title'),
    nodes: [h('h1', {}, t('edit.title')), h('p', { class: 'lead' }, t('edit.lead'), ' ', first), above, form],
    dirty: (path) => !KEEPING.has(path) && Object.keys(draft.changes).length > 0 && load(user) !== null,
    guard: () => agreedToLose(draft, 'leave'),
    close: () => store.removeEventListener('session', follow),
    ...(refused.length ? { focus: () => reject(refused) } : rows.has(field) ? { focus: () => goTo(field) } : {}),
  };
}
