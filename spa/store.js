// @ts-check
/** What the page knows: the session and the profile. Tells others when either changes; knows no screen. */
import { SIGNED_OUT, profileIn, sessionIn } from './answers.js';
import { ApiError } from './api-error.js';
import { request } from './api.js';
import { clock } from './clock.js';

/** @import {Session, StoreWorld, Values} from './types.js' */

export class Store extends EventTarget {
  /** @type {Session} */
  session = SIGNED_OUT;
  /** Whether the server has answered yet who is signed in. */
  known = false;
  /** @type {Values | null} */
  profile = null;
  etag = '';
  /** How far the server's clock is ahead of this one, in milliseconds. */
  skew = 0;
  /** Why the last session ended, while the page was open. */
  ended = '';
  /** Counts what was learned, so that an answer which was overtaken is not believed. */
  #turn = 0;
  #request;
  #now;

  /** @param {StoreWorld} world */
  constructor(world) {
    super();
    this.#request = world.request;
    this.#now = world.now;
  }

  get user() { return this.session.user; }
  get mayEdit() { return this.session.access['profile.edit'] === 'granted'; }
  /** The server's time, in milliseconds. */
  get now() { return this.#now() + this.skew; }

  /** Asks who is signed in. Asking does not prolong the session. @param {string} [reason] why it ended, if it did */
  async loadSession(reason) {
    this.#turn += 1;
    const mine = this.#turn;
    const before = this.session;
    const { data, now } = await this.#request('GET', '/api/session');
    const session = sessionIn(data);
    const why = reason || session.reason;
    // A reason is told once.
    if (mine !== this.#turn && this.known && (session.user || !why || this.user && this.session !== before)) return this.session;
    this.skew = now - this.#now();
    this.known = true;
    this.#become(session, why);
    return this.session;
  }

  /** Asks once more; not to know is no reason to take the page away. @param {string} [reason] */
  async askAgain(reason) {
    try {
      await this.loadSession(reason);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** Counts as being active. @returns {Promise<Values>} */
  async loadProfile() {
    const person = this.user?.id;
    const { data, etag } = await this.#request('GET', '/api/profile');
    // Somebody else is signed in by now, and what came is not theirs.
    if (person !== this.user?.id) return this.loadProfile();
    return this.keepProfile(data, etag);
  }

  /** @param {unknown} data the answer @param {string} etag */
  keepProfile(data, etag) {
    const profile = profileIn(data);
    this.profile = profile;
    this.etag = etag;
    this.dispatchEvent(new Event('profile'));
    return profile;
  }

  /** The session is over: forget the person. @param {string} [reason] */
  end(reason) {
    this.#turn += 1;
    this.#become(SIGNED_OUT, reason);
  }

  /** @param {Session} session @param {string} [reason] why the last one ended, where that is known */
  #become(session, reason) {
    const { ended } = this;
    const guess = this.#overdue() ? 'expired' : 'ended';
    const before = this.user?.id;
    this.session = session;
    const after = this.user?.id;
    if (after) this.ended = '';
    else if (before || session.reason || reason && ended === 'ended') this.ended = reason || guess;
    if (before !== after) {
      this.profile = null;
      this.etag = '';
    }
    this.dispatchEvent(new CustomEvent('session', { detail: { person: before !== after || ended !== this.ended } }));
  }

  /** Whether the session's time was up, give or take a few seconds. */
  #overdue() {
    const { idle_at: idle, absolute_at: absolute } = this.session.expires;
    return Math.min(Date.parse(idle), Date.parse(absolute)) - 5000 < this.now;
  }
}

export const store = new Store({ request, now: clock.now });
