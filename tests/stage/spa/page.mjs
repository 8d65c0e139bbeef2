/**
 * What the client's modules read of a page while they load: its language. Loaded before them (`node --import`).
 * Everything else a test hands to what it tests, so there is no DOM here.
 */
Object.defineProperty(globalThis, 'document', { value: { documentElement: { lang: 'en' } } });
