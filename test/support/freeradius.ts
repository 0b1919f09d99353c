/**
 * FreeRADIUS of Debian with a configuration of the tests' own, on 127.0.0.1 or for clients of a network: ports 1812, 1813 and, with TLS,
 * 2083. Only in a network namespace, where these are free.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collect, type Result } from '../interop/namespace.ts';
import { LineLog } from '../interop/line-log.ts';

const PROGRAM = '/usr/sbin/freeradius';
/** Debian's schema and queries. */
const SQLITE = '/etc/freeradius/3.0/mods-config/sql/main/sqlite';

export const FREERADIUS_SECRET = 'testing123';

/** Text of its configuration, in addition to logins by pap, chap, mschap and the file of users. */
interface Sections {
  readonly modules?: string;
  /** Of the module mschap. */
  readonly mschap?: string;
  readonly authorize?: string;
  readonly authenticate?: string;
  readonly preacct?: string;
  readonly accounting?: string;
  readonly session?: string;
  readonly 'post-auth'?: string;
}

export interface FreeRadiusOptions extends Sections {
  /** A file of users, as rlm_files reads it. */
  readonly users?: string;
  /** Other clients than this machine, as 10.9.0.0/16; it listens on all addresses then. */
  readonly clients?: string;
  /** RadSec, with certificates that are made in `folder`: server.pem, and gateway.pem with gateway.key for us. */
  readonly tls?: true;
  /** A database with Debian's schema, radius.db in `folder`, for authorization and accounting. */
  readonly sqlite?: true;
  /** The FreeRADIUS of this root file system instead; not with sqlite. */
  readonly root?: string;
}

export class FreeRadius {
  /** Its files; removed with it. */
  readonly folder: string;
  /** What it says, line by line, since it runs. */
  log = new LineLog('freeradius');
  readonly #start: readonly string[];
  #child: ChildProcess;
  #ended: Promise<Result>;

  /** @param start the words that start it */
  private constructor(folder: string, start: readonly string[]) {
    this.folder = folder;
    this.#start = start;
    [this.#child, this.#ended] = this.#run();
  }

  /** Ready for requests. @param within words that run a program in a namespace */
  static async start(
    options: FreeRadiusOptions = {},
    within: readonly string[] = [],
  ): Promise<FreeRadius> {
    if (!existsSync(PROGRAM)) throw new Error('freeradius is missing: tools/setup.sh test');
    const { root = '' } = options;
    const folder = mkdtempSync(join(root, '/tmp/pptp-freeradius-'));
    /** As it sees it. */
    const seen = folder.slice(root.length);
    if (options.tls !== undefined) for (const name of ['server', 'gateway']) certify(folder, name);
    writeFileSync(join(folder, 'radiusd.conf'), configuration(seen, options));
    writeFileSync(join(folder, 'dictionary'), '');
    writeFileSync(join(folder, 'users'), options.users ?? '');
    // It ends with us, however we do.
    const server = new FreeRadius(folder, [
      ...within,
      ...['setpriv', '--pdeathsig', 'KILL'],
      ...(root === '' ? [] : ['chroot', root]),
      ...[PROGRAM, '-f', '-l', 'stdout', '-d', seen],
    ]);
    await server.log.waitFor(/Ready to process requests/);
    return server;
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  /** In the midst of what it does; its files stay. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** It says nothing any more, and has all its sockets. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }

  /** After kill, with the same files. */
  async restart(): Promise<void> {
    this.log = new LineLog('freeradius');
    [this.#child, this.#ended] = this.#run();
    await this.log.waitFor(/Ready to process requests/);
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true });
  }

  #run(): [ChildProcess, Promise<Result>] {
    const [command, ...words] = this.#start;
    const child = spawn(command!, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    return [child, collect(child, this.log)];
  }
}

/** A certificate that is its own authority. */
function certify(folder: string, name: string): void {
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-days', '2', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'],
      ...['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)],
    ],
    { stdio: 'ignore' },
  );
}

function configuration(folder: string, options: FreeRadiusOptions): string {
  const { clients, tls, sqlite } = options;
  const sql = sqlite === undefined ? '' : 'sql';
  const listener = (type: string, port: number, more = '') =>
    `listen {\n type = ${type}\n ipaddr = ${clients === undefined ? '127.0.0.1' : '*'}\n port = ${port}\n${more}\n}\n`;
  return `
prefix = /usr
libdir = /usr/lib/freeradius
confdir = ${folder}
logdir = ${folder}
run_dir = ${folder}
db_dir = ${folder}
name = radiusd
max_requests = 16384
log {
 destination = stdout
 auth = yes
}
security {
 reject_delay = 0
 status_server = yes
}
thread pool {
 start_servers = 4
 max_servers = 4
 min_spare_servers = 1
 max_spare_servers = 4
 max_requests_per_server = 0
 auto_limit_acct = no
}
client local {
 ipaddr = 127.0.0.1
 secret = ${FREERADIUS_SECRET}
}
${clients === undefined ? '' : `client others {\n ipaddr = ${clients}\n secret = ${FREERADIUS_SECRET}\n}`}
clients radsec {
 client tls {
  ipaddr = 127.0.0.1
  proto = tls
  secret = radsec
 }
}
modules {
 pap {
 }
 chap {
 }
 mschap {
  with_ntdomain_hack = yes
  ${options.mschap ?? ''}
 }
 files {
  usersfile = ${folder}/users
 }
 detail {
  filename = ${folder}/detail
 }
 ${sqlite === undefined ? '' : sqlModule(folder)}
 ${options.modules ?? ''}
}
policy {
 $INCLUDE /etc/freeradius/3.0/policy.d/accounting
}
server default {
 ${listener('auth', 1812)}
 ${listener('acct', 1813)}
 ${tls === undefined ? '' : listener('auth+acct', 2083, tlsPart(folder))}
 authorize {
  chap
  mschap
  ${options.authorize ?? ''}
  files
  ${sql}
  pap
 }
 authenticate {
  Auth-Type PAP {
   pap
  }
  Auth-Type CHAP {
   chap
  }
  Auth-Type MS-CHAP {
   mschap
  }
  ${options.authenticate ?? ''}
 }
 preacct {
  ${sqlite === undefined ? '' : 'acct_unique'}
  ${options.preacct ?? ''}
 }
 accounting {
  detail
  ${sql}
  ${options.accounting ?? ''}
 }
 session {
  ${sql}
  ${options.session ?? ''}
 }
 post-auth {
  ${options['post-auth'] ?? ''}
 }
}
`;
}

function tlsPart(folder: string): string {
  return `
 proto = tcp
 clients = radsec
 limit {
  max_connections = 16
  lifetime = 0
  idle_timeout = 30
 }
 tls {
  private_key_file = ${folder}/server.key
  certificate_file = ${folder}/server.pem
  ca_file = ${folder}/gateway.pem
  require_client_cert = yes
  tls_min_version = "1.2"
  tls_max_version = "1.3"
 }`;
}

function sqlModule(folder: string): string {
  return `
 expr {
 }
 sql {
  dialect = "sqlite"
  driver = "rlm_sql_sqlite"
  sqlite {
   filename = "${folder}/radius.db"
   busy_timeout = 5000
   bootstrap = "${SQLITE}/schema.sql"
  }
  radius_db = "radius"
  acct_table1 = "radacct"
  acct_table2 = "radacct"
  postauth_table = "radpostauth"
  authcheck_table = "radcheck"
  groupcheck_table = "radgroupcheck"
  authreply_table = "radreply"
  groupreply_table = "radgroupreply"
  usergroup_table = "radusergroup"
  client_table = "nas"
  group_attribute = "\${.:instance}-Group"
  read_groups = yes
  delete_stale_sessions = yes
  pool {
   start = 4
   min = 4
   max = 4
   spare = 0
   uses = 0
   lifetime = 0
   idle_timeout = 60
  }
  $INCLUDE ${SQLITE}/queries.conf
 }`;
}
