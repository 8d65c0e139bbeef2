/**
 * The shapes that modules hand one another. Read by tsc and by editors, never by a browser: the gateway serves no .ts.
 *
 *   /** @import {Draft, Values} from './types.js' *\/
 *
 * A type that only one module uses is in that module.
 */
import type { ApiError } from './api-error.js';
import type { World } from './client.js';
import type { Store } from './store.js';

// Time and network.

export type Cancel = () => void;

export interface Clock {
  now: () => number;
  after: (milliseconds: number, work: () => void) => Cancel;
  every: (milliseconds: number, work: () => void) => Cancel;
}

export interface Answer {
  /** JSON that nobody has looked at yet; null for an empty body. */
  data: unknown;
  etag: string;
  /** The server's clock, in milliseconds. */
  now: number;
}

/** Raises ApiError alone. */
export type Request = (method: string, path: string, options?: RequestOptions) => Promise<Answer>;

export interface RequestOptions {
  body?: unknown;
  headers?: Record<string, string>;
}

/** What is wrong with a field, by the server's code; `field` may be none of ours. */
export interface FieldError {
  field: string;
  code: string;
  detail: string;
}

// What the gateway answers; docs/http-api.md says more.

export interface Session {
  /** Null while nobody is signed in. */
  user: { id: string; name: string; username: string; email_hint: string } | null;
  expires: { idle_at: string; absolute_at: string };
  access: Values;
  sign_in: string;
  sign_up: string;
  sign_out: string;
  step_up: string;
  /** Why nobody is signed in, where that is more than that nobody has. */
  reason: string;
  /** Of another site; '' where nobody knows. */
  change_password: string;
}

/** A profile, or a part of one. */
export type Values = Record<string, string | null>;

/** What a parked edit does to a field. */
export interface Change {
  field: string;
  from: string | null;
  to: string | null;
}

/** A row of `GET /api/sessions`; '' for a moment that never was. */
export interface ListedSession {
  id: string;
  device: string;
  created_at: string;
  last_seen_at: string;
  last_mfa_at: string;
  current: boolean;
}

/** An entry of `GET /api/activity`; '' for what is not told. */
export interface Activity {
  at: string;
  event: string;
  outcome: string;
  reason: string;
  device: string;
  network: string;
  reference: string;
  /** Names alone. */
  fields: string[];
  /** How many ended. */
  sessions: number;
  current: boolean;
}

// What is kept here.

export type TabStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export interface TabMemory {
  get: (key: string) => string | null;
  /** Whether a reload will find it. */
  set: (key: string, text: string) => boolean;
  remove: (key: string) => void;
}

export interface Draft {
  user: string;
  /** The profile that the person saw. */
  base: Values;
  changes: Values;
  /** The version of `base`. */
  etag: string;
  /** The attempt's Idempotency-Key. */
  key: string;
  parked: ParkedEdit | null;
  /** Whether it was sent and nobody knows what became of it. */
  sent: boolean;
}

/** An edit that waits on the server; `id` is '' where none does, `redirect` where to confirm, '' once it was used. */
export interface ParkedEdit {
  id: string;
  expires_at: string;
  redirect: string;
}

/** What was saved just now, and when. */
export interface Saved {
  fields: Set<string>;
  at: number;
}

// What is drawn.

export type Child = Node | string | number | null | undefined | false;

type Attribute = string | number | boolean | null | undefined;
type Listeners = { [name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[name]) => unknown };

/** Attributes, and listeners by the event's name. */
export interface Props {
  on?: Listeners;
  [name: string]: Attribute | Listeners;
}

/** Makes an element, with its attributes and what is in it. */
export type Build = <Tag extends keyof HTMLElementTagNameMap>(tag: Tag, props?: Props, ...children: (Child | Child[])[]) => HTMLElementTagNameMap[Tag];

export interface ButtonOptions {
  kind?: 'primary' | 'quiet' | 'second';
  /** The label while its work runs. */
  busy?: string;
  type?: 'button' | 'submit';
}

export interface Screen {
  /** Its name, for styles and tests. */
  screen: string;
  title: string;
  nodes: Child[];
  problem?: string;
  error?: boolean;
  /** Moves the focus to what is news here; by default the heading has it. */
  focus?: () => void;
  /** Whether going to a path loses something. */
  dirty?: (path: string) => boolean;
  /** Asks the person whether to go all the same. */
  guard?: () => Promise<boolean>;
  /** Frees what the screen holds. */
  close?: () => void;
}

/** `focus` tells the person, by moving the focus, that this is new. */
export interface Placing {
  focus: boolean;
  scroll: number;
}

export type Resolve = (url: URL, show: (screen: Screen) => void) => Promise<Screen>;
export type Explain = (error: unknown, url: URL) => Promise<Screen>;

export interface Dialog {
  title: string;
  body: Child[];
  actions: [answer: string, label: string, kind: string][];
  /** What Escape answers; the first action, if nothing else is said. */
  escape?: string;
  onOpen?: (close: (answer: string) => void) => void;
}

/** `left` counts the seconds; `final`: nothing prolongs the session any more. */
export interface Ending {
  final: boolean;
  left: () => number;
}

/** What the person sees before a session ends, and what the answers set off. */
export interface ExpiryQuestion {
  ask: (ending: Ending, opened: (close: (answer: string) => void) => void) => Promise<string>;
  signIn: () => void;
  signOut: () => void;
  stayed: () => void;
}

// Words.

export type Catalogue = Record<string, string | Record<string, string>>;

/** An entry of a list: `value` is sent, `label` shown, `note` another name for it, `search` what is looked through. */
export interface Choice {
  value: string;
  label: string;
  note: string;
  noteLanguage: string;
  search: string;
}

export interface Field {
  /** In UTF-16 units, as the directory counts. */
  limit: number;
  autocomplete: string;
  kind?: 'country' | 'language';
  /** Whether it may have several. */
  lines?: boolean;
  required?: boolean;
  narrow?: boolean;
}

// What a module is handed: the page itself in a browser, something to look through in a test.

/** The page as a place that comes and goes. */
export type Page = Pick<Window, 'addEventListener'> & { document: Pick<Document, 'addEventListener' | 'visibilityState'> };

export interface RequestWorld {
  fetch: typeof globalThis.fetch;
  clock: Clock;
  random?: () => number;
  online?: () => boolean;
}

export interface LoadWorld {
  online?: () => boolean;
  /** Loads the page anew. */
  again?: () => void;
  after?: Clock['after'];
  /** Leaves a note for the next load of the page; whether that will find it. */
  leave?: (name: string, text: string) => boolean;
}

export interface StoreWorld {
  request: Request;
  now: () => number;
}

export interface DraftWorld {
  memory: TabMemory;
  now: () => number;
  newKey: () => string;
}

export interface VocabularyWorld {
  /** The page's. */
  language: string;
  /** What the browser calls the person's own. */
  locale: string;
  catalogues: Map<string, () => Promise<Catalogue>>;
  clock: Clock;
}

export interface RouterWorld {
  page: Pick<Window, 'location' | 'history' | 'document' | 'addEventListener' | 'scrollY'>;
  clock: Pick<Clock, 'after' | 'now'>;
  put: (main: HTMLElement, screen: Screen, placing: Placing) => void;
  sign: (main: HTMLElement, begun: boolean) => void;
}

export interface SavingWorld {
  request: Request;
  store: Store;
  drafts: { load: (user: string | undefined) => Draft | null; keep: (draft: Draft) => Draft; drop: () => void };
  navigate: (path: string, options?: { replace?: boolean; force?: boolean }) => Promise<void>;
  path: () => string;
  tell: (news: 'saved') => void;
  announce: (text: string) => void;
  now: () => number;
}

export interface TabsWorld {
  page: Page;
  open: () => BroadcastChannel;
  store: Store;
  drop: () => void;
  now: () => number;
}

export interface EventsWorld {
  page: Page & { EventSource?: World['EventSource'] | undefined };
  store: Store;
  clock: Clock;
  random: () => number;
}

export interface ExpiryWorld {
  store: Store;
  clock: Clock;
  question: ExpiryQuestion;
}

export type { ApiError, Store };
