// @ts-check
/** Ends sessions other than this one, and says in place what kept them from ending. */
import { ApiError } from './api-error.js';
import { request } from './api.js';
import { problemNotice } from './notice.js';
import { refresh } from './router.js';
import { store } from './store.js';

/** @param {string} path @param {HTMLElement} above @returns {Promise<boolean>} whether it did */
export async function endSessions(path, above) {
  try {
    await request('DELETE', path);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.signedOut) store.end(error.reason);
    else if (error.gone) await refresh();
    else {
      const notice = problemNotice(error);
      above.replaceChildren(notice);
      notice.focus();
    }
    return false;
  }
}
