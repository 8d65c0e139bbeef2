// @ts-check
/** Warns two minutes before the session ends, by the server's clock; asks first whether it still does. */

/** @import {Cancel, ExpiryWorld} from './types.js' */

const WARNING = 120;

/** @param {ExpiryWorld} world */
export function watch({ store, clock, question }) {
  /** @type {Cancel | null} */
  let cancel = null;
  /** The longest time that this session was seen to have left. */
  let longest = 0;
  /** @type {((answer: string) => void) | null} */
  let close = null;
  /** The end that the person has heard of and can't change. */
  let accepted = '';

  const isAccepted = () => accepted !== '' && accepted === store.session.expires.absolute_at;

  /** Seconds before the end: half of a life that is short. */
  const warning = () => Math.min(WARNING, longest / 2);

  /** Seconds until the session ends, and whether that is at its longest. */
  function left() {
    const { idle_at: idle, absolute_at: absolute } = store.session.expires;
    const seconds = (/** @type {string} */ moment) => (Date.parse(moment) - store.now) / 1000 || 0;
    return { seconds: Math.min(seconds(idle), seconds(absolute)), final: seconds(absolute) <= seconds(idle) + 1 };
  }

  function plan() {
    cancel?.();
    if (!store.user) return close?.('ended');
    const { seconds } = left();
    longest = Math.max(longest, seconds);
    if (close) return seconds > warning() + 5 ? close('prolonged') : undefined;
    return lookAgain(isAccepted() ? seconds + 1 : seconds - warning());
  }

  /** @param {number} seconds */
  function lookAgain(seconds) {
    cancel?.();
    cancel = clock.after(Math.min(Math.max(seconds, 1) * 1000, 2 ** 31 - 1), look);
  }

  async function look() {
    const before = left().seconds;
    await store.askAgain();
    cancel?.();
    const { seconds } = left();
    if (!store.user || close) return;
    // In its last moments there is nothing left to decide: the next look finds the session ended.
    if (isAccepted() || seconds > warning() + 1 || seconds > before + 5 || seconds < 2) plan();
    else await warn();
  }

  async function warn() {
    const ending = { final: left().final, left: () => left().seconds };
    const answer = await question.ask(ending, (shut) => (close = shut));
    close = null;
    await act(answer);
  }

  /** @param {string} answer */
  async function act(answer) {
    if (answer === 'again' || answer === 'out') {
      question[answer === 'again' ? 'signIn' : 'signOut']();
      // Where the person stays after all, for unsaved changes, the end is still noticed.
      return lookAgain(left().seconds + 1);
    }
    if (answer === 'stay') await store.loadProfile().then(question.stayed, () => undefined);
    if (answer === 'later') accepted = store.session.expires.absolute_at;
    else if (answer && answer !== 'ended') await store.askAgain();
    // Where the server could not be asked, this comes back: the session still ends.
    return plan();
  }

  store.addEventListener('session', (event) => {
    if (event instanceof CustomEvent && event.detail.person) longest = 0;
    plan();
  });
  // The server knows how long sessions live, and so when it is time to say it.
  store.addEventListener('expiring', () => {
    const { seconds } = left();
    if (!close && !isAccepted() && seconds > 2 && seconds <= WARNING + 5) warn();
  });
  plan();
}
