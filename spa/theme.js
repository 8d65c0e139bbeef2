// @ts-check
/**
 * Sets the chosen theme before anything is drawn. A classic script in the head, so that no wrong colour flashes.
 * The choice is the only thing in localStorage; it says nothing about the person. `frame.js` changes it.
 */
(() => {
  try {
    const choice = localStorage.getItem('stepup.theme');
    if (choice === 'light' || choice === 'dark') document.documentElement.dataset.theme = choice;
  } catch {
    // Blocked storage: the system's theme.
  }
})();
