// @ts-check
/**
 * Hears from the server that the session ended, ends soon, or may do other things; each makes the page ask what is true.
 *
 * One connection, and only while the page is in view, as browsers have few for each site. Without one, clock, other tabs
 * and coming back to view do.
 */
import { members, parsed, text } from './json.js';

/** @import {Cancel, EventsWorld, EventStream} from './types.js' */

const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 300_000;
/** `EventSource.CLOSED`: the browser has given up. */
const CLOSED = 2;

/** @param {EventsWorld} world */
export function hear({ page, store, clock, random }) {
  if (!page.EventSource) return;
  const Source = page.EventSource;
  /** @type {EventStream | null} */
  let source = null;
  /** @type {Cancel | null} */
  let cancel = null;
  let pause = FIRST_PAUSE;

  /** Opens or closes the connection, as the session and the page's visibility ask for. */
  function tune() {
    if (!store.user || page.document.visibilityState !== 'visible') hangUp();
    else if (!source && !cancel) connect();
  }

  function connect() {
    try {
      source = new Source('/api/session/events');
    } catch {
      return; // Blocked: as without.
    }
    source.addEventListener('open', () => (pause = FIRST_PAUSE));
    source.addEventListener('access-changed', () => store.askAgain());
    source.addEventListener('session-expiring', async () => {
      await store.askAgain();
      store.dispatchEvent(new Event('expiring'));
    });
    source.addEventListener('session-ended', (event) => {
      hangUp();
      store.askAgain(event instanceof MessageEvent ? text(members(parsed(event.data))?.reason) : '');
    });
    source.addEventListener('error', () => {
      // Otherwise the browser connects again by itself.
      if (source?.readyState === CLOSED) tryLater();
    });
  }

  function hangUp() {
    source?.close();
    source = null;
    cancel?.();
    cancel = null;
  }

  /** The server refused: perhaps the session is over; perhaps it has no room just now. */
  function tryLater() {
    hangUp();
    cancel = clock.after(pause * (0.5 + random()), () => {
      cancel = null;
      tune();
    });
    pause = Math.min(pause * 2, LONGEST_PAUSE);
    store.askAgain();
  }

  store.addEventListener('session', tune);
  page.document.addEventListener('visibilitychange', tune);
  page.addEventListener('pageshow', tune);
  // A page with a connection is not kept for Back.
  page.addEventListener('pagehide', hangUp);
  tune();
}
