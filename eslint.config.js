// Lint rules. The floors (who may import whom) are in .dependency-cruiser.cjs.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import carried from './tools/lint/saves-all.js';
import luci from './tools/luci/lint-rules.js';

// Sans-IO floors: time is an argument, randomness is injected, nothing is logged, nothing waits.
const sansIo = [
  'wire',
  'crypto',
  'radius',
  'ppp',
  'pptp',
  'relay',
  'session',
  'data-path',
  'ipv6',
  'usage',
];

// What a runtime has beside the language; src/platform/node/ alone knows it.
const runtime = [
  'process',
  'Buffer',
  'console',
  'performance',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
  'require',
  'global',
];
const runtimeTypes = {
  selector: "TSQualifiedName[left.name='NodeJS']",
  message: 'Types of Node are in src/platform/node/.',
};

const forbidden = [...runtime, 'queueMicrotask', 'fetch', 'Promise'];

// What LuCI gives its views besides the required modules, and what they use of a browser.
const luciGlobals = ['_', 'E', 'L'];
const browserGlobals = ['Blob', 'Event', 'URL', 'crypto', 'document', 'performance', 'window'];

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '*.js', '*.cjs', 'tools/*/*.js'] },
  js.configs.recommended,
  {
    files: ['openwrt/luci-*/**/*.js'],
    plugins: { luci },
    languageOptions: {
      sourceType: 'script',
      parserOptions: { ecmaFeatures: { globalReturn: true } },
      globals: Object.fromEntries(
        [...luciGlobals, ...browserGlobals].map((name) => [name, 'readonly']),
      ),
    },
    rules: {
      'luci/no-markup': 'error',
      'luci/literal-text': 'error',
      'luci/required-names': 'error',
      'no-control-regex': 'off',
      'no-unused-expressions': 'off',
      'prefer-const': 'error',
      'no-var': 'error',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // node:test's test(), describe() and it() return promises that nobody awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            {
              from: 'package',
              name: [
                'test',
                'it',
                'describe',
                'suite',
                'before',
                'after',
                'beforeEach',
                'afterEach',
              ],
              package: 'node:test',
            },
          ],
        },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off', // typed arrays and tables under noUncheckedIndexedAccess
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/platform/node/**'],
    plugins: { carried },
    rules: {
      'carried/saves-all': 'error',
      'no-restricted-imports': ['error', { patterns: ['node:*'] }],
      'no-restricted-globals': ['error', ...runtime],
      'no-restricted-syntax': ['error', runtimeTypes],
    },
  },
  {
    files: sansIo.map((floor) => `src/${floor}/**/*.ts`),
    rules: {
      'no-restricted-globals': ['error', ...forbidden],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness is injected.' },
        { object: 'Date', property: 'now', message: 'Time is an argument.' },
        { object: 'crypto', property: 'getRandomValues', message: 'Randomness is injected.' },
      ],
      'no-restricted-syntax': [
        'error',
        runtimeTypes,
        { selector: ':function[async=true]', message: 'Sans-IO code does not wait.' },
        { selector: 'AwaitExpression', message: 'Sans-IO code does not wait.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: { 'max-lines': 'off', '@typescript-eslint/no-unsafe-argument': 'off' },
  },
  {
    // LuCI's modules have no types.
    files: ['test/luci/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
);
