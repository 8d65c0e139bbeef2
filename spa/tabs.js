// @ts-check
/** Keeps tabs in agreement: what one does makes the others ask, as does coming back to view. */
import { clock } from './clock.js';
import { drop } from './draft.js';
import { store } from './store.js';

/** @import {TabsWorld} from './types.js' */

/** @param {TabsWorld} world */
export function tabs({ page, open, store, drop, now }) {
  /** @type {BroadcastChannel | null | undefined} */
  let channel;
  let asked = 0;

  /** A tab without a channel hears nothing, and asks when it is looked at. */
  function others() {
    if (channel !== undefined) return channel;
    try {
      channel = open();
    } catch {
      channel = null;
    }
    return channel;
  }

  /** @param {'saved' | 'signed-out' | 'signed-in'} news */
  const tell = (news) => others()?.postMessage(news);

  /** @param {() => void} onSaved the profile was changed in another tab */
  function listen(onSaved) {
    others()?.addEventListener('message', ({ data }) => {
      if (data === 'signed-out') {
        drop();
        store.end('signed-out');
      } else if (data === 'saved') {
        onSaved();
      }
      recheck(0);
    });
    page.document.addEventListener('visibilitychange', () => page.document.visibilityState === 'visible' && recheck(1000));
    page.addEventListener('pageshow', (event) => event.persisted && recheck(0));
    page.addEventListener('online', () => recheck(1000));
  }

  /** Asks who is signed in, unless that was asked a moment ago. @param {number} pause */
  async function recheck(pause) {
    if (now() - asked < pause) return;
    asked = now();
    await store.askAgain();
  }

  return { tell, listen };
}

export const { tell, listen } = tabs({ page: globalThis.window, open: () => new BroadcastChannel('stepup'), store, drop, now: clock.now });
