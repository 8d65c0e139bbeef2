// @ts-check
/** Where Edit leads, and where "Confirm it's you" goes on. Decides nothing about access. */
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

/** Leaves for the confirmation, by a challenge or a fresh step-up.
 * @param {string | undefined} redirect @param {'/edit' | '/check'} returnTo */
export function goConfirm(redirect, returnTo) {
  leaveNote('confirming', 'yes');
  leave(flowAddress(redirect, returnTo) ?? flowAddress(store.session.step_up, returnTo) ?? '/');
}
