// @ts-check
/**
 * Saving an edit, and where each outcome leads. Only what nothing else can handle comes back, as an ApiError.
 *
 *   const error = await saveDraft(draft);  if (error) showIt(error);
 *
 * Saved → the profile. Step-up required → "Confirm it's you", draft kept. Changed elsewhere → "Check your changes".
 */
import { ApiError, request } from './api.js';
import { announce } from './dom.js';
import { drop, keep } from './draft.js';
import { navigate } from './router.js';
import { store } from './store.js';
import { tell } from './tabs.js';
import { t } from './words.js';

/** @typedef {import('./draft.js').Draft} Draft */

/** @type {{fields: Set<string>, at: number} | null} */
let saved = null;
/** @type {{field: string, code: string, detail: string}[]} */
let rejected = [];

/** What was saved just now, told once. */
export function takeSaved() {
  const news = saved;
  saved = null;
  return news;
}

/** Which fields the server refused on another screen, told once. */
export function takeRejected() {
  const list = rejected;
  rejected = [];
  return list;
}

/** Sends the changed fields, and only those. @param {Draft} draft */
export const saveDraft = (draft) =>
  attempt(keep(draft), () =>
    request('PATCH', '/api/profile', {
      body: draft.changes,
      headers: { 'Idempotency-Key': draft.key, ...(draft.etag ? { 'If-Match': draft.etag } : {}) },
    }));

/** Applies the edit that waits on the server. @param {Draft} draft */
export const saveParked = (draft) => attempt(draft, () => request('POST', parkedPath(draft)));

/** @param {Draft} draft */
export const parkedPath = (draft) => `/api/parked-edits/${encodeURIComponent(draft.parked?.id ?? '')}`;

/** Forgets the draft here and what waits on the server. @param {Draft | null} draft */
export async function discard(draft) {
  drop();
  // It expires by itself in minutes; nothing to tell the person if this fails.
  if (draft?.parked) await request('DELETE', parkedPath(draft)).catch(() => undefined);
}

/** @param {Draft} draft @param {() => Promise<import('./api.js').Answer>} send */
async function attempt(draft, send) {
  announce(t('edit.saving'));
  try {
    const { data, etag } = await send();
    store.keepProfile(data, etag);
    saved = { fields: new Set(Object.keys(draft.changes)), at: Date.now() };
    drop();
    tell('saved');
    // The name in the session may be what was changed.
    store.loadSession().catch(() => undefined);
    await navigate('/', { force: true });
    return null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return handle(error, draft);
  }
}

/** @param {ApiError} error @param {Draft} draft @returns {Promise<ApiError | null>} */
async function handle(error, draft) {
  if (error.needsStepUp) {
    const { parked_edit: parked, redirect } = error.problem;
    keep({ ...draft, parked: { id: '', expires_at: '', ...parked, redirect } });
    await navigate('/confirm', { force: true });
  } else if (error.changedElsewhere) {
    keep({ ...draft, parked: null });
    await store.loadProfile().catch(() => undefined);
    await navigate('/check', { force: true, replace: location.pathname === '/check' });
  } else if (error.signedOut) {
    store.end(error.problem.reason);
  } else if (error.invalid && location.pathname !== '/edit') {
    rejected = error.problem.errors ?? [];
    await navigate('/edit', { force: true });
  } else if (error.gone && draft.parked) {
    // Applied or expired meanwhile: compare the draft with the profile as it is now.
    keep({ ...draft, parked: null });
    await navigate('/check', { force: true, replace: true });
  } else {
    return error;
  }
  return null;
}
