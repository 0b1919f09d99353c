/**
 * The table of the packages' sizes in docs/sizing.md, made from dist/packages. `make release-check` says when it is not current.
 *
 *     node --import tsx tools/docs/sizes.ts       after make packages: writes it
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readIpk } from '../packages/ipk-file.ts';
import { between, table, withBetween } from './markdown.ts';

const root = resolve(import.meta.dirname, '../..');
const page = join(root, 'docs/sizing.md');
const built = join(root, 'dist/packages');

/** The sizes change by a few octets with every commit. */
const TOLERANCE = 0.02;

const size = (octets: number) =>
  octets < 1_000_000 ? `${Math.ceil(octets / 1000)} kB` : `${(octets / 1_000_000).toFixed(1)} MB`;

function sizesTable(): string {
  return table(
    ['package', 'architecture', '.ipk', '.apk', 'installed'],
    readdirSync(built)
      .sort()
      .flatMap((architecture) => {
        const folder = join(built, architecture);
        const ipks = readdirSync(folder).filter((name) => name.endsWith('.ipk'));
        return ipks.sort().map((file) => {
          const { control, files } = readIpk(join(folder, file));
          const name = control.get('Package') ?? '';
          const apk = `${name}-${control.get('Version')}.apk`;
          return [
            `\`${name}\``,
            architecture,
            ...[file, apk].map((each) => size(statSync(join(folder, each)).size)),
            size(files.reduce((sum, entry) => sum + entry.size, 0)),
          ];
        });
      }),
  );
}

/** The table of the page says what the built packages are. */
export function sizesAreCurrent(): boolean {
  const [written, today] = [between(readFileSync(page, 'utf8'), 'sizes'), sizesTable()].map(
    (text) => text.split(/(\d+(?:\.\d+)?)(?= [kM]B)/),
  ) as [string[], string[]];
  return (
    written.length === today.length &&
    written.every((part, index) => {
      const now = today[index] ?? '';
      return index % 2 === 0
        ? part === now
        : Math.abs(Number(part) - Number(now)) <= Math.max(TOLERANCE * Number(now), 1);
    })
  );
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(page, withBetween(readFileSync(page, 'utf8'), 'sizes', sizesTable()));
