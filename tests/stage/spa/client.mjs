/** A front end of its own: client.js in a page that draws nothing, with a network that answers, and streams of events. */
import { connect } from '../../../spa/client.js';
import { HandClock } from './clock.mjs';
import { json } from './network.mjs';
import { FakeWindow } from './window.mjs';

/** @import {Options} from '../../../spa/client.js' */

export class Stream extends EventTarget {
  readyState = 1;
  url = '';
  /** @type {Stream[]} */
  static opened = [];

  /** @param {string} url @param {{withCredentials: boolean}} options */
  constructor(url, options) {
    super();
    this.url = url;
    this.withCredentials = options.withCredentials;
    Stream.opened.push(this);
  }

  close() { this.readyState = 2; }
}

/** A page at an address, and a network with one answer.
 * @param {(call: number) => Response | Promise<Response>} [answer]
 * @param {Options & {at?: string}} [how] */
export function world(answer = () => json({}), { at = '/notes?page=2#seven', ...options } = {}) {
  const time = new HandClock();
  /** @type {{url: string, init: RequestInit, headers: Headers}[]} */
  const asked = [];
  const page = Object.assign(new FakeWindow(at), {
    EventSource: Stream,
    fetch: async (/** @type {string} */ url, /** @type {RequestInit} */ init) => {
      asked.push({ url, init, headers: new Headers(init.headers) });
      return answer(asked.length);
    },
    setTimeout: (/** @type {() => void} */ work, /** @type {number} */ milliseconds) => time.clock.after(milliseconds, work),
    clearTimeout: (/** @type {(() => void) | undefined} */ cancel) => cancel?.(),
  });
  Stream.opened = [];
  return { time, page, asked, gateway: connect({ world: page, random: () => 0.5, ...options }) };
}
