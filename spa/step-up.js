// @ts-check
/**
 * The client's half of step-up: where Edit leads, and where "Confirm it's you" goes on.
 *
 *   startEdit('city');                              // to the form, or first to "Confirm it's you"
 *   goConfirm(draft.parked?.redirect, '/check');    // away, to the gateway
 *
 * Decides nothing about access: the server does, again, with every change.
 */
import { flowAddress } from './addresses.js';
import { leaveNote } from './note.js';
import { leave, navigate } from './router.js';
import { store } from './store.js';

/** @param {string} [field] the field to open the form at */
export function startEdit(field = '') {
  if (store.mayEdit) return navigate(field ? `/edit#${field}` : '/edit');
  leaveNote('field', field);
  return navigate('/confirm');
}

/** Leaves for the confirmation. A challenge works once, so without one the gateway starts a fresh step-up.
 * @param {string | undefined} redirect @param {'/edit' | '/check'} returnTo */
export function goConfirm(redirect, returnTo) {
<<<<<<< HEAD
  const target = flowAddress(redirect, returnTo) ?? flowAddress(store.session.step_up, returnTo) ?? flowAddress('/auth/step-up?action=profile.edit', returnTo);
  leaveNote('confirming', 'yes');
  leave(target ?? '/');
}

/** An address of the gateway's own flows with the way back on it; null for anything else.
 * @param {unknown} redirect @param {string} returnTo @returns {string | null} */
export function flowAddress(redirect, returnTo) {
  if (typeof redirect !== 'string' || !redirect.startsWith('/auth/')) return null;
  const url = new URL(redirect, location.origin);
  // Parsing has resolved dots and odd slashes, so this is the address that the browser would open.
  if (url.origin !== location.origin || !url.pathname.startsWith('/auth/')) return null;
  url.searchParams.set('return_to', returnTo);
  return url.pathname + url.search;
}

/** A path of this page, for coming back to; '/' for anything else. @param {string | null} path */
export function localPath(path) {
  if (!path?.startsWith('/')) return '/';
  const url = new URL(path, location.origin);
  if (url.origin !== location.origin || /^\/(auth|api|health|problem)(\/|$)/.test(url.pathname)) return '/';
  return url.pathname + url.search + url.hash;
=======
  leaveNote('confirming', 'yes');
  leave(flowAddress(redirect, returnTo) ?? flowAddress(store.session.step_up, returnTo) ?? '/');
>>>>>>> f2f7715 (Check the client with tsc, ESLint and unit tests in Node.js, and hand its modules their clock, network and storage)
}
