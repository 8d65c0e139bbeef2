// @ts-check
/** See client.d.ts. Never navigates or draws. */

export class Problem extends Error {
  /** @param {Response} response @param {any} body */
  constructor(response, body) {
    const members = Object(body);
    const slug = /^\/problems\/([a-z0-9-]+)$/.exec(members.type)?.[1] ?? 'unexpected-answer';
    super(members.title ?? slug);
    this.slug = slug;
    this.status = response.status;
    this.members = members;
    this.retryAfter = Number(response.headers.get('Retry-After')) || 0;
  }
}

/** @type {import('./client.js').Connect} */
export function connect({ base = '', longestPause = 5, world = globalThis, random = Math.random } = {}) {
  /** @type {import('./client.js').Request} */
  async function request(method, path, options = {}, again = true) {
    const { body, headers, ...init } = options;
    const sent = new Headers({ Accept: 'application/json', 'X-CSRF': '1', ...headers });
    if (body !== undefined && !sent.has('Content-Type')) sent.set('Content-Type', 'application/json');
    const response = await world.fetch(base + path, {
      method,
      headers: sent,
      body: JSON.stringify(body) ?? null,
      credentials: 'include',
      redirect: 'error',
      ...init,
    });
    const text = /[/+]json\b/i.test(String(response.headers.get('Content-Type'))) ? await response.text() : '';
    const data = text ? JSON.parse(text) : undefined;
    if (response.ok) return { data, response };

    const problem = new Problem(response, data);
    const { slug, members, retryAfter } = problem;
    const reads = method === 'GET';
    // Renewed in another tab; 'replaced' perhaps by another person.
    const renewed = slug === 'sign-in-required' && (reads ? /^(rotated|replaced)$/ : /^rotated$/).test(members.reason);
    // Overloaded: nothing was done.
    const harmless = reads || slug === 'overloaded' || sent.has('Idempotency-Key');
    const later = harmless && response.status === 503 && retryAfter && retryAfter <= longestPause;
    if (!again || !(renewed || later)) throw problem;
    if (later) await new Promise((resolve) => { world.setTimeout(resolve, retryAfter * (1000 + 500 * random())); });
    return request(method, path, options, false);
  }

  /** @type {import('./client.js').FlowUrl} */
  function flowUrl(where, returnTo = world.location.href) {
    const { redirect, parked, parked_edit: edit = parked } = typeof where === 'string' ? { redirect: where } : where.members;
    const back = new URL(returnTo, world.location.href);
    if (edit) back.searchParams.set('parked', edit.id);
    const url = new URL(redirect, base || back);
    if (!url.href.startsWith(new URL('/auth/', base || back).href)) throw new TypeError(redirect);
    url.searchParams.set('return_to', base ? back.href : back.href.slice(back.origin.length));
    return base + url.pathname + url.search;
  }

  return {
    request,
    flowUrl,
    signOut: async (returnTo = '/') => (await request('POST', flowUrl('/auth/sign-out', returnTo).slice(base.length))).data.redirect,
    async resume() {
      const id = new URL(world.location.href).searchParams.get('parked');
      if (!id) return null;
      const path = `/api/parked/${encodeURIComponent(id)}`;
      try {
        return { ...(await request('GET', path)).data, send: () => request('POST', path), drop: () => request('DELETE', path) };
      } catch (/** @type {any} */ problem) {
        if (problem.status === 404) return null;
        throw problem;
      }
    },
    listen(heard) {
      const over = new AbortController();
      /** @type {any[]} */
      let [source, alarm] = [];
      let pause = 30;

      /** @param {Event} [event] */
      function tune(event) {
        const wanted = !over.signal.aborted && world.document.visibilityState === 'visible';
        if (event && wanted && source) return;
        world.clearTimeout(alarm);
        source = source?.close();
        if (!wanted) return;
        source = new world.EventSource(`${base}/api/session/events`, { withCredentials: true });
        for (const type of ['access-changed', 'session-expiring', 'session-ended']) source.addEventListener(type, heard);
        source.addEventListener('open', () => (pause = 30));
        source.addEventListener('error', (/** @type {Event} */ error) => {
          if (source.readyState < 2) return; // The browser tries again.
          // A page that is left asks no more.
          alarm = world.setTimeout(() => {
            alarm = world.setTimeout(tune, pause * (500 + 1000 * random()));
            pause = Math.min(pause * 2, 300);
            heard(error);
          }, 0);
        });
      }

      tune();
      world.document.addEventListener('visibilitychange', tune, over);
      return () => {
        over.abort();
        tune();
      };
    },
  };
}
