// @ts-check
/** The question whether to stay signed in and what its answers set off. */
import { clock } from './clock.js';
import { ask } from './dialog.js';
import { announce, h } from './dom.js';
import { waiting } from './draft.js';
import { leave } from './router.js';
import { span, t } from './words.js';

/** @import {ExpiryQuestion} from './types.js' */

/** Seconds left at which the time is said aloud. */
const SPOKEN = new Set([90, 60, 30, 10]);

/** @type {ExpiryQuestion} */
export const question = {
  async ask({ final, left }, opened) {
    const shown = h('strong', { class: 'countdown' });
    /** @type {((answer: string) => void) | undefined} */
    let close;

    function count() {
      const seconds = Math.ceil(left());
      shown.textContent = span(seconds);
      if (SPOKEN.has(seconds)) announce(t('expiry.left', { span: span(seconds) }));
      if (seconds <= 0) close?.('over');
    }

    count();
    const stop = clock.every(1000, count);
    const answer = await ask({
      title: t('expiry.title'),
      body: [
        h('p', {}, t('expiry.text'), ' ', shown, '.'),
        final && h('p', {}, t('expiry.final')),
        waiting() && h('p', {}, t('expiry.kept')),
      ],
      actions: final
        ? [['again', t('expiry.again'), 'primary'], ['later', t('expiry.later'), 'second']]
        : [['stay', t('expiry.stay'), 'primary'], ['out', t('sign-out'), 'second']],
      escape: final ? 'later' : 'stay',
      onOpen(finish) {
        close = finish;
        opened(finish);
      },
    });
    stop();
    return answer;
  },
  signIn: () => leave(`/auth/sign-in?return_to=${encodeURIComponent(location.pathname)}`),
  signOut: () => document.getElementById('sign-out')?.click(),
  stayed: () => announce(t('expiry.stayed')),
};
