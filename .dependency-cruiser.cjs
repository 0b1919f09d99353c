// The floors of the house: who may import whom. Each floor lists what it may import besides itself.
const floors = {
  platform: [],
  wire: [],
  crypto: [],
  'ubus-js': ['platform'],
  native: ['platform'],
  ppp: ['wire', 'crypto'],
  pptp: ['wire'],
  relay: ['wire', 'pptp'],
  radius: ['wire', 'crypto'],
  ipv6: ['wire'],
  'data-path': ['wire', 'crypto'],
  session: ['wire', 'crypto', 'ppp', 'pptp', 'ipv6'],
  usage: ['session'],
  'tun-tap': ['native'],
  'raw-socket': ['native'],
  router: ['platform', 'session', 'wire', 'ubus-js'],
};
// The rooms of the daemon, likewise. Above them are daemon.ts, which makes everything, and the command line.
const rooms = {
  configuration: [],
  capture: [],
  engine: ['capture', 'configuration'],
  relays: ['capture', 'engine'],
  reports: ['configuration', 'engine', 'relays'],
  usage: ['engine'],
  metrics: ['configuration', 'engine', 'reports'],
  tunnels: ['configuration', 'engine', 'reports'],
  radius: ['configuration', 'engine', 'reports', 'tunnels'],
  control: ['engine', 'reports'],
  import: ['configuration'],
  upgrade: [
    'configuration',
    'engine',
    'reports',
    'daemon.ts',
    'daemon-options.ts',
    'daemon-state.ts',
  ],
  'client-setup': ['configuration'],
  methods: [
    'capture',
    'client-setup',
    'configuration',
    'engine',
    'radius',
    'reports',
    'tunnels',
    'upgrade',
    'usage',
    'daemon.ts',
  ],
};
const besideRooms = '^src/daemon/(exit-codes|nearest|printable|version)[.]ts$';

module.exports = {
  forbidden: [
    ...Object.entries(rooms).map(([room, below]) => ({
      name: `daemon-${room}-imports-only-${below.join('-') || 'itself'}`,
      severity: 'error',
      from: { path: `^src/daemon/${room}/` },
      to: {
        path: '^src/daemon/',
        pathNot: [besideRooms, ...[room, ...below].map((name) => `^src/daemon/${name}(/|$)`)],
      },
    })),
    ...Object.entries(floors).map(([floor, below]) => ({
      name: `${floor}-imports-only-${below.join('-') || 'itself'}`,
      severity: 'error',
      from: { path: `^src/${floor}/` },
      to: { path: '^src/', pathNot: [floor, ...below].map((name) => `^src/${name}/`) },
    })),
    {
      name: 'the-platform-is-chosen-in-one-place',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/platform/(node/|platform.ts$)' },
      to: { path: '^src/platform/node/' },
    },
    {
      name: 'the-rooms-of-session-never-meet',
      severity: 'error',
      from: { path: '^src/session/(?:(server|link)/)?' },
      to: { path: '^src/session/(server|link)/', pathNot: '^src/session/$1/' },
    },
    {
      name: 'router-knows-only-the-ports-of-session',
      severity: 'error',
      from: { path: '^src/router/' },
      to: { path: '^src/session/', pathNot: '^src/session/ports' },
    },
    {
      name: 'only-the-platform-has-built-ins',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/platform/node/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-runtime-dependency',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: 'node_modules', pathNot: 'node_modules/@types/' },
    },
    { name: 'no-cycle', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
    {
      name: 'src-does-not-know-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
