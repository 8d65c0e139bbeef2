/**
 * Every rule of ESLint for the client and its tests, without those that are about style, size or taste. A rule that is
 * left out has its reason; tsc in strict mode owns what concerns types.
 */
import js from '@eslint/js';
import globals from 'globals';

/** @type {Record<string, 'off' | [string, ...unknown[]]>} */
const rules = {
  // Style and order: read by people, and the same to a machine.
  'arrow-body-style': 'off',
  'camelcase': ['error', { properties: 'never', ignoreDestructuring: true }], // JSON members are the server's
  'capitalized-comments': 'off',
  'curly': ['error', 'multi-line'],
  'func-style': 'off',
  'id-length': 'off',
  'init-declarations': 'off',
  'no-inline-comments': 'off',
  'no-ternary': 'off',
  'no-nested-ternary': 'off',
  'no-undefined': 'off',
  'no-void': 'off',
  'one-var': ['error', 'never'],
  'prefer-named-capture-group': 'off',
  'require-unicode-regexp': 'off',
  'sort-imports': 'off',
  'sort-keys': 'off',

  // Size: tests/unit/spa/test_sources.py holds the size of a file, and reviews that of a function.
  'max-classes-per-file': 'off',
  'max-lines-per-function': 'off',
  'max-params': 'off',
  'max-statements': 'off',

  'no-console': ['error', { allow: ['error'] }], // what nobody foresaw is for whoever opens the tools
  'no-unused-vars': ['error', { ignoreRestSiblings: true }], // taking one out by name is how an object is left with the rest
  // What a module is handed has the name of the page's own, so that the page's own can't be used by mistake.
  'no-shadow': ['error', { allow: ['announce', 'clock', 'drop', 'drafts', 'navigate', 'put', 'request', 'store', 'tell'] }],
  'no-magic-numbers': 'off', // numbers have units in their names or comments
  'no-use-before-define': ['error', { functions: false, variables: false }], // a file begins with what it is for
  'consistent-return': 'off', // tsc has noImplicitReturns, which knows types
  'require-await': 'off', // an async function without await answers with a promise as its neighbours do
  'require-atomic-updates': 'off', // finds races where one flag is set before and after the work, and none here is one
};

export default [
  { ignores: ['**/*.d.ts'] },
  {
    ...js.configs.all,
    files: ['spa/**/*.js', 'examples/**/*.js'],
    languageOptions: { sourceType: 'module', globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: { ...js.configs.all.rules, ...rules },
  },
  // Loaded before any module, as classic scripts.
  { files: ['spa/choices.js', 'spa/not-loaded.js'], languageOptions: { sourceType: 'script' } },
  {
    files: ['tests/**/*.mjs'],
    languageOptions: { sourceType: 'module', globals: { ...globals.node, document: 'readonly' } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: { ...js.configs.all.rules, ...rules },
  },
  {
    files: ['tests/real/interop/**/*.mjs'],
    rules: {
      'no-console': 'off', // programs that speak on the console
      'new-cap': ['error', { capIsNewExceptionPattern: '^oauth\\.' }], // oauth4webapi's names for ways to prove a client
    },
  },
  { files: ['tests/real/interop/pages/*.mjs'], languageOptions: { globals: globals.browser } },
];
