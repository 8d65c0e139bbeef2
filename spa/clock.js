// @ts-check
/** What time it is, and what happens later. */

/** @import {Clock} from './types.js' */

/** @param {Pick<Clock, 'after'>} clock @param {number} milliseconds @returns {Promise<undefined>} */
export const pause = ({ after }, milliseconds) => new Promise((resolve) => {
  after(milliseconds, () => resolve(undefined));
});

/** @type {Clock} */
export const clock = {
  now: () => Date.now(),
  after(milliseconds, work) {
    const alarm = setTimeout(work, milliseconds);
    return () => clearTimeout(alarm);
  },
  every(milliseconds, work) {
    const tick = setInterval(work, milliseconds);
    return () => clearInterval(tick);
  },
};
