/** Reads an .ipk, with tar: what its control file says and what it would put on a router. */
import { execFileSync } from 'node:child_process';
import { controlFields } from './control.ts';

export interface PackagedFile {
  readonly path: string;
  /** As `ls -l` prints it: type and permissions. */
  readonly mode: string;
  readonly owner: string;
  readonly size: number;
}

export interface Ipk {
  readonly control: ReadonlyMap<string, string>;
  /** control, conffiles, postinst, … */
  readonly controlFiles: ReadonlyMap<string, string>;
  readonly files: readonly PackagedFile[];
  readonly folders: readonly PackagedFile[];
}

const LARGE = 256 * 1024 * 1024;

function member(ipk: string, name: string): Buffer {
  return execFileSync('tar', ['-xzOf', ipk, name], { maxBuffer: LARGE });
}

/** @throws Error if it is no .ipk */
export function readIpk(ipk: string): Ipk {
  const members = execFileSync('tar', ['-tzf', ipk], { encoding: 'utf8' }).trim().split('\n');
  if (members.join(' ') !== './debian-binary ./data.tar.gz ./control.tar.gz')
    throw new Error(`${ipk}: unexpected members: ${members.join(' ')}`);
  if (member(ipk, './debian-binary').toString() !== '2.0\n')
    throw new Error(`${ipk}: debian-binary is not 2.0`);

  const controlArchive = member(ipk, './control.tar.gz');
  const controlFiles = new Map<string, string>();
  for (const { path } of list(controlArchive).filter(isFile))
    controlFiles.set(
      path.slice(1),
      execFileSync('tar', ['-xzOf', '-', `.${path}`], { input: controlArchive, encoding: 'utf8' }),
    );
  const entries = list(member(ipk, './data.tar.gz'));
  return {
    control: controlFields(controlFiles.get('control') ?? ''),
    controlFiles,
    files: entries.filter(isFile),
    folders: entries.filter((entry) => !isFile(entry)),
  };
}

/** One file of what it would put on a router. @throws Error if there is none */
export function fileOfIpk(ipk: string, path: string): Buffer {
  return execFileSync('tar', ['-xzOf', '-', `.${path}`], {
    input: member(ipk, './data.tar.gz'),
    maxBuffer: LARGE,
  });
}

const isFile = ({ mode }: PackagedFile) => !mode.startsWith('d');

function list(archive: Buffer): PackagedFile[] {
  return execFileSync('tar', ['-tvzf', '-', '--numeric-owner'], {
    input: archive,
    encoding: 'utf8',
    maxBuffer: LARGE,
  })
    .trim()
    .split('\n')
    .map((line) => {
      const [, mode, owner, size, path] =
        /^(\S+)\s+(\S+)\s+(\d+)\s+\S+\s+\S+\s+\.(.*)$/.exec(line) ?? [];
      if (mode === undefined || owner === undefined || path === undefined)
        throw new Error(`not understood: ${line}`);
      return { path, mode, owner, size: Number(size) };
    });
}

/** Unpacks what the package puts on a router, with its owners and modes. */
export function unpackIpk(ipk: string, root: string): void {
  execFileSync('tar', ['-xpzf', '-', '--numeric-owner', '-C', root], {
    input: member(ipk, './data.tar.gz'),
    maxBuffer: LARGE,
  });
}
