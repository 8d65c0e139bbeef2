// @ts-check
/** Starts the client: the frame, the first screen, then what keeps it true. */
import { clock } from './clock.js';
import { closeAll } from './dialog.js';
import { hear } from './events.js';
import { question } from './expiry-question.js';
import { watch } from './expiry.js';
import { drawFrame } from './frame.js';
import { refresh, start } from './router.js';
import { explain, prefetch, resolve } from './routes.js';
import { store } from './store.js';
import { listen, tell } from './tabs.js';

const main = document.getElementById('main');
if (!main) throw new Error('index.html has no #main');

drawFrame();
await start(main, { resolve, explain });
watch({ store, clock, question });
hear({ page: window, store, clock, random: Math.random });
listen(() => main.dataset.screen === 'profile' && refresh({ focus: false }));
if (store.user) tell('signed-in');

// Somebody signed in, out, or became another: nothing of before may stay on the screen.
store.addEventListener('session', (event) => {
  if (!(event instanceof CustomEvent) || !event.detail.person) return;
  closeAll();
  refresh();
});
addEventListener('online', () => main.dataset.problem === 'offline' && refresh());
clock.after(400, prefetch);
