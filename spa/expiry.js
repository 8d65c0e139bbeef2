// @ts-check
/**
 * Warns two minutes before the session ends, and notices the end. Times are the server's, not this clock's.
 *
 *   watch();  // once, after the store exists
 *
 * Asks the server again before it warns: another tab may have prolonged the session meanwhile.
 */
import { ask } from './dialog.js';
import { announce, h } from './dom.js';
import { waiting } from './draft.js';
import { leave } from './router.js';
import { store } from './store.js';
import { span, t } from './words.js';

const WARNING = 120;
/** Seconds left at which the time is said aloud. */
const SPOKEN = new Set([90, 60, 30, 10]);

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** The longest time that this session was seen to have left. */
let longest = 0;
/** @type {((answer: string) => void) | null} */
let shut = null;
/** The end that the person has heard of and can't change. */
let known = '';

export function watch() {
  store.addEventListener('session', (event) => {
    if (event instanceof CustomEvent && event.detail.person) longest = 0;
    plan();
  });
  // The server knows how long sessions live, and so when it is time to say it.
  store.addEventListener('expiring', () => {
    const { seconds } = left();
    if (!shut && !told() && seconds > 2 && seconds <= WARNING + 5) warn();
  });
  plan();
}

const told = () => known !== '' && known === store.session.expires?.absolute_at;

/** How many seconds before its end a session is warned about: half-way, where its whole life is short. */
const warning = () => Math.min(WARNING, longest / 2);

/** Seconds until the session ends, and whether activity can prolong it. */
function left() {
  const { idle_at: idle = '', absolute_at: absolute = '' } = store.session.expires ?? {};
  const now = Date.now() + store.skew;
  const seconds = (/** @type {string} */ moment) => (Date.parse(moment) - now) / 1000 || 0;
  return { seconds: Math.min(seconds(idle), seconds(absolute)), final: seconds(absolute) <= seconds(idle) + 1 };
}

function plan() {
  clearTimeout(timer);
  if (!store.session.authenticated) return shut?.('ended');
  const { seconds } = left();
  longest = Math.max(longest, seconds);
  if (shut) return seconds > warning() + 5 ? shut('prolonged') : undefined;
  const wait = told() ? seconds + 1 : seconds - warning();
  timer = setTimeout(due, Math.min(Math.max(wait, 1) * 1000, 2 ** 31 - 1));
  return undefined;
}

async function due() {
  const before = left().seconds;
  await store.loadSession().catch(() => undefined);
  clearTimeout(timer);
  const { seconds } = left();
  if (!store.session.authenticated || shut) return;
  // In its last moments there is nothing left to decide: the next look finds the session ended.
  if (told() || seconds > warning() + 1 || seconds > before + 5 || seconds < 2) plan();
  else await warn();
}

async function warn() {
  const { final } = left();
  const shown = h('strong', { class: 'countdown' });
  const tick = setInterval(count, 1000);
  /** @type {[string, string, string][]} */
  const actions = final
    ? [['again', t('expiry.again'), 'primary'], ['later', t('expiry.later'), 'second']]
    : [['stay', t('expiry.stay'), 'primary'], ['out', t('sign-out'), 'second']];

  function count() {
    const seconds = Math.ceil(left().seconds);
    shown.textContent = span(seconds);
    if (SPOKEN.has(seconds)) announce(t('expiry.left', { span: span(seconds) }));
    if (seconds <= 0) shut?.('over');
  }

  count();
  const answer = await ask({
    title: t('expiry.title'),
    body: [
      h('p', {}, t('expiry.text'), ' ', shown, '.'),
      final && h('p', {}, t('expiry.final')),
      waiting() && h('p', {}, t('expiry.kept')),
    ].filter(Boolean),
    actions,
    escape: final ? 'later' : 'stay',
    onOpen: (close) => (shut = close),
  });
  clearInterval(tick);
  shut = null;
  await act(answer);
}

/** @param {string} answer */
async function act(answer) {
  if (answer === 'again') return leave(`/auth/sign-in?return_to=${encodeURIComponent(location.pathname)}`);
  if (answer === 'out') return void document.getElementById('sign-out')?.click();
  if (answer === 'stay') {
    await store.loadProfile().then(() => announce(t('expiry.stayed')), () => undefined);
  }
  if (answer === 'later') known = store.session.expires?.absolute_at ?? '';
  else if (answer && answer !== 'ended') await store.loadSession().catch(() => undefined);
  // Where the server could not be asked, this comes back: the session still ends.
  return plan();
}
