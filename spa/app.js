// @ts-check
/** Starts the client: the frame, the first screen, then what keeps it true. */
import { clock } from './clock.js';
import { drawFrame } from './frame.js';
import { fail, refresh, start } from './router.js';
import { explain, load, prefetch, resolve } from './routes.js';

const main = document.getElementById('main');
if (!main) throw new Error('index.html has no #main');

drawFrame();
// Not awaited: views import what travels in this file, and would wait for its end.
start(main, { resolve, explain }).then(() => {
  load(() => import('./keeping.js')).then(({ keep }) => keep(main), fail);
  addEventListener('online', () => main.dataset.problem === 'offline' && refresh());
  clock.after(400, prefetch);
});
