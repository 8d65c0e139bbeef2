// @ts-check
/** Asks by client.js, and waits ten seconds. Failures are ApiErrors; nothing here ever navigates. */
import { ApiError } from './api-error.js';
import { Problem, connect } from './client.js';
import { clock, pause } from './clock.js';

/** @import {Request, RequestOptions, RequestWorld} from './types.js' */

export const PATIENCE = 10_000;

/** Before another try: a network that changes needs a moment. */
export const PAUSE = 1000;

/** Makes the function that asks. @param {RequestWorld} world @returns {Request} */
export function requester({ fetch, clock: { after, now }, random = Math.random, online = () => navigator.onLine !== false }) {
  const gateway = connect({ world: { fetch, setTimeout: (/** @type {() => void} */ work, /** @type {number} */ milliseconds) => after(milliseconds, work) }, longestPause: 2, random });

  /** @param {string} method @param {string} path @param {RequestOptions} options */
  async function once(method, path, options) {
    const patience = new AbortController();
    const cancel = after(PATIENCE, () => patience.abort());
    try {
      const { data, response } = await gateway.request(method, path, { credentials: 'same-origin', cache: 'no-store', signal: patience.signal, ...options });
      if (data === undefined && await response.text()) throw new ApiError('unexpected-answer', response.status);
      return { data: data ?? null, etag: response.headers.get('ETag') ?? '', now: Date.parse(response.headers.get('Date') ?? '') || now() };
    } catch (error) {
      if (error instanceof ApiError) throw error;
      if (error instanceof Problem) throw new ApiError(error.slug, error.status, error.members, new Headers({ 'Retry-After': String(error.retryAfter) }));
      throw error instanceof SyntaxError ? new ApiError('unexpected-answer', 200) : new ApiError(patience.signal.aborted ? 'timeout' : online() ? 'unreachable' : 'offline');
    } finally {
      cancel();
    }
  }

  return async (method, path, options = {}) => {
    try {
      return await once(method, path, options);
    } catch (error) {
      if (!(error instanceof ApiError) || error.slug !== 'unreachable' || method !== 'GET') throw error;
      await pause({ after }, PAUSE);
      return once(method, path, options);
    }
  };
}

const ask = requester({ fetch: (...call) => fetch(...call), clock });

/** Who is signed in, asked before anything else is there. */
let early = globalThis.document?.body !== undefined && ask('GET', '/api/session').then((answer) => ({ ...answer, now: answer.now - clock.now() }));
if (early) early.catch(() => undefined);

/** @type {Request} */
export async function request(method, path, options) {
  const asked = path === '/api/session' && early;
  if (!asked) return ask(method, path, options);
  early = false;
  const answer = await asked;
  return { ...answer, now: answer.now + clock.now() };
}
