// @ts-check
/** One screen per problem type. */
import { localPath } from '../addresses.js';
import { ApiError } from '../api-error.js';
import { announce, button, h, icon } from '../dom.js';
import { load, waiting } from '../draft.js';
import { agreedToLose } from '../loss-question.js';
import { problemWords, referenceLine, waitLine } from '../problem-words.js';
import { leave, navigate, refresh } from '../router.js';
import { signOut } from '../sign-out.js';
import { goConfirm } from '../step-up.js';
import { store } from '../store.js';
import { has, t } from '../words.js';

/** @import {Screen} from '../types.js' */

/** A tone, as not all are faults, and what can be done, the most useful first. @type {Map<string, string[]>} */
const HOW = new Map([
  ['not-found', ['calm', 'home']],
  ['sign-in-required', ['calm', 'sign-in']],
  ['sign-in-cancelled', ['calm', 'sign-in']],
  ['sign-in-expired', ['calm', 'again']],
  ['cookie-not-kept', ['fault', 'home']],
  ['sign-in-failed', ['fault', 'again']],
  ['step-up-required', ['amber', 'continue', 'edit']],
  ['step-up-cancelled', ['amber', 'step-up', 'edit', 'discard']],
  ['different-person', ['amber', 'step-up', 'edit', 'sign-out']],
  ['step-up-loop', ['fault', 'edit', 'home']],
  ['access-blocked', ['fault', 'edit', 'home', 'sign-out']],
  ['misconfigured', ['fault', 'edit', 'home']],
  ['profile-changed', ['fault', 'check']],
  ['invalid-profile-patch', ['fault', 'edit']],
]);

/** `FORM` of servicekit/reference.py. */
const REFERENCE = /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/;

/** The address that the gateway sends a browser to when a flow failed.
 * @param {URL} url @returns {Promise<Screen>} */
export async function view(url) {
  // Anybody can write such an address: of its words, only ours are shown.
  const type = url.searchParams.get('type') ?? '';
  const slug = has(`problem.${type}.title`) ? type : 'not-found';
  /** @param {string} name @param {RegExp} form */
  const given = (name, form) => form.exec(url.searchParams.get(name) ?? '')?.[0] ?? '';
  const wait = slug === 'too-many-requests' ? given('retry_after', /^\d{1,4}$/) : '';
  // An answer of the authority that was used before, as Back brings it: who is signed in, and confirmed where a change
  // waits for that, has nothing to begin again.
  const stale = slug === 'sign-in-expired' && !url.searchParams.has('return_to');
  if (stale && store.user && (store.mayEdit || !waiting())) await navigate(wayOn(store.user.id), { replace: true, force: true });
  const error = new ApiError(slug, 0, { reference: given('reference', REFERENCE) }, new Headers({ 'Retry-After': wait }));
  return screenFor(error, localPath(url.searchParams.get('return_to')));
}

/** Where a person goes on whom nothing holds up. @param {string} user */
function wayOn(user) {
  const draft = load(user);
  return draft ? (draft.parked ? '/check' : '/edit') : '/';
}

/** @param {ApiError} error @param {string} [returnTo] where to go on; without it the present path is tried again
 * @returns {Screen} */
export function screenFor(error, returnTo) {
  const words = problemWords(error);
  const [tone, ...names] = HOW.get(error.slug) ?? ['fault', 'retry', 'home'];
  const actions = names.filter((name) => sensible(name, returnTo)).map((name, index) => action(name, index, returnTo));
  if (!actions.length) actions.push(action('home', 0, returnTo));
  return {
    screen: error.slug === 'not-found' ? 'not-found' : 'problem',
    title: words.title,
    problem: error.slug,
    error: true,
    nodes: [
      h('div', { class: `emblem ${tone}` }, icon('alert')),
      h('h1', {}, words.title),
      h('p', { class: 'lead' }, words.happened),
      h('h2', {}, t('problem.data')),
      h('p', {}, words.data),
      h('h2', {}, t('problem.todo')),
      h('p', {}, words.todo),
      waitLine(error.retryAfter),
      h('div', { class: 'actions' }, actions),
      referenceLine(words.reference),
    ],
  };
}

/** @param {string} name @param {string} [returnTo] */
function sensible(name, returnTo) {
  // Where the profile itself failed, trying again is the way to it.
  if (name === 'home' && returnTo === undefined) return location.pathname !== '/';
  if (['edit', 'check', 'discard'].includes(name)) return waiting() && store.user !== null;
  return name !== 'sign-out' || store.user !== null;
}

/** @param {string} name @param {number} index @param {string} [returnTo] */
function action(name, index, returnTo) {
  const kind = index === 0 ? 'primary' : name === 'discard' ? 'quiet' : 'second';
  const path = returnTo ?? location.pathname;
  const signIn = () => leave(`${store.session.sign_in}?return_to=${encodeURIComponent(path === '/problem' ? '/' : path)}`);
  const stepUp = () => goConfirm(undefined, path === '/check' ? '/check' : '/edit');
  /** @type {Map<string, [string, () => unknown]>} */
  const all = new Map([
    ['home', [t(store.user ? 'do.home' : 'do.start'), () => navigate('/')]],
    ['sign-in', [t('home.sign-in'), signIn]],
    ['again', [t('do.again'), store.user ? () => navigate(path) : signIn]],
    ['step-up', [t('do.retry'), store.user ? stepUp : signIn]],
    ['continue', [t('continue'), store.user ? stepUp : signIn]],
    ['edit', [t('do.edit'), () => navigate('/edit')]],
    ['check', [t('do.check'), () => navigate('/check')]],
    ['discard', [t('discard.go'), drop]],
    ['sign-out', [t('sign-out'), signOut]],
    ['retry', [t('do.retry'), returnTo === undefined ? () => refresh() : store.user ? () => navigate(path) : signIn]],
  ]);
  const [label, work] = all.get(name) ?? ['', () => undefined];
  return button(label, work, { kind });
}

async function drop() {
  if (!(await agreedToLose(load(store.user?.id), 'discard'))) return;
  announce(t('discarded'));
  await navigate('/');
}
