// @ts-check
/**
 * Hears from the server what becomes of the session: it ended, it ends soon, what may be done has changed.
 *
 * An event only makes the page ask again; what is true is what GET /api/session says. One connection, and only while
 * the page is in view, as browsers have few for each site. Without one (refused, or lost for good) the page is as true
 * as its own clock, other tabs and coming back to it make it, and tries again later.
 */
import { ApiError } from './api-error.js';
import { members, text } from './json.js';

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
    source.addEventListener('access-changed', () => ask());
    source.addEventListener('session-expiring', async () => {
      await ask();
      store.dispatchEvent(new Event('expiring'));
    });
    source.addEventListener('session-ended', (event) => {
      hangUp();
      ask(event instanceof MessageEvent ? reasonIn(event.data) : undefined);
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
    ask();
  }

  /** @param {string} [reason] why the session ended, where an event said so */
  async function ask(reason) {
    try {
      await store.loadSession(reason);
    } catch (error) {
      // Not to know is no reason to take the page away.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  store.addEventListener('session', tune);
  page.document.addEventListener('visibilitychange', tune);
  page.addEventListener('pageshow', tune);
  // A page with a connection is not kept for Back.
  page.addEventListener('pagehide', hangUp);
  tune();
}

/** @param {string} data @returns {string | undefined} */
function reasonIn(data) {
  try {
    return text(members(JSON.parse(data))?.reason) || undefined;
  } catch {
    return undefined;
  }
}
