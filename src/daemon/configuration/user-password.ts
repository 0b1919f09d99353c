/** A user's new password in /etc/config/pptp_users. */
import type { Secret } from '../../crypto/secret.ts';
import { files } from '../../platform/platform.ts';
import { editUci } from '../../router/uci-edit.ts';
import { toHex } from '../../wire/octets.ts';

/**
 * Writes its NT hash in the place of the user's password; must_change goes. What else stands in the file stays as it is, and
 * whatever happens it is the old file or the new one. uci's lock is not taken: what somebody commits in that moment may be lost.
 * @throws IoError, or Error: there is no such user
 */
export function storePassword(dir: string, section: string, { ntHash }: Secret): void {
  const path = files.join(dir, 'pptp_users');
  const edits = {
    password: undefined,
    nthash: toHex(ntHash).toLowerCase(),
    must_change: undefined,
  };
  const edited = editUci(files.text(path, 'latin1'), 'user', section, edits);
  if (edited === undefined) throw new Error(`${path} has no user ${section}, or cannot be read`);
  const { mode } = files.status(path);
  files.replace(path, edited, { mode: mode & 0o777, encoding: 'latin1', lasting: true });
}
