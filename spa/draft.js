// @ts-check
/** An edit's draft: in this tab, for one person, an hour, gone on save and sign-out. */
import { clock } from './clock.js';
import { members, parsed, text, texts, values } from './json.js';
import { tab } from './tab-memory.js';

/** @import {Draft, DraftWorld, ParkedEdit, Values} from './types.js' */

const KEY = 'stepup.draft';
const LIFE = 60 * 60 * 1000;

/** @param {DraftWorld} world */
export function drafts({ memory, now, newKey }) {
  /** The draft of this person, or null. @param {string | undefined} user @returns {Draft | null} */
  function load(user) {
    const draft = read();
    if (!draft) return null;
    if (user && draft.user === user) return draft;
    drop();
    return null;
  }

  /** Whether somebody's draft is waiting here; says nothing about what is in it. */
  const waiting = () => read() !== null;

  /** Keeps it for another hour. @param {Draft} draft @returns {Draft} */
  function keep(draft) {
    memory.set(KEY, JSON.stringify({ ...draft, until: now() + LIFE }));
    return draft;
  }

  const drop = () => memory.remove(KEY);

  /** A new draft that starts from the profile as it is. @param {string} user @param {Values} base @param {string} etag @returns {Draft} */
  const begin = (user, base, etag) => ({ user, base: { ...base }, changes: {}, etag, key: newKey(), parked: null, sent: false });

  /** The draft with other changes, or over another version: a new attempt.
   * @param {Draft} draft @param {Values} changes @param {string} [etag] */
  function withChanges(draft, changes, etag = draft.etag) {
    if (etag === draft.etag && JSON.stringify(draft.changes) === JSON.stringify(changes)) return draft;
    return { ...draft, changes, etag, key: newKey(), parked: null, sent: false };
  }

  /** The draft over the profile as it is now, and the fields that were changed on both sides.
   * @param {Draft} draft @param {Values} profile @param {string} etag */
  function rebase(draft, profile, etag) {
    const mine = Object.entries(draft.changes).filter(([name, value]) => value !== (profile[name] ?? null));
    const conflicts = mine.map(([name]) => name).filter((name) => (draft.base[name] ?? null) !== (profile[name] ?? null));
    const fresh = { ...withChanges(draft, Object.fromEntries(mine), conflicts.length ? draft.etag : etag), sent: draft.sent };
    return { draft: conflicts.length ? fresh : { ...fresh, base: { ...profile } }, conflicts };
  }

  /** @returns {Draft | null} */
  function read() {
    const written = memory.get(KEY);
    if (written === null) return null;
    const { user, base, changes, etag, key, parked, sent, until } = members(parsed(written)) ?? {};
    if (typeof until === 'number' && until > now() && text(user) && members(changes)) {
      return { user: text(user), base: values(base), changes: values(changes), etag: text(etag), key: text(key) || newKey(), parked: parkedIn(parked), sent: sent === true };
    }
    drop();
    return null;
  }

  return { load, waiting, keep, drop, begin, withChanges, rebase };
}

/** @param {unknown} value @returns {ParkedEdit | null} */
function parkedIn(value) {
  const parked = members(value);
  return parked && texts(parked, 'id', 'expires_at', 'redirect');
}

export const { load, waiting, keep, drop, begin, withChanges, rebase } =
  drafts({ memory: tab, now: clock.now, newKey: () => crypto.randomUUID() });
