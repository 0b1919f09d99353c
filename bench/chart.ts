/** Two bar charts beside each other: TCP throughput, and CPU time for a gigabyte. Plain SVG. */
import type { Measured } from './report.ts';
import { medians } from './report.ts';

const LABEL = 250;
const BAR = 270;
const ROW = 26;
const TOP = 44;
const GAP = 70;

/** The veth is left out: next to it, every tunnel is a hairline. */
export function chart(tunnels: readonly Measured[]): string {
  const rows = tunnels
    .filter(({ name, samples }) => name !== 'veth' && samples.length > 0)
    .map((tunnel) => {
      const { tcpUp, tcpDown, cpuPerGb } = medians(tunnel);
      return { ...tunnel, tcp: (tcpUp + tcpDown) / 2, cpu: cpuPerGb };
    });
  const width = LABEL + 2 * (BAR + GAP);
  const height = TOP + rows.length * ROW + 12;
  const bars = (
    title: string,
    left: number,
    figure: (row: (typeof rows)[number]) => number,
    digits: number,
  ) => {
    const largest = Math.max(1e-9, ...rows.map(figure));
    const heading = `<text x="${left}" y="26" font-weight="bold">${title}</text>`;
    return [
      heading,
      ...rows.map((row, n) => {
        const y = TOP + n * ROW;
        const length = (figure(row) / largest) * BAR;
        const colour = row.name.startsWith('ours') ? '#1f6f8b' : '#b8c4cc';
        return (
          `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="${ROW - 8}" fill="${colour}"/>` +
          `<text x="${(left + length + 6).toFixed(1)}" y="${y + 13}">${figure(row).toFixed(digits)}</text>`
        );
      }),
    ].join('\n');
  };
  const labels = rows.map(
    ({ title }, n) =>
      `<text x="${LABEL - 10}" y="${TOP + n * ROW + 13}" text-anchor="end">${title}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
${labels.join('\n')}
${bars('TCP, one stream, Mbit/s (more is better)', LABEL, ({ tcp }) => tcp, 0)}
${bars('CPU s/GB, both ends (less is better)', LABEL + BAR + GAP, ({ cpu }) => cpu, 1)}
</svg>
`;
}
