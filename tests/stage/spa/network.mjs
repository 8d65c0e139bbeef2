/** A network of answers: what is asked is written down, and answered by what the test says. */
import { requester } from '../../../spa/api.js';

/** @import {Clock} from '../../../spa/types.js' */

/**
 * @typedef {{method: string, path: string, headers: Headers, body: unknown, options: RequestInit}} Asked
 * @typedef {(asked: Asked) => Response | Promise<Response>} Responder
 */

/** @param {unknown} data @param {{status?: number, headers?: Record<string, string>}} [how] */
export const json = (data, { status = 200, headers = {} } = {}) =>
  new Response(JSON.stringify(data), { status, headers: { 'Content-Type': 'application/json', ...headers } });

/** @param {string} slug @param {number} status @param {Record<string, unknown>} [members] @param {Record<string, string>} [headers] */
export const problem = (slug, status, members = {}, headers = {}) =>
  json({ type: `/problems/${slug}`, ...members }, { status, headers: { 'Content-Type': 'application/problem+json', ...headers } });

export class Network {
  /** @type {Asked[]} */
  asked = [];
  /** Whether this computer has a connection. */
  online = true;
  /** By method and path; `otherwise` for the rest. @type {Map<string, Responder>} */
  #responders = new Map();

  /** @param {Clock} clock */
  constructor(clock) {
    this.request = requester({ fetch: (path, options) => this.#fetch(String(path), options ?? {}), clock, online: () => this.online });
  }

  /** Answers from now on. @param {string} what like 'GET /api/session' @param {Responder} responder */
  answer(what, responder) {
    this.#responders.set(what, responder);
    return this;
  }

  /** What was asked, in order: 'GET /api/session'. */
  get calls() { return this.asked.map(({ method, path }) => `${method} ${path}`); }

  /** @param {string} path @param {RequestInit} options */
  async #fetch(path, options) {
    const method = options.method ?? 'GET';
    const body = typeof options.body === 'string' ? JSON.parse(options.body) : null;
    const asked = { method, path, headers: new Headers(options.headers), body, options };
    this.asked.push(asked);
    const responder = this.#responders.get(`${method} ${path}`);
    if (!responder) throw new TypeError(`no network to ${method} ${path}`);
    return responder(asked);
  }
}

/** Answers one after the other; the last one stays. @param {...Responder} responders @returns {Responder} */
export function inTurn(...responders) {
  let turn = 0;
  return (asked) => {
    const responder = responders[Math.min(turn, responders.length - 1)];
    turn += 1;
    if (!responder) throw new TypeError('no answer left');
    return responder(asked);
  };
}

/** An answer that waits until it is let go. */
export function held() {
  /** @type {(response: Response) => void} */
  let letGo = () => undefined;
  const response = new Promise((/** @type {(response: Response) => void} */ resolve) => {
    letGo = resolve;
  });
  return { responder: () => response, letGo };
}
