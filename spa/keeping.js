// @ts-check
/** Keeps the page true once its first screen stands. */
import { clock } from './clock.js';
import { closeAll } from './dialog.js';
import { hear } from './events.js';
import { question } from './expiry-question.js';
import { watch } from './expiry.js';
import { refresh } from './router.js';
import { store } from './store.js';
import { listen, tell } from './tabs.js';

/** @param {HTMLElement} main */
export function keep(main) {
  watch({ store, clock, question });
  hear({ page: window, store, clock, random: Math.random });
  listen(() => main.dataset.screen === 'profile' && refresh({ focus: false }));
  if (store.user) tell('signed-in');

  // Somebody signed in, out, or became another: nothing of before may stay on the screen.
  store.addEventListener('session', (event) => {
    if (event instanceof CustomEvent && event.detail.person) {
      closeAll();
      refresh();
    }
  });
}
