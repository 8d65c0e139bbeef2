// @ts-check
/** Saving an edit, and the screen that each outcome leads to, or an ApiError. Where nobody knows, `look` looks: what the
 * profile shows is saved. */
import { ApiError } from './api-error.js';
import { request } from './api.js';
import { clock } from './clock.js';
import { announce } from './dom.js';
import * as drafts from './draft.js';
import { isUnsure } from './problem-words.js';
import { navigate } from './router.js';
import { store } from './store.js';
import { tell } from './tabs.js';
import { t } from './words.js';

/** @import {Answer, Draft, FieldError, Saved, SavingWorld, Values} from './types.js' */

/** @param {SavingWorld} world */
export function savings({ request, store, drafts, navigate, path, tell, announce, now }) {
  /** @type {Saved | null} */
  let saved = null;
  /** @type {FieldError[]} */
  let rejected = [];
  /** What was sent last. @type {Draft | null} */
  let sent = null;

  /** What was saved just now, told once. */
  function takeSaved() {
    const news = saved;
    saved = null;
    return news;
  }

  /** Which fields the server refused on another screen, told once. */
  function takeRejected() {
    const list = rejected;
    rejected = [];
    return list;
  }

  /** Sends the changed fields, and only those. @param {Draft} draft */
  const saveDraft = (draft) =>
    attempt(draft, () =>
      request('PATCH', '/api/profile', {
        body: draft.changes,
        headers: { 'Idempotency-Key': draft.key, ...(draft.etag ? { 'If-Match': draft.etag } : {}) },
      }));

  /** Applies the edit that waits on the server. @param {Draft} draft */
  const saveParked = (draft) => attempt(draft, () => request('POST', parkedPath(draft)));

  /** Forgets the draft here and what waits on the server. @param {Draft | null} draft */
  async function discard(draft) {
    drafts.drop();
    // It expires by itself in minutes; nothing to tell the person if this fails.
    if (draft?.parked) await request('DELETE', parkedPath(draft)).catch(() => undefined);
  }

  /** @param {Draft} draft @param {() => Promise<Answer>} send */
  async function attempt(draft, send) {
    announce(t('edit.saving'));
    // Noted before the answer: the page may be closed before that comes.
    sent = drafts.keep({ ...draft, sent: true });
    try {
      const { data, etag } = await send();
      if (!shows(store.keepProfile(data, etag), draft)) throw new ApiError('unexpected-answer');
      await goOn(draft);
      return null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return handle(error, drafts.keep({ ...draft, sent: isUnsure(error) }));
    }
  }

  /** @param {Draft} draft */
  async function goOn(draft) {
    saved = { fields: new Set(Object.keys(draft.changes)), at: now() };
    drafts.drop();
    tell('saved');
    // The name in the session may be what was changed.
    store.askAgain();
    await navigate('/', { force: true });
  }

  /** Looks for what was sent last, and goes on where it is there, but takes nobody `unasked` from newer changes.
   * @param {boolean} [unasked] */
  async function look(unasked = false) {
    const draft = sent;
    const newer = drafts.load(store.user?.id)?.key !== draft?.key;
    if (!draft || (unasked && newer)) return 'left';
    try {
      if (!shows(await store.loadProfile(), draft)) return 'not-yet';
      // What was changed since is shown over what was saved.
      await (newer ? navigate('/edit', { force: true, replace: true }) : goOn(draft));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (await handle(error, draft)) return 'failed';
    }
    return 'gone-on';
  }

  /** @param {ApiError} error @param {Draft} draft @returns {Promise<ApiError | null>} */
  async function handle(error, draft) {
    if (error.needsStepUp) {
      drafts.keep({ ...draft, parked: { ...error.parked, redirect: error.redirect } });
      await navigate('/confirm', { force: true });
    } else if (error.changedElsewhere) {
      drafts.keep({ ...draft, parked: null });
      await store.loadProfile().catch(() => undefined);
      await navigate('/check', { force: true, replace: path() === '/check' });
    } else if (error.signedOut) {
      store.end(error.reason);
    } else if (error.invalid && path() !== '/edit') {
      rejected = error.errors;
      await navigate('/edit', { force: true });
    } else if (error.gone && draft.parked) {
      // Applied or expired meanwhile: compare the draft with the profile as it is now.
      drafts.keep({ ...draft, parked: null, sent: true });
      await navigate('/check', { force: true, replace: true });
    } else {
      return error;
    }
    return null;
  }

  return { takeSaved, takeRejected, saveDraft, saveParked, look, discard };
}

/** Whether a profile has every value of a draft, however the directory spells it. @param {Values} profile @param {Draft} draft */
const shows = (profile, draft) => Object.entries(draft.changes).every(([name, value]) => spelled(profile[name]) === spelled(value));

/** @param {string | null | undefined} value */
const spelled = (value) => (value ?? '').normalize().replace(/\s+/g, ' ').trim();

/** @param {Draft} draft */
export const parkedPath = (draft) => `/api/parked-edits/${encodeURIComponent(draft.parked?.id ?? '')}`;

export const { takeSaved, takeRejected, saveDraft, saveParked, look, discard } =
  savings({ request, store, drafts, navigate, path: () => location.pathname, tell, announce, now: clock.now });
