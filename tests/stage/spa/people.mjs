/** Sessions as the gateway tells them. */
import { Store } from '../../../spa/store.js';
import { moment } from './clock.mjs';
import { json } from './network.mjs';

/** @import {HandClock} from './clock.mjs' */
/** @import {Network} from './network.mjs' */

export const NOBODY = { authenticated: false, sign_in: '/auth/sign-in', sign_up: '/auth/sign-up' };

/** @param {HandClock} time @param {{id?: string, idle?: number, absolute?: number, edit?: string}} [how] seconds until the ends */
export const sessionOf = (time, { id = 'ada', idle = 1800, absolute = 28_800, edit = 'step-up' } = {}) => ({
  authenticated: true,
  user: { id, name: `${id} of the test`, username: `${id}@example.com`, email_hint: null },
  expires: { idle_at: moment(time, idle), absolute_at: moment(time, absolute) },
  access: { 'profile.edit': edit },
});

/** A store in which somebody is signed in, if not told otherwise.
 * @param {HandClock} time @param {Network} network @param {unknown} [session] */
export async function storeWith(time, network, session = sessionOf(time)) {
  const store = new Store({ request: network.request, now: time.clock.now });
  network.answer('GET /api/session', () => json(session));
  await store.loadSession();
  network.asked.length = 0;
  return store;
}
