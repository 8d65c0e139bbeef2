// @ts-check
/** Looks whether a change was saved: by itself, and whenever the person wants. */
import { clock } from './clock.js';
import { announce, button, h } from './dom.js';
import { countdown } from './problem-words.js';
import { look } from './saving.js';
import { t, time } from './words.js';

/** Until the look by itself: longer than replicas usually lag. */
const SECONDS = 15;

export function lookAgain() {
  const found = h('p');

  /** @param {boolean} [unasked] */
  async function go(unasked) {
    const seen = await look(unasked);
    if (!found.isConnected || !['not-yet', 'failed'].includes(seen)) return;
    found.textContent = t(`look.${seen}`, { time: time(clock.now()) });
    announce(found.textContent);
  }

  const soon = countdown(SECONDS, 'look.soon', () => {
    soon.remove();
    return go(true);
  });
  return [found, soon, h('div', { class: 'actions' }, button(t('look.go'), () => go(), { busy: t('look.busy') }))];
}
