/** Packs a staged folder into an .apk. Usage: SOURCE_DATE_EPOCH=… pack.ts STAGED OUTPUT.apk */
import { renameSync, writeFileSync } from 'node:fs';
import { packFolder } from './package.ts';

const [staged, output] = process.argv.slice(2);
const time = Number(process.env['SOURCE_DATE_EPOCH']);
if (staged === undefined || output === undefined || !(time > 0))
  throw new Error('usage: SOURCE_DATE_EPOCH=… pack.ts STAGED OUTPUT.apk');
writeFileSync(`${output}.new`, packFolder(staged, time));
renameSync(`${output}.new`, output);
