// @ts-check
/**
 * Sets the chosen theme and language before anything is drawn, and asks for the words of that language. A classic script
 * in the head, so that no wrong colour flashes. The choices are the only things in localStorage; they say nothing about
 * the person. `frame.js` changes them.
 */
(() => {
  'use strict';
  const root = document.documentElement;
  /** Blocked storage and browsers that keep their language to themselves: the system's theme, the page's own language.
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
  // Of `de-AT`, `DE`, `de_DE.UTF-8` and `en-US@posix` alike, as browsers tell what the system says.
  const languages = wanted.map((tag) => /^[a-z]+(?![a-z])/i.exec(String(tag))?.[0].toLowerCase() ?? '');
  root.lang = languages.find((language) => ['en', 'de'].includes(language)) ?? 'en';
  for (const part of ['', '-claims', '-fields', '-problems']) {
    document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href: `/words/${root.lang}${part}.js` }));
  }
})();
