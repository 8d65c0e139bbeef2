// @ts-check
/** The one module that fetches. Answers and failures come back as values; nothing here ever navigates. */
import { ApiError } from './api-error.js';
import { clock, pause } from './clock.js';
import { members, parsed, text } from './json.js';

/** @import {Request, RequestOptions, RequestWorld} from './types.js' */

export const PATIENCE = 10_000;

/** Before another try: a network that changes needs a moment. */
export const PAUSE = 1000;

/** Makes the function that asks. @param {RequestWorld} world @returns {Request} */
export function requester({ fetch, clock: { after, now }, online = () => navigator.onLine !== false }) {
  /** @param {string} method @param {string} path @param {RequestOptions} options */
  async function once(method, path, { body, headers = {} }) {
    const patience = new AbortController();
    const cancel = after(PATIENCE, () => patience.abort());
    try {
      const response = await fetch(path, {
        method,
        headers: { Accept: 'application/json', 'X-CSRF': '1', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
        body: body === undefined ? null : JSON.stringify(body),
        credentials: 'same-origin',
        cache: 'no-store',
        redirect: 'error',
        signal: patience.signal,
      });
      const data = await read(response);
      if (!response.ok) throw failure(response, data);
      if (data === undefined) throw new ApiError('unexpected-answer', response.status);
      return { data, etag: response.headers.get('ETag') ?? '', now: Date.parse(response.headers.get('Date') ?? '') || now() };
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new ApiError(patience.signal.aborted ? 'timeout' : online() ? 'unreachable' : 'offline');
    } finally {
      cancel();
    }
  }

  return async (method, path, options = {}) => {
    try {
      return await once(method, path, options);
    } catch (error) {
      if (!(error instanceof ApiError) || !error.mayRepeat(method)) throw error;
      if (error.slug === 'unreachable') await pause({ after }, PAUSE);
      return once(method, path, options);
    }
  };
}

export const request = requester({ fetch: (...call) => fetch(...call), clock });

/** The body as JSON; undefined where it is something else. @param {Response} response */
async function read(response) {
  const body = await response.text();
  if (body === '') return null;
  if (!/^application\/(problem\+)?json\b/i.test(response.headers.get('Content-Type') ?? '')) return undefined;
  return parsed(body);
}

/** @param {Response} response @param {unknown} data */
function failure(response, data) {
  const slug = /\/problems\/([a-z0-9-]+)$/.exec(text(members(data)?.type))?.[1] ?? 'unexpected-answer';
  return new ApiError(slug, response.status, data, response.headers);
}
