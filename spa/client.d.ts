/**
 * How a front end speaks to the gateway. The gateway serves the module at `/client.js`, whatever front end it serves:
 *
 *   import { Problem, connect } from '/client.js';
 *   const gateway = connect(); // or connect({ base: 'https://bff.example.com' }) from an allowed origin
 *
 *   try {
 *     const { data } = await gateway.request('PATCH', '/api/notes/7', { body: { text: 'Milk' } });
 *   } catch (problem) {
 *     if (!(problem instanceof Problem)) throw problem; // no answer came: as fetch rejects
 *     if (problem.members.redirect) location.assign(gateway.flowUrl(problem)); // sign in, or confirm who you are
 *   }
 *
 *   const waiting = await gateway.resume(); // after coming back: what the confirmation interrupted
 *   if (waiting && confirm(`${waiting.method} ${waiting.path}?`)) await waiting.send();
 *
 *   gateway.listen(show); // somebody signed out elsewhere, or may do other things: ask GET /api/session again
 *   signOutButton.onclick = async () => location.assign(await gateway.signOut());
 *
 * It navigates nowhere, draws nothing and keeps nothing: addresses and failures come back as values.
 */

/** An answer that says no (RFC 9457). What brought no answer is no Problem: that rejects as `fetch` does. */
export class Problem extends Error {
  constructor(response: Response, body: unknown);
  /** The last part of `/problems/<slug>`; 'unexpected-answer' where the answer is not one of the gateway's own. */
  slug: string;
  status: number;
  /** All that the answer says, like `detail`, `redirect`, `parked`, `upstream`, `outcome`; not checked. */
  members: Record<string, any>;
  /** Seconds; 0 where the answer names none. */
  retryAfter: number;
}

/** And what else `fetch` takes, like `signal: AbortSignal.timeout(10_000)`; without that, a browser waits for minutes. */
export interface RequestOptions extends Omit<RequestInit, 'body' | 'headers' | 'method'> {
  /** Sent as JSON, unless it is undefined; not for files and streams, for which there is `fetch` with `X-CSRF: 1`. */
  body?: unknown;
  /** Over ours; `Content-Type` may name another kind of JSON, like `application/merge-patch+json`. */
  headers?: Record<string, string>;
}

export interface Answer {
  /** Parsed where the answer is JSON; undefined otherwise, and `response` is yet to be read. Not checked. */
  data: any;
  response: Response;
}

/**
 * Sends one request with the session, and the header that no other site can send.
 *
 * Repeats it once where nothing can be done twice by that: any request where the gateway says that it is overloaded,
 * or that another tab got this browser a new session of the same person; where anything else answers 503, GET and what
 * has an `Idempotency-Key`. It waits as long as `Retry-After` says and up to a half more, so that not all come at once;
 * where that is missing, or longer than `longestPause`, nothing is repeated.
 *
 * Rejects with Problem for every status outside of 200 to 299, with SyntaxError where JSON is none, and as `fetch`.
 */
export type Request = (method: string, path: string, options?: RequestOptions, again?: boolean) => Promise<Answer>;

/** What waits for a confirmation: docs/reference/parked-requests.md. */
export interface Waiting {
  id: string;
  upstream: string;
  method: string;
  /** As the page asked it. */
  path: string;
  content_type: string;
  /** Where the gateway could read what is there now. */
  changes?: { field: string; from: unknown; to: unknown }[];
  expires_at: string;
  /** Sends it, once; the answer is that of the API. Rejects as `request`, with 404 where it was sent or has expired. */
  send: () => Promise<Answer>;
  /** Forgets it. */
  drop: () => Promise<Answer>;
}

/**
 * Returns where to go: to one of the gateway's own flows, and back to `returnTo` from there (the present page, if it
 * says nothing). `where` is what `request` rejected with, for 401 `sign-in-required` and 403 `step-up-required`, or
 * an address like `/auth/sign-in`, `/auth/sign-up`, `/auth/step-up?action=notes`.
 *
 * Where something waits, `returnTo` gets the parameter `parked`, by which `resume` finds it.
 * Raises TypeError for what is no address of a flow, whoever wrote it.
 */
export type FlowUrl = (where: string | Problem, returnTo?: string) => string;

export interface Client {
  request: Request;
  flowUrl: FlowUrl;
  /**
   * Ends the session, and returns where to end the one at the authority; from there the browser comes to `returnTo`,
   * or to the first page of the page's origin. Rejects as `request`.
   */
  signOut: (returnTo?: string) => Promise<string>;
  /** Returns what waits by the page's address; null where nothing does any more. Rejects as `request`. */
  resume: () => Promise<Waiting | null>;
  /**
   * Hears of the session while the page is in view: `access-changed`, `session-expiring`, `session-ended`, each with JSON
   * as `data`, and `error` where the gateway takes no listener, perhaps as there is no session. After any of them,
   * `GET /api/session` says what is true. A page that is being left hears no `error`, though its stream ends with one.
   * Connects again by itself, after `error` ever more seldom. It is for a page with somebody signed in. Returns what ends it. Raises where the browser blocks event streams or has none.
   */
  listen: (heard: (event: Event) => void) => () => void;
}

/** What is used of a window, so that a test can hand over another one. */
export interface World {
  fetch: typeof globalThis.fetch;
  location: Pick<Location, 'href'>;
  document: Pick<Document, 'addEventListener' | 'visibilityState'>;
  EventSource: new (url: string, options: { withCredentials: boolean }) => EventTarget & Pick<EventSource, 'readyState' | 'close'>;
  setTimeout: (work: () => void, milliseconds: number) => unknown;
  clearTimeout: (alarm: any) => void;
}

export interface Options {
  /** The gateway's origin, without a slash at the end, where the page is not its own. */
  base?: string;
  /** Seconds; 5 if nothing is said. */
  longestPause?: number;
  /** A `World`, or as much of one as is used. */
  world?: any;
  random?: () => number;
}

export type Connect = (options?: Options) => Client;
export const connect: Connect;
