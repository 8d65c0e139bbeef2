// @ts-check
/**
 * One custom element: a person signs in, sees their city, and changes it after a confirmation. Nothing but client.js.
 * `<profile-element gateway="https://bff.example.com">` asks a gateway of another origin.
 */
import { Problem, connect } from '/client.js';

/** @param {string} tag @param {string | null} text @param {object} [properties] */
const make = (tag, text, properties = {}) => Object.assign(document.createElement(tag), { textContent: text }, properties);

class ProfileElement extends HTMLElement {
  #gateway = connect({ base: this.getAttribute('gateway') ?? '' });

  /** What stops hearing of the session. @type {(() => void) | null} */
  #hangUp = null;

  connectedCallback() {
    this.setAttribute('role', 'region');
    this.setAttribute('aria-label', 'Profile');
    this.try(() => this.show());
  }

  /** Draws what is true now: nobody, somebody, or a change that waits. */
  async show() {
    const { data: session } = await this.#gateway.request('GET', '/api/session');
    if (!session.authenticated) {
      this.#hangUp?.();
      this.#hangUp = null;
      return this.draw(make('p', 'Nobody is signed in.'), this.button('Sign in', () => this.leave('/auth/sign-in')));
    }
    this.#hangUp ??= this.#gateway.listen(({ type }) => void (type === 'access-changed' || this.try(() => this.show())));
    const waiting = await this.#gateway.resume();
    return waiting ? this.check(waiting) : this.profile();
  }

  async profile(news = '') {
    const { data: profile, response } = await this.#gateway.request('GET', '/api/profile');
    const input = /** @type {HTMLInputElement} */ (make('input', null, { name: 'city', value: profile.city ?? '', autocomplete: 'address-level2' }));
    const label = make('label', 'City');
    label.append(input);
    this.draw(
      make('p', `${profile.displayName}: ${profile.city ?? 'no city'}`),
      label,
      this.button('Save', () => this.save(input.value, response.headers.get('ETag') ?? '*')),
      this.button('Sign out', async () => location.assign(await this.#gateway.signOut())),
    );
    this.say(news);
  }

  /** @param {string} city @param {string} etag */
  async save(city, etag) {
    await this.#gateway.request('PATCH', '/api/profile', { body: { city: city || null }, headers: { 'If-Match': etag, 'Idempotency-Key': crypto.randomUUID() } });
    await this.profile('Saved.');
  }

  /** @param {import('/client.js').Waiting} waiting */
  check(waiting) {
    /** @param {() => Promise<unknown>} work @param {string} news */
    const settle = async (work, news) => {
      await work();
      history.replaceState(null, '', '/');
      await this.profile(news);
    };
    const lines = (waiting.changes ?? []).map(({ from, to }) => {
      const line = make('p', 'City: ');
      line.append(make('del', String(from ?? 'none')), ' → ', make('ins', String(to ?? 'none')));
      return line;
    });
    this.draw(make('p', 'You confirmed. Save this now?'), ...lines,
      this.button('Save now', () => settle(waiting.send, 'Saved.')), this.button('Forget it', () => settle(waiting.drop, 'Forgotten.')));
  }

  /** @param {string | Problem} where */
  leave(where) {
    // Back from a failed flow, the address is that of its problem.
    location.assign(this.#gateway.flowUrl(where, location.pathname === '/problem' ? '/' : location.href));
  }

  /** @param {string} label @param {() => unknown} work */
  button(label, work) {
    return make('button', label, { type: 'button', onclick: () => this.try(work) });
  }

  /** @param {() => unknown} work */
  async try(work) {
    try {
      await work();
    } catch (error) {
      const problem = error instanceof Problem ? error : null;
      if (problem?.slug === 'sign-in-required') return this.show();
      if (problem?.slug !== 'step-up-required') return this.say(problem?.members.detail ?? problem?.members.title ?? 'That didn’t work. Try again.');
      this.draw(make('p', 'To change it, confirm that it’s you. Your change waits meanwhile.'), this.button('Confirm', () => this.leave(problem)), this.button('Not now', () => this.profile()));
    }
    return undefined;
  }

  /** @param {...Node} nodes */
  draw(...nodes) {
    const used = this.contains(document.activeElement);
    this.replaceChildren(...nodes, make('p', '', { role: 'status' }));
    if (used) this.querySelector('button')?.focus();
  }

  /** @param {string} text */
  say(text) {
    const line = this.querySelector('[role=status]');
    if (line) line.textContent = text;
  }
}

customElements.define('profile-element', ProfileElement);
