// @ts-check
/**
 * Keeps tabs in agreement: what one does, the others hear; and a tab that comes back to view asks again.
 *
 *   listen(router.refresh);  tell('saved');  tell('signed-out');
 *
 * Messages carry no data. Each tab asks the server what is true.
 */
import { ApiError } from './api.js';
import { drop } from './draft.js';
import { store } from './store.js';

const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('stepup') : null;
let asked = 0;

/** @param {'saved' | 'signed-out' | 'signed-in'} news */
export const tell = (news) => channel?.postMessage(news);

/** @param {() => void} onSaved the profile was changed in another tab */
export function listen(onSaved) {
  channel?.addEventListener('message', ({ data }) => {
    if (data === 'signed-out') {
      drop();
      store.end('signed-out');
    } else if (data === 'saved') {
      onSaved();
    }
    recheck(0);
  });
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && recheck(1000));
  addEventListener('pageshow', (event) => event.persisted && recheck(0));
  addEventListener('online', () => recheck(1000));
}

/** Asks who is signed in, unless that was asked a moment ago. @param {number} pause */
async function recheck(pause) {
  if (Date.now() - asked < pause) return;
  asked = Date.now();
  try {
    await store.loadSession();
  } catch (error) {
    // Not to know is no reason to take the page away.
    if (!(error instanceof ApiError)) throw error;
  }
}
