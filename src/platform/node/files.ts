import {
  accessSync,
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Files, FileStatus, OpenFile } from '../files.ts';

const OF_OWNER = 0o600;

export const files: Files = {
  exists: existsSync,
  status: (path) => statusOf(statSync(path)),
  entry(path) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found && statusOf(found);
  },
  linkTarget: (path) => readlinkSync(path),
  checkExecutable: (path) => accessSync(path, constants.X_OK),
  names: (folder) => readdirSync(folder),
  octets: (path) => readFileSync(path),
  text: (path, encoding = 'utf8') => readFileSync(path, encoding),
  textLater: (path, encoding = 'utf8') => readFile(path, encoding),
  writeLater: (path, text) => writeFile(path, text),
  writeSecret(path, octets) {
    writeFileSync(path, '', { mode: OF_OWNER });
    if (statSync(path).isFile()) chmodSync(path, OF_OWNER); // it may be older, or a device
    writeFileSync(path, octets);
  },
  replace: (path, text, how) => files.replaceAll([{ path, text, ...how }]),
  replaceAll(all) {
    const fresh = (path: string) => join(dirname(path), `.${basename(path)}.new`);
    try {
      for (const { path, text, mode, encoding = 'utf8', lasting = false } of all) {
        rmSync(fresh(path), { force: true });
        const file = openSync(fresh(path), 'wx', mode);
        try {
          fchmodSync(file, mode); // whatever the umask
          writeFileSync(file, text, encoding);
          if (lasting) fsyncSync(file);
        } finally {
          closeSync(file);
        }
      }
      for (const { path } of all) renameSync(fresh(path), path);
    } catch (error) {
      for (const { path } of all) rmSync(fresh(path), { force: true });
      throw error;
    }
  },
  rename: renameSync,
  append: (path, text, mode) => appendFileSync(path, text, { mode }),
  create: (path, mode) => opened(openSync(path, 'wx', mode)),
  open: (path) => opened(openSync(path, 'r+')),
  makeFolder: (path) => void mkdirSync(path, { recursive: true, mode: 0o700 }),
  remove: (path) => rmSync(path, { force: true }),
  join,
  folderOf: dirname,
};

function opened(file: number): OpenFile {
  return {
    descriptor: file,
    isAt(path) {
      const [here, there] = [fstatSync(file), statSync(path, { throwIfNoEntry: false })];
      return here.ino === there?.ino && here.dev === there.dev;
    },
    write: (octets) => writeSync(file, octets),
    truncate: (length) => ftruncateSync(file, length),
    close: () => closeSync(file),
  };
}

function statusOf(stats: Stats): FileStatus {
  const kind = stats.isFile()
    ? 'file'
    : stats.isSymbolicLink()
      ? 'link'
      : stats.isSocket()
        ? 'socket'
        : 'other';
  return { kind, owner: stats.uid, mode: stats.mode & 0o777 };
}
