// @ts-check
/** Hears that the session ended, ends soon or may do other things, and asks what is true. */
import { connect } from './client.js';
import { members, parsed, text } from './json.js';

/** @import {Cancel, EventsWorld} from './types.js' */

/** @param {EventsWorld} world */
export function hear({ page, store, clock, random }) {
  const gateway = connect({ random, world: {
    document: page.document,
    EventSource: page.EventSource,
    setTimeout: (/** @type {() => void} */ work, /** @type {number} */ milliseconds) => clock.after(milliseconds, work),
    clearTimeout: (/** @type {Cancel | undefined} */ cancel) => cancel?.(),
  } });
  /** @type {Cancel | null} */
  let hangUp = null;

  function tune() {
    try {
      if (store.user) hangUp ??= gateway.listen(heard);
      else leave();
    } catch {
      // None, or blocked.
    }
  }

  function leave() {
    hangUp?.();
    hangUp = null;
  }

  /** @param {Event} event */
  async function heard(event) {
    const ended = event.type === 'session-ended';
    if (ended) leave();
    await store.askAgain(ended && event instanceof MessageEvent ? text(members(parsed(event.data))?.reason) : undefined);
    if (event.type === 'session-expiring') store.dispatchEvent(new Event('expiring'));
  }

  store.addEventListener('session', tune);
  page.addEventListener('pageshow', tune);
  // A page with a connection is not kept for Back.
  page.addEventListener('pagehide', leave);
  tune();
}
