/** Medians, ratios, and the files: JSON with every sample, a Markdown table, an SVG chart. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { chart } from './chart.ts';
import type { ControlPlane, Start } from './control-plane.ts';
import { median } from './machine.ts';
import type { Sample } from './measure.ts';
import type { RadiusBench } from './radius.ts';
import type { RelayBench } from './relay.ts';

export interface Report {
  readonly when: string;
  readonly commit: string;
  /** src/ was not as committed. */
  readonly modified: boolean;
  readonly kernel: string;
  readonly node: string;
  readonly cpu: string;
  /** Load average of the machine before the first tunnel, and the highest before any; our own load is in it. */
  readonly load: { readonly start: number; readonly highest: number };
  readonly seconds: number;
  readonly rounds: number;
  readonly tunnels: readonly Measured[];
  readonly start: Start | undefined;
  readonly control: ControlPlane | undefined;
  readonly relay: RelayBench | undefined;
  readonly radius: RadiusBench | undefined;
  readonly failures: readonly string[];
}

export interface Measured {
  readonly name: string;
  readonly title: string;
  readonly samples: readonly Sample[];
}

interface Goal {
  readonly title: string;
  /** Undefined: not measured in this run. */
  readonly value: number | undefined;
  readonly least?: number;
  readonly most?: number;
  readonly unit: string;
  readonly digits: number;
}

/** Median of each figure. */
export function medians({ samples }: Measured): Sample {
  const of = (name: keyof Sample) =>
    median(samples.map((sample) => sample[name]).filter((value) => !Number.isNaN(value)));
  return Object.fromEntries(
    Object.keys(samples[0] ?? {}).map((name) => [name, of(name as keyof Sample)]),
  ) as unknown as Sample;
}

/** Writes NAME.json, NAME.md and NAME.svg. @returns the Markdown */
export async function write(report: Report, dir: string, name: string): Promise<string> {
  const text = markdown(report, name);
  const json = JSON.stringify({
    ...report,
    medians: Object.fromEntries(
      report.tunnels.map((tunnel) => [tunnel.name, medians(tunnel)] as const),
    ),
    goals: goals(report),
  });
  writeFileSync(join(dir, `${name}.json`), await format(json, { parser: 'json', printWidth: 100 }));
  writeFileSync(join(dir, `${name}.md`), text);
  writeFileSync(join(dir, `${name}.svg`), chart(report.tunnels));
  return text;
}

const columns: readonly (readonly [string, (sample: Sample) => string])[] = [
  ['TCP up / down, Mbit/s', (s) => `${fixed(s.tcpUp)} / ${fixed(s.tcpDown)}`],
  ['four streams', (s) => fixed(s.tcpFour)],
  ['CPU s/GB', (s) => fixed(s.cpuPerGb, 2)],
  ['CPU s/GB, four', (s) => fixed(s.cpuPerGbFour, 2)],
  ['retransmits, one / four', (s) => `${fixed(s.retransmits)} / ${fixed(s.retransmitsFour)}`],
  ['64-octet packets/s', (s) => fixed(s.packetRate)],
  ['CPU µs/packet', (s) => fixed(s.cpuPerPacket, 1)],
  ['RTT idle p50 / p99, µs', (s) => `${fixed(s.rttP50)} / ${fixed(s.rttP99)}`],
  ['RTT loaded p50 / p99, µs', (s) => `${fixed(s.rttLoadedP50)} / ${fixed(s.rttLoadedP99)}`],
  ['RSS (anonymous), MB', (s) => `${fixed(s.resident, 1)} (${fixed(s.anonymous, 1)})`],
];

function markdown(report: Report, name: string): string {
  const { when, commit, modified, kernel, node, cpu, load, seconds, rounds } = report;
  const head = `# Benchmark ${name}

${when}, commit ${commit}${modified ? ' with changes' : ''}, Linux ${kernel}, Node ${node}, ${cpu}.
${rounds} interleaved round${rounds === 1 ? '' : 's'}, ${seconds} s for each TCP run; medians. Load average ${load.start.toFixed(1)} at the start, ${load.highest.toFixed(1)} at most. How to read this: bench/README.md.
`;
  const measured = report.tunnels.filter(({ samples }) => samples.length > 0);
  const parts = [head];
  if (measured.length > 0) {
    parts.push(
      table([
        ['tunnel', ...columns.map(([title]) => title)],
        ...measured.map((tunnel) => {
          const sample = medians(tunnel);
          return [tunnel.title, ...columns.map(([, cell]) => cell(sample))];
        }),
      ]),
      `![TCP and CPU](${name}.svg)\n`,
    );
  }
  parts.push(
    table([
      ['goal', 'figure', 'wanted', ''],
      ...goals(report).map((goal) => [
        goal.title,
        goal.value === undefined ? '–' : `${fixed(goal.value, goal.digits)}${goal.unit}`,
        `${goal.least === undefined ? `≤ ${goal.most!}` : `≥ ${goal.least}`}${goal.unit}`,
        judgement(goal),
      ]),
    ]),
  );
  if (report.relay !== undefined)
    parts.push(
      `Passthrough: relayed GRE ${fixed(report.relay.relayed)} Mbit/s by the shortcut, ${fixed(report.relay.tables)} Mbit/s by nftables alone, the same GRE forwarded ${fixed(report.relay.forwarded)} Mbit/s.\n`,
    );
  if (report.radius !== undefined) parts.push(radiusTable(report.radius));
  if (report.control !== undefined || report.start !== undefined)
    parts.push(
      `Also: ${[
        ...(report.control === undefined
          ? []
          : [
              `logins by the clock ${fixed(report.control.loginsPerSecond)} a second with the callers on the same processors`,
              `first ping ${fixed(report.control.firstPing)} ms after the order to dial`,
              `calls that failed: ${report.control.failures}`,
            ]),
        ...(report.start === undefined
          ? []
          : [
              `RSS idle ${fixed(report.start.resident, 1)} MB`,
              `addon ${fixed(report.start.addon)} kB`,
            ]),
      ].join('; ')}.\n`,
    );
  if (report.failures.length > 0)
    parts.push(`Failed:\n\n${report.failures.map((line) => `- ${line}`).join('\n')}\n`);
  return parts.join('\n');
}

function radiusTable(of: RadiusBench): string {
  const { perSecond, perCpuSecond, login, memory, sessions, failures } = of;
  const row = (title: string, who: 'local' | 'radius') => [
    title,
    fixed(perSecond[who]),
    fixed(perCpuSecond[who]),
    fixed(login[who], 1),
    fixed(memory[who], 1),
  ];
  return `${table([
    [
      'logins',
      'a second',
      "for each second of the gateway's CPU",
      'ms for one',
      `kB for each of ${sessions} sessions`,
    ],
    row('own users', 'local'),
    row('FreeRADIUS', 'radius'),
    ['radclient at FreeRADIUS', fixed(perSecond.radclient), '–', fixed(login.radclient, 1), '–'],
  ])}
Calls that failed: ${failures}.
`;
}

/** Against others round by round: both figures come from the same minute. */
function goals(report: Report): Goal[] {
  const ratio = (a: string, b: string, figure: (sample: Sample) => number) => {
    const [one, other] = [a, b].map((name) => report.tunnels.find((t) => t.name === name));
    const pairs = (one?.samples ?? []).flatMap((sample) => {
      const opposite = other?.samples.find(({ round }) => round === sample.round);
      const both = opposite === undefined ? NaN : figure(sample) / figure(opposite);
      return Number.isNaN(both) ? [] : [both];
    });
    return pairs.length === 0 ? undefined : median(pairs);
  };
  const tcp = (sample: Sample) => (sample.tcpUp + sample.tcpDown) / 2;
  const of = (title: string, value: number | undefined, bounds: Partial<Goal>): Goal => ({
    title,
    value,
    unit: '',
    digits: 2,
    ...bounds,
  });
  const four = report.tunnels.filter(
    ({ name, samples }) => name.startsWith('ours') && samples.length > 0,
  );
  const { control, radius, start } = report;
  return [
    of('TCP, MPPE, against C pipelined', ratio('ours-mppe', 'c-mppe-pipelined', tcp), {
      least: 1.1,
    }),
    of('TCP, MPPE, against C with three streams', ratio('ours-mppe', 'c-mppe-three', tcp), {
      least: 0.95,
    }),
    of('TCP, MPPE, against ours by WebAssembly', ratio('ours-mppe', 'ours-mppe-wasm', tcp), {
      least: 1.1,
    }),
    of('TCP, MPPE, against C plain', ratio('ours-mppe', 'c-mppe', tcp), { least: 1.05 }),
    of(
      'CPU s/GB, MPPE, against C pipelined',
      ratio('ours-mppe', 'c-mppe-pipelined', (s) => s.cpuPerGb),
      { most: 0.95 },
    ),
    of('TCP, MPPE, against openvpn AES-128-GCM', ratio('ours-mppe', 'openvpn', tcp), {
      least: 2.8,
    }),
    of('TCP, no encryption, against openvpn AES-128-GCM', ratio('ours', 'openvpn', tcp), {
      least: 2.7,
    }),
    of('TCP, MPPE, against wireguard-go', ratio('ours-mppe', 'wireguard-go', tcp), { least: 3 }),
    of('TCP, no encryption, against C', ratio('ours', 'c', tcp), { least: 0.97 }),
    of(
      'packets/s, no encryption, against C',
      ratio('ours', 'c', (s) => s.packetRate),
      { least: 0.95 },
    ),
    of(
      'packets/s, MPPE, against C pipelined',
      ratio('ours-mppe', 'c-mppe-pipelined', (s) => s.packetRate),
      { least: 0.9 },
    ),
    of(
      'retransmits, four streams',
      four.length === 0
        ? undefined
        : Math.max(...four.map((tunnel) => medians(tunnel).retransmitsFour)),
      { most: 5, digits: 0 },
    ),
    of("logins for each second of the server's CPU", control?.loginsPerCpuSecond, {
      least: 400,
      digits: 0,
    }),
    of(`memory for each of ${control?.sessions ?? 0} sessions`, control?.memoryPerSession, {
      most: 16,
      unit: ' kB',
      digits: 1,
    }),
    of('relayed GRE against forwarded, by the shortcut', report.relay?.ratio, {
      least: 1.1,
      unit: '',
      digits: 3,
    }),
    of('the same by nftables alone', report.relay?.tablesRatio, {
      least: 0.8,
      unit: '',
      digits: 3,
    }),
    of("the daemon's CPU for relayed GRE", report.relay?.daemonCpuPerGb, {
      most: 0.05,
      unit: ' s/GB',
      digits: 3,
    }),
    of(
      'what the relay adds to setting up a call',
      report.relay && report.relay.setup.relayed - report.relay.setup.direct,
      { most: 10, unit: ' ms', digits: 1 },
    ),
    of('logins a second by FreeRADIUS', radius?.perSecond.radius, {
      least: Math.round(Math.min(150, radius?.perSecond.radclient ?? 150)),
      digits: 0,
    }),
    of('calls that failed there', radius?.failures, { most: 0, digits: 0 }),
    of(
      'what a login by FreeRADIUS takes longer, round trips',
      radius && (radius.login.radius - radius.login.local) / radius.login.radclient,
      { most: 1 },
    ),
    of(
      'what a session of FreeRADIUS takes more',
      radius && radius.memory.radius - radius.memory.local,
      {
        most: 6,
        unit: ' kB',
        digits: 1,
      },
    ),
    of('idle CPU with these sessions', control?.idleCpu, { most: 2, unit: ' %', digits: 1 }),
    of(`growth over ${control?.cycles ?? 0} connect/disconnect cycles`, control?.growth, {
      most: 5,
      unit: ' MB',
      digits: 1,
    }),
    of('start to listening', start?.listening, { most: 200, unit: ' ms', digits: 0 }),
    of('anonymous memory, idle', start?.anonymous, { most: 14, unit: ' MB', digits: 1 }),
    of('bundle', start?.bundle, { most: 300, unit: ' kB', digits: 0 }),
  ];
}

function judgement({ value, least = -Infinity, most = Infinity }: Goal): string {
  if (value === undefined || Number.isNaN(value)) return 'not measured';
  return value >= least && value <= most ? 'met' : '**missed**';
}

function fixed(value: number, digits = 0): string {
  return Number.isNaN(value) ? '–' : value.toFixed(digits);
}

function table(rows: readonly (readonly string[])[]): string {
  const [head, ...body] = rows;
  return `${[head!, head!.map((_, n) => (n === 0 ? '---' : '--:')), ...body]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')}\n`;
}
