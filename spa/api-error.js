// @ts-check
/** A call that did not work, and what the answer said of it (RFC 9457). */
import { list, members, text, texts } from './json.js';

/** @import {FieldError} from './types.js' */

export class ApiError extends Error {
  /** @type {Record<string, unknown>} */
  #problem;

  /** @param {string} slug @param {number} [status] @param {unknown} [problem] the answer's body @param {Headers} [headers] */
  constructor(slug, status = 0, problem = null, headers = new Headers()) {
    super(text(members(problem)?.title) || slug);
    this.name = 'ApiError';
    this.slug = slug;
    this.status = status;
    this.#problem = members(problem) ?? {};
    /** Seconds to wait before trying again, where the server said so. */
    this.retryAfter = Number(/^\d{1,5}$/.exec(headers.get('Retry-After') ?? '')?.[0] ?? 0);
  }

  /** The server's own sentences, '' where it has none. */
  get title() { return text(this.#problem.title); }
  get detail() { return text(this.#problem.detail); }
  get reference() { return text(this.#problem.reference); }

  get signedOut() { return this.slug === 'sign-in-required'; }
  /** Why the session ended, where the server knows. */
  get reason() { return text(this.#problem.reason) || undefined; }

  get needsStepUp() { return this.slug === 'step-up-required'; }
  /** Where to confirm. */
  get redirect() { return text(this.#problem.redirect); }
  /** The edit that waits on the server; its id is '' where none does. */
  get parked() {
    return texts(this.#problem.parked_edit, 'id', 'expires_at');
  }

  get changedElsewhere() { return this.slug === 'profile-changed'; }
  get invalid() { return this.slug === 'invalid-profile-patch'; }
  /** What is wrong with which field. @returns {FieldError[]} */
  get errors() {
    return list(this.#problem.errors).map((one) => texts(one, 'field', 'code', 'detail'));
  }

  get gone() { return this.status === 404; }
  /** The server says that it doesn't know itself whether the change was made. */
  get unsure() { return this.#problem.outcome === 'unknown'; }
}
