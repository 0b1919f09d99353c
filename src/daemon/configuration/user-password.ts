/** A user's new password in /etc/config/pptp_users. */
import type { Secret } from '../../crypto/secret.ts';
import { lockFile } from '../../native/file-lock.ts';
import type { OpenFile } from '../../platform/files.ts';
import { clock, files } from '../../platform/platform.ts';
import { editUci } from '../../router/uci-edit.ts';
import { toHex } from '../../wire/octets.ts';

/** uci holds its lock for some milliseconds. */
const MAX_TRIES = 40;
/** Milliseconds. */
const BETWEEN_TRIES = 50;

/**
 * Writes its NT hash in the place of the user's password; must_change goes. What else stands in the file stays as it is, and
 * whatever happens it is the old file or the new one. Under uci's lock: what others commit at the same time stays, too.
 * @throws IoError, or Error: there is no such user, or somebody keeps the lock
 */
export async function storePassword(
  dir: string,
  section: string,
  { ntHash }: Secret,
): Promise<void> {
  const path = files.join(dir, 'pptp_users');
  const edits = {
    password: undefined,
    nthash: toHex(ntHash).toLowerCase(),
    must_change: undefined,
  };
  const file = await locked(path);
  try {
    const edited = editUci(files.text(path, 'latin1'), 'user', section, edits);
    if (edited === undefined) throw new Error(`${path} has no user ${section}, or cannot be read`);
    const { mode } = files.status(path);
    files.replace(path, edited, { mode, encoding: 'latin1', lasting: true });
    // A uci that waits for the lock has the old file open: it reads that, adds its changes, and writes the new one.
    file.truncate(0);
    file.write(Uint8Array.from(edited, (character) => character.charCodeAt(0)));
  } finally {
    file.close();
  }
}

async function locked(path: string): Promise<OpenFile> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (tries > 0) await clock.pause(BETWEEN_TRIES);
    const file = files.open(path);
    try {
      // While we waited, it may have been replaced.
      if (lockFile(file.descriptor) && file.isAt(path)) return file;
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
  throw new Error(`${path} is locked by another program`);
}
