// @ts-check
/** Sets theme and language, all that is in localStorage, and asks for the words: classic, so that no wrong colour flashes. */
(() => {
  'use strict';
  const root = document.documentElement;
  /** Storage may be blocked, and a browser's language its secret.
   * @template T @param {() => T} read @param {T} otherwise */
  const tried = (read, otherwise) => {
    try {
      return read() ?? otherwise;
    } catch {
      return otherwise;
    }
  };
  const theme = tried(() => localStorage.getItem('stepup.theme'), '');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  const wanted = [
    tried(() => localStorage.getItem('stepup.language'), ''),
    ...tried(() => [...navigator.languages], []),
    tried(() => navigator.language, ''),
  ];
  // Of `de-AT`, `DE` and `de_DE.UTF-8` alike, as systems say it.
  const languages = wanted.map((tag) => /^[a-z]+(?![a-z])/i.exec(String(tag))?.[0].toLowerCase() ?? '');
  root.lang = languages.find((language) => ['en', 'de'].includes(language)) ?? 'en';
  const { src } = /** @type {HTMLScriptElement} */ (document.currentScript);
  import(src.replace('choices', `words/${root.lang}`)).catch(() => undefined);
})();
