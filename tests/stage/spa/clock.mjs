/** A clock that a test turns by hand. */

/** @import {Clock} from '../../../spa/types.js' */

/** Lets everything run that waits for nothing but its turn. */
export const settled = () => new Promise((resolve) => {
  setImmediate(() => setImmediate(resolve));
});

export class HandClock {
  /** @type {Set<{at: number, every: number, work: () => void}>} */
  #alarms = new Set();
  #now;

  /** @param {string} [start] */
  constructor(start = '2026-11-21T20:00:00Z') {
    this.#now = Date.parse(start);
    /** @type {Clock} */
    this.clock = {
      now: () => this.#now,
      after: (milliseconds, work) => this.#set(milliseconds, 0, work),
      every: (milliseconds, work) => this.#set(milliseconds, milliseconds, work),
    };
  }

  get now() { return this.#now; }

  /** How long until each alarm rings, in milliseconds, the next one first. */
  get waits() { return [...this.#alarms].map(({ at }) => at - this.#now).sort((one, other) => one - other); }

  /** Turns the clock, ringing what is due on the way. @param {number} milliseconds */
  async advance(milliseconds) {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#alarms].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
      if (!next) break;
      this.#now = next.at;
      if (next.every) next.at += next.every;
      else this.#alarms.delete(next);
      next.work();
      // eslint-disable-next-line no-await-in-loop -- what rang may set the next alarm
      await settled();
    }
    this.#now = end;
    await settled();
  }

  /** @param {number} milliseconds @param {number} every @param {() => void} work */
  #set(milliseconds, every, work) {
    const alarm = { at: this.#now + milliseconds, every, work };
    this.#alarms.add(alarm);
    return () => void this.#alarms.delete(alarm);
  }
}

/** A moment that many seconds from the clock's now, as the gateway writes it. @param {HandClock} time @param {number} seconds */
export const moment = (time, seconds) => new Date(time.now + seconds * 1000).toISOString();
