// @ts-check
/** A page of notes behind the gateway: lists, adds, edits and deletes them. All that concerns the session is client.js'. */
import { Problem, connect } from '/client.js';

/** @typedef {{id: string, text: string}} Note */

const gateway = connect();

/** @param {string} selector @param {ParentNode} [within] @returns {any} */
const the = (selector, within = document) => within.querySelector(selector);

/** A copy of a template's first element. @param {string} name */
const copy = (name) => the(name).content.firstElementChild.cloneNode(true);

/** @param {string} text */
const say = (text) => (the('#status').textContent = text);

/** What a confirmation would be for, while the page offers one. @type {Problem | null} */
let refused = null;

/** Does one thing, with its button switched off; what goes wrong is said on the page.
 * @param {any} button @param {() => Promise<void>} work */
async function attempt(button, work) {
  button.disabled = true;
  close();
  say('');
  try {
    await work();
  } catch (error) {
    explain(error);
  } finally {
    button.disabled = false;
  }
}

/** @param {unknown} error */
function explain(error) {
  refused = error instanceof Problem ? error : null;
  if (refused?.slug === 'sign-in-required') return void look();
  const stepUp = refused?.slug === 'step-up-required';
  const kept = refused?.members.parked ? 'What you asked for waits meanwhile.' : 'What you asked for isn’t kept: do it again afterwards.';
  the('#problem p').textContent = stepUp
    ? `To change or delete a note, confirm that it’s you. ${kept}`
    : refused?.members.detail ?? refused?.members.title ?? 'That didn’t work. Check your connection, then try again.';
  the('#confirm').hidden = !stepUp;
  the('#close').textContent = stepUp ? 'Not now' : 'Close';
  the('#problem').hidden = false;
  the('#problem').focus();
}

/** Stops hearing of the session. @type {(() => void) | null} */
let hangUp = null;

/** Hears of the session while there is one. @param {boolean} signedIn */
function listen(signedIn) {
  if (signedIn) {
    hangUp ??= gateway.listen(({ type }) => void (type === 'access-changed' || look().catch(explain)));
  } else {
    hangUp?.();
    hangUp = null;
  }
}

function close() {
  refused = null;
  the('#problem').hidden = true;
}

/** Asks who is signed in, and draws what there is for them. */
async function look() {
  const { data: session } = await gateway.request('GET', '/api/session');
  listen(session.authenticated);
  the('#who').textContent = session.user?.name ?? '';
  for (const name of ['#own', '#sign-out']) the(name).hidden = !session.authenticated;
  the('#signed-out').hidden = session.authenticated;
  if (session.authenticated) {
    const { data: notes } = await gateway.request('GET', '/api/notes');
    // Not over what somebody is writing.
    if (!the('#list form')) draw(notes);
  } else {
    draw([]);
    the('#waiting').hidden = true;
    close();
  }
}

/** @param {Note[]} notes */
function draw(notes) {
  the('#none').hidden = notes.length > 0;
  the('#list').replaceChildren(...notes.map((note) => {
    const item = copy('#note');
    the('p', item).textContent = note.text;
    const [edit, remove] = [the('.edit', item), the('.delete', item)];
    edit.setAttribute('aria-label', `Edit “${note.text}”`);
    remove.setAttribute('aria-label', `Delete “${note.text}”`);
    edit.onclick = () => open(item, note);
    remove.onclick = () => attempt(remove, async () => {
      await gateway.request('DELETE', `/api/notes/${note.id}`);
      await done('Deleted.');
    });
    return item;
  }));
}

/** Turns a note into a form. @param {any} item @param {Note} note */
function open(item, note) {
  const form = copy('#editor');
  const parts = [...item.childNodes];
  const text = the('textarea', form);
  const finish = () => {
    item.replaceChildren(...parts);
    the('.edit', item).focus();
  };
  text.value = note.text;
  the('.cancel', form).onclick = finish;
  form.onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    attempt(the('.primary', form), async () => {
      await gateway.request('PATCH', `/api/notes/${note.id}`, { body: { text: text.value }, headers: { 'Content-Type': 'application/merge-patch+json' } });
      form.remove();
      await done('Saved.');
    });
  };
  item.replaceChildren(form);
  text.focus();
}

/** @param {string} text */
async function done(text) {
  await look();
  say(text);
}

/** Shows what the confirmation interrupted, to be sent now or forgotten. */
async function resume() {
  const waiting = await gateway.resume();
  if (!waiting) return;
  const deletes = waiting.method === 'DELETE';
  the('#what').textContent = deletes ? 'Delete this note now?' : 'Save this change now?';
  the('#send').textContent = deletes ? 'Delete it now' : 'Save it now';
  const lines = deletes ? [['Note', await textOf(waiting.path)]] : (waiting.changes ?? []).flatMap((change) => [['Was', change.from], ['Becomes', change.to]]);
  the('#waiting dl').replaceChildren(...lines.flatMap(([term, value]) => [
    Object.assign(document.createElement('dt'), { textContent: term }),
    Object.assign(document.createElement('dd'), { textContent: String(value) }),
  ]));
  the('#waiting').hidden = false;
  the('#what').focus();
  the('#send').onclick = () => attempt(the('#send'), async () => {
    await waiting.send();
    settle();
    await done(deletes ? 'Deleted.' : 'Saved.');
  });
  the('#drop').onclick = () => attempt(the('#drop'), async () => {
    await waiting.drop();
    settle();
    say('Forgotten. Nothing was changed.');
  });
}

/** @param {string} path */
const textOf = async (path) => (await gateway.request('GET', path)).data.text;

/** Nothing waits any more. */
function settle() {
  the('#waiting').hidden = true;
  history.replaceState(null, '', '/');
}

/** Where a sign-in or a confirmation failed, the gateway leads here: /problem?type=…&return_to=… */
function arrive() {
  const query = new URLSearchParams(location.search);
  if (location.pathname !== '/problem') return;
  const back = new URL(query.get('return_to') ?? '/', location.origin);
  history.replaceState(null, '', back.origin === location.origin ? back.pathname + back.search : '/');
  say(query.get('type') === 'step-up-cancelled' ? 'You didn’t confirm, so nothing was changed.' : 'That didn’t work. Try again.');
}

the('#sign-in').onclick = () => location.assign(gateway.flowUrl('/auth/sign-in'));
the('#sign-out').onclick = () => attempt(the('#sign-out'), async () => location.assign(await gateway.signOut()));
the('#confirm').onclick = () => location.assign(gateway.flowUrl(refused ?? '/auth/step-up?action=notes', '/'));
the('#close').onclick = close;
the('#add').onsubmit = (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  attempt(event.submitter, async () => {
    await gateway.request('POST', '/api/notes', { body: { text: the('#text').value } });
    the('#add').reset();
    await done('Added.');
    the('#text').focus();
  });
};

arrive();
await look().then(resume).catch(explain);
the('main').removeAttribute('aria-busy');
