// @ts-check
/**
 * The one module that fetches. Answers and failures come back as values; nothing here ever navigates.
 *
 *   const {data, etag} = await request('GET', '/api/profile');
 *   try { await request('PATCH', '/api/profile', {body, headers}) } catch (error) { if (error.needsStepUp) … }
 */

export const PATIENCE = 10_000;

/** A call that did not work. Ask it what it means instead of comparing numbers. */
export class ApiError extends Error {
  /** @param {string} slug @param {number} [status] @param {Record<string, any>} [problem] @param {Headers} [headers] */
  constructor(slug, status = 0, problem = {}, headers = new Headers()) {
    super(problem.title || slug);
    this.name = 'ApiError';
    this.slug = slug;
    this.status = status;
    this.problem = problem;
    /** Seconds to wait before trying again, where the server said so. */
    this.retryAfter = Number(headers.get('Retry-After')) || 0;
  }

  get reference() { return typeof this.problem.reference === 'string' ? this.problem.reference : ''; }
  get signedOut() { return this.slug === 'sign-in-required'; }
  /** Another tab got a new session meanwhile, and this browser has its cookie by now: 'rotated' is the same person,
   * 'replaced' may be another, for whom nothing may be written by mistake. @param {string} method */
  mayRepeat(method) {
    const { reason } = this.problem;
    return this.signedOut && (reason === 'rotated' || (reason === 'replaced' && method === 'GET'));
  }

  get needsStepUp() { return this.slug === 'step-up-required'; }
  get changedElsewhere() { return this.slug === 'profile-changed'; }
  get invalid() { return this.slug === 'invalid-profile-patch'; }
  get gone() { return this.status === 404; }
  /** The server says that it doesn't know itself whether the change was made. */
  get unsure() { return this.problem.outcome === 'unknown'; }
}

/**
 * @typedef {{data: any, etag: string, now: number}} Answer `now` is the server's clock, in milliseconds.
 * @typedef {{body?: unknown, headers?: Record<string, string>}} Options
 */

/** @param {string} method @param {string} path @param {Options} [options] @returns {Promise<Answer>} */
export async function request(method, path, options = {}) {
  try {
    return await once(method, path, options);
  } catch (error) {
    if (error instanceof ApiError && error.mayRepeat(method)) return once(method, path, options);
    throw error;
  }
}

/** @param {string} method @param {string} path @param {Options} options @returns {Promise<Answer>} */
async function once(method, path, { body, headers = {} }) {
  const clock = new AbortController();
  const alarm = setTimeout(() => clock.abort(), PATIENCE);
  try {
    const response = await fetch(path, {
      method,
      headers: { Accept: 'application/json', 'X-CSRF': '1', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: clock.signal,
    });
    const data = await read(response);
    if (!response.ok) throw failure(response, data);
    if (data === undefined) throw new ApiError('unexpected-answer', response.status);
    const now = Date.parse(response.headers.get('Date') ?? '') || Date.now();
    return { data, etag: response.headers.get('ETag') ?? '', now };
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(clock.signal.aborted ? 'timeout' : 'offline');
  } finally {
    clearTimeout(alarm);
  }
}

/** The body as JSON; undefined where it is something else. @param {Response} response */
async function read(response) {
  const text = await response.text();
  if (text === '') return null;
  if (!/^application\/(problem\+)?json\b/i.test(response.headers.get('Content-Type') ?? '')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {Response} response @param {any} data */
function failure(response, data) {
  const type = data && typeof data === 'object' && typeof data.type === 'string' ? data.type : '';
  const slug = /\/problems\/([a-z0-9-]+)$/.exec(type)?.[1] ?? 'unexpected-answer';
  return new ApiError(slug, response.status, data && typeof data === 'object' ? data : {}, response.headers);
}
