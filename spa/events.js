// @ts-check
/**
 * Hears from the server what becomes of the session: it ended, it ends soon, what may be done has changed.
 *
 *   hear();  // once, after the first screen
 *
 * An event only makes the page ask again; what is true is what GET /api/session says. One connection, and only while
 * the page is in view, as browsers have few for each site. Without one (refused, or lost for good) the page is as true
 * as its own clock, other tabs and coming back to it make it, and tries again later.
 */
import { ApiError } from './api.js';
import { store } from './store.js';

const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 300_000;

/** @type {EventSource | null} */
let source = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let later;
let pause = FIRST_PAUSE;

export function hear() {
  if (!('EventSource' in globalThis)) return;
  store.addEventListener('session', tune);
  document.addEventListener('visibilitychange', tune);
  addEventListener('pageshow', tune);
  // A page with a connection is not kept for Back.
  addEventListener('pagehide', hangUp);
  tune();
}

/** Opens or closes the connection, as the session and the page's visibility ask for. */
function tune() {
  if (!store.session.authenticated || document.visibilityState !== 'visible') hangUp();
  else if (!source && later === undefined) connect();
}

function connect() {
  source = new EventSource('/api/session/events');
  source.addEventListener('open', () => (pause = FIRST_PAUSE));
  source.addEventListener('access-changed', () => ask());
  source.addEventListener('session-expiring', async () => {
    await ask();
    store.dispatchEvent(new Event('expiring'));
  });
  source.addEventListener('session-ended', ({ data }) => {
    hangUp();
    ask(reasonIn(data));
  });
  source.addEventListener('error', () => {
    // Otherwise the browser connects again by itself.
    if (source?.readyState === EventSource.CLOSED) tryLater();
  });
}

function hangUp() {
  source?.close();
  source = null;
  clearTimeout(later);
  later = undefined;
}

/** The server refused: perhaps the session is over; perhaps it has no room just now. */
function tryLater() {
  hangUp();
  later = setTimeout(() => {
    later = undefined;
    tune();
  }, pause * (0.5 + Math.random()));
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

/** @param {string} data @returns {string | undefined} */
function reasonIn(data) {
  try {
    const { reason } = JSON.parse(data);
    return typeof reason === 'string' ? reason : undefined;
  } catch {
    return undefined;
  }
}
