// @ts-check
/** Signing out: the gateway first, then here, then the other tabs, then the authority. */
import { redirectIn } from './answers.js';
import { request } from './api.js';
import { announce } from './dom.js';
import { drop } from './draft.js';
import { leaveNote } from './note.js';
import { fail, leave, mayLeave } from './router.js';
import { store } from './store.js';
import { tell } from './tabs.js';
import { t } from './words.js';

let running = false;

export async function signOut() {
  if (running || !(await mayLeave())) return;
  running = true;
  announce(t('signing-out'));
  try {
    const { data } = await request('POST', store.session.sign_out);
    drop();
    tell('signed-out');
    // Before the authority answers, so that Back has nothing to show.
    store.end('here');
    leaveNote('ended', 'here');
    leave(redirectIn(data));
  } catch (error) {
    await fail(error);
  } finally {
    running = false;
  }
}
