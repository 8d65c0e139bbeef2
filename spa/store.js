// @ts-check
/**
 * What the page knows: the session and the profile. Tells others when either changes; knows no screen.
 *
 *   store.addEventListener('session', () => …);   // signed in, signed out, another person, access or expiry changed
 *   await store.loadSession();  store.session.user.name
 */
import { request } from './api.js';

/**
 * @typedef {{id: string, name: string, username: string, email_hint?: string}} User
 * @typedef {{idle_at: string, absolute_at: string}} Expires
 * @typedef {{authenticated: boolean, sign_in?: string, sign_up?: string, user?: User, expires?: Expires,
 *   access?: Record<string, string>, step_up?: string, sign_out?: string}} Session
 * @typedef {Record<string, string | null>} Profile
 */

class Store extends EventTarget {
  /** @type {Session} */
  session = { authenticated: false };
  /** Whether the server has answered yet who is signed in. */
  known = false;
  /** @type {Profile | null} */
  profile = null;
  etag = '';
  /** How far the server's clock is ahead of this one, in milliseconds. */
  skew = 0;
  /** Why the last session ended, while the page was open. */
  ended = '';
  /** Counts what was learned about the session, so that an answer which was overtaken is not believed. */
  #turn = 0;

  get user() { return this.session.user ?? null; }
  get mayEdit() { return this.session.access?.['profile.edit'] === 'granted'; }

  /** Asks who is signed in. Asking does not prolong the session. @param {string} [reason] why it ended, if it did */
  async loadSession(reason) {
    const mine = (this.#turn += 1);
    const { data, now } = await request('GET', '/api/session');
    if (mine !== this.#turn && this.known) return this.session;
    this.skew = now - Date.now();
    this.known = true;
    this.#become(data, reason);
    return this.session;
  }

  /** Reads the profile, which also counts as being active. @returns {Promise<Profile>} */
  async loadProfile() {
    const { data, etag } = await request('GET', '/api/profile');
    this.keepProfile(data, etag);
    return data;
  }

  /** @param {Profile} profile @param {string} etag */
  keepProfile(profile, etag) {
    this.profile = profile;
    this.etag = etag;
    this.dispatchEvent(new Event('profile'));
  }

  /** The session is over: forget the person. @param {string} reason */
  end(reason) {
    this.#turn += 1;
    this.#become({ authenticated: false, sign_in: '/auth/sign-in', sign_up: '/auth/sign-up' }, reason);
  }

  /** @param {Session} session @param {string} [reason] why the last one ended, where that is known */
  #become(session, reason = this.#overdue() ? 'expired' : 'ended') {
    const before = this.user?.id;
    this.session = session;
    const after = this.user?.id;
    if (after) this.ended = '';
    else if (before) this.ended = reason;
    if (before !== after) {
      this.profile = null;
      this.etag = '';
    }
    this.dispatchEvent(new CustomEvent('session', { detail: { person: before !== after } }));
  }

  /** Whether the session's time was up, give or take a few seconds. */
  #overdue() {
    const { idle_at: idle = '', absolute_at: absolute = '' } = this.session.expires ?? {};
    return Math.min(Date.parse(idle), Date.parse(absolute)) - 5000 < Date.now() + this.skew;
  }
}

export const store = new Store();
