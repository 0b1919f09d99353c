/** The index of a repository of .ipk files: Packages, as opkg reads it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { readIpk } from './ipk-file.ts';

export function opkgIndex(files: readonly string[]): string {
  return files
    .map((file) => {
      const octets = readFileSync(file);
      const control = readIpk(file).controlFiles.get('control') ?? '';
      const about = [
        `Filename: ${basename(file)}`,
        `Size: ${octets.length}`,
        `SHA256sum: ${createHash('sha256').update(octets).digest('hex')}`,
      ];
      // The description has several lines and is the last one.
      return `${control.replace(/^Description:/m, `${about.join('\n')}\nDescription:`).trimEnd()}\n\n`;
    })
    .join('');
}
