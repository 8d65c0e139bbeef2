// @ts-check
/** Which view answers a path, and what is shown when it can't. Views are loaded when they are first needed. */
import { ApiError } from './api-error.js';
import { PATIENCE, PAUSE } from './api.js';
import { clock, pause } from './clock.js';
import { leaveNote, takeNote } from './note.js';
import { reload } from './router.js';
import { store } from './store.js';

/** @import {Clock, LoadWorld, Resolve} from './types.js' */

/** @type {Map<string, () => Promise<{view: Resolve}>>} */
const VIEWS = new Map([
  ['/', () => import('./views/profile.js')],
  ['/edit', () => import('./views/edit.js')],
  ['/confirm', () => import('./views/confirm.js')],
  ['/check', () => import('./views/check.js')],
  ['/sessions', () => import('./views/sessions.js')],
  ['/activity', () => import('./views/activity.js')],
  ['/sign-in-details', () => import('./views/claims.js')],
]);
const signedOut = () => import('./views/signed-out.js');
const problem = () => import('./views/problem.js');

/** @type {Resolve} */
export async function resolve(url, show) {
  try {
    if (!store.known) await store.loadSession();
    if (url.pathname === '/problem') return await (await load(problem)).view(url);
    const view = VIEWS.get(url.pathname);
    if (!view) return (await load(problem)).screenFor(new ApiError('not-found', 404));
    if (!store.user) return await (await load(signedOut)).view(url);
    return await (await load(view)).view(url, show);
  } catch (error) {
    return explain(error, url);
  }
}

/** The screen for a failure. @param {unknown} error @param {URL} url */
export async function explain(error, url) {
  if (error instanceof ApiError && error.signedOut) {
    store.end(error.reason);
    return (await load(signedOut)).view(url);
  }
  if (!(error instanceof ApiError)) console.error(error);
  const known = error instanceof ApiError ? error : new ApiError('unexpected-answer');
  // Not by `load`, which would load the page for ever: where this fails, not-loaded.js goes on.
  return (await within(problem, clock.after)).screenFor(known);
}

/** So that the next screens open at once and without a connection. */
export function prefetch() {
  for (const view of [...VIEWS.values(), signedOut, problem]) view().catch(() => undefined);
}

/** A part that never comes takes too long.
 * @template T @param {() => Promise<T>} part @param {Clock['after']} after @returns {Promise<T>} */
const within = (part, after) =>
  Promise.race([part(), pause({ after }, PATIENCE).then(() => Promise.reject(new ApiError('timeout')))]);

/** A part that is gone reloads the page once, after a pause.
 * @template T @param {() => Promise<T>} part
 * @param {LoadWorld} [world] @returns {Promise<T>} */
export async function load(part, { online = () => navigator.onLine, again = reload, after = clock.after, leave = leaveNote } = {}) {
  const note = String(part);
  try {
    const loaded = await within(part, after);
    takeNote(note);
    return loaded;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (!online()) throw new ApiError('offline');
    if (takeNote(note) || !leave(note, 'yes')) throw new ApiError('unexpected-answer');
    after(PAUSE, again);
    return new Promise(() => { /* Never: the page goes away. */ });
  }
}
