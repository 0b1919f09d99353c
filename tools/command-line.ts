/**
 * The manual page and the completion of shells, made from the command table.
 *
 *     SOURCE_DATE_EPOCH=… node --import tsx tools/command-line.ts FOLDER    pptp-gateway.8, pptp-gateway.bash, _pptp-gateway
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  commandTable,
  exitCodes,
  options,
  optionsOf,
  type CommandEntry,
  type Completion,
  type OptionEntry,
  type OptionName,
} from '../src/daemon/cli/command-table.ts';
import { optionText, synopsis } from '../src/daemon/cli/usage.ts';

const names = Object.keys(options) as OptionName[];
const commandNames = commandTable.map(({ name }) => name);
const words = (completion: Completion | undefined): readonly string[] =>
  completion === 'command' ? commandNames : typeof completion === 'object' ? completion : [];
const entryOf = (name: OptionName): OptionEntry => options[name];

/** Text as troff takes it: nothing in it is a request, an escape or a hyphen to be set as a dash. */
function troff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^([.'])/gm, '\\&$1');
}

export function manual(version: string, date: Date): string {
  const command = (entry: CommandEntry) =>
    `.TP\n.B ${troff(synopsis(entry))}\n${sentence(entry.doc)}${entry.more === undefined ? '' : `\n${troff(entry.more)}`}`;
  const option = (name: OptionName) => {
    const { short } = entryOf(name);
    const spelt = [...Array.from(short ?? '', (letter) => `-${letter}`), optionText(name)].join(
      ', ',
    );
    return `.TP\n.B ${troff(spelt)}\n${sentence(options[name].doc)}`;
  };
  const codes = Object.entries(exitCodes).map(
    ([code, meaning]) => `.TP\n.B ${code}\n${sentence(meaning)}`,
  );
  return `.TH PPTP\\-GATEWAY 8 ${date.toISOString().slice(0, 10)} "pptp\\-gateway ${version}" "System administration"
.SH NAME
pptp\\-gateway \\- PPTP server, client and passthrough
.SH SYNOPSIS
.B pptp\\-gateway
.I COMMAND
.RI [ OPTION ...]
.SH DESCRIPTION
Lets people and routers dial in by PPTP, dials out, and brings PPTP of other machines through NAT.
PPTP cannot protect anybody from a determined attacker: whoever records a login can compute its keys.
Use it for what cannot do better.
.SH COMMANDS
${commandTable.map(command).join('\n')}
.SH OPTIONS
${names.map(option).join('\n')}
.SH EXIT STATUS
${codes.join('\n')}
.SH FILES
.TP
.B /etc/pptp\\-gateway/network\\fR, \\fBpptp\\fR, \\fBpptp_users\\fR, \\fBpptp_radius
Servers and links, settings of the daemon and passthrough, users, RADIUS servers. On OpenWrt they are in /etc/config.
.TP
.B /etc/pptp/session\\-up.d\\fR, \\fB/etc/pptp/session\\-down.d
Programs that are run when a session has come up or gone down.
.TP
.B /run/pptp\\-gateway
The daemon's own bus, and what stands in the kernel because of it.
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1),
.BR nft (8),
.BR ip (8)
`;
}

function sentence(text: string): string {
  return troff(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
}

export function bashCompletion(): string {
  const value = (name: OptionName) => {
    const { complete } = entryOf(name);
    const made =
      complete === 'folder'
        ? 'compgen -d -- "$cur"'
        : complete === 'file'
          ? 'compgen -f -- "$cur"'
          : `compgen -W '${words(complete).join(' ')}' -- "$cur"`;
    return `    --${name}) mapfile -t COMPREPLY < <(${made}); return ;;`;
  };
  const command = (entry: CommandEntry) => {
    const { name, operands = [] } = entry;
    const offered = [
      ...optionsOf(entry).map((each) => `--${each}`),
      ...words(operands[0]?.complete),
    ];
    const files = operands[0]?.complete === 'file' ? '; compgen -f -- "$cur"' : '';
    return `    ${name}) mapfile -t COMPREPLY < <(compgen -W '${offered.join(' ')}' -- "$cur"${files}) ;;`;
  };
  const valued = names.filter((name) => options[name].type === 'string');
  return `# Completion of pptp-gateway for bash. Made from its command table.
_pptp_gateway() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  case $prev in
${valued.map(value).join('\n')}
  esac
  if [ "$COMP_CWORD" = 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W '${commandNames.join(' ')}' -- "$cur")
    return
  fi
  case \${COMP_WORDS[1]} in
${commandTable.map(command).join('\n')}
  esac
}
complete -F _pptp_gateway pptp-gateway
`;
}

export function zshCompletion(): string {
  const quoted = (text: string) => text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, '\\$&');
  const action = (completion: Completion | undefined) =>
    completion === 'folder'
      ? '_files -/'
      : completion === 'file'
        ? '_files'
        : completion === undefined
          ? ' '
          : `(${words(completion).join(' ')})`;
  const option = (name: OptionName) => {
    const { type, value = '', doc, complete } = entryOf(name);
    const argument = type === 'string' ? `:${quoted(value)}:${action(complete)}` : '';
    return `'--${name}[${quoted(doc)}]${argument}'`;
  };
  const command = (entry: CommandEntry) => {
    const { name, operands = [] } = entry;
    const all = [
      ...optionsOf(entry).map(option),
      ...operands.map((each) => `':${quoted(each.name)}:${action(each.complete)}'`),
    ];
    return `    ${name}) ${all.length === 0 ? ':' : `_arguments ${all.join(' ')}`} ;;`;
  };
  return `#compdef pptp-gateway
# Made from its command table.
local -a commands=(
${commandTable.map(({ name, doc }) => `  '${name}:${quoted(doc)}'`).join('\n')}
)
if (( CURRENT == 2 )); then
  _describe command commands
else
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commandTable.map(command).join('\n')}
  esac
fi
`;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  const [folder] = process.argv.slice(2);
  const epoch = Number(process.env['SOURCE_DATE_EPOCH']);
  if (folder === undefined || !Number.isInteger(epoch))
    throw new Error('usage: SOURCE_DATE_EPOCH=… command-line.ts FOLDER');
  const project = resolve(import.meta.dirname, '../package.json');
  const { version } = JSON.parse(readFileSync(project, 'utf8')) as { version: string };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'pptp-gateway.8'), manual(version, new Date(epoch * 1000)));
  writeFileSync(join(folder, 'pptp-gateway.bash'), bashCompletion());
  writeFileSync(join(folder, '_pptp-gateway'), zshCompletion());
}
