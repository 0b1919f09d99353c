/** Where problems stand, for people: path and line, and sections by the names that their owners gave them. */
import { files } from '../../platform/platform.ts';
import type { UciSection } from '../../router/uci.ts';
import type { Problem } from './problems.ts';

/** By file and name. */
export class Places {
  readonly #folder: string | undefined;
  readonly #sections = new Map<string, UciSection>();

  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  add(sections: readonly UciSection[]): void {
    for (const section of sections) this.#sections.set(`${section.file} ${section.name}`, section);
  }

  /** With all that is known of where it stands. */
  locate(problem: Problem): Problem {
    const { file, section: name, against, message } = problem;
    const section = this.#sections.get(`${file} ${name}`);
    const line = problem.line ?? (section && lineIn(section, problem));
    const username = section?.type === 'user' ? nameOfUser(section) : undefined;
    const kind = section?.type === 'interface' ? kindOf(section) : undefined;
    return {
      ...problem,
      message: this.#withNames(message, [against?.file ?? file, file]),
      ...(this.#folder !== undefined && { path: files.join(this.#folder, file) }),
      ...(line !== undefined && { line }),
      ...(section !== undefined && { called: called(section) }),
      ...(username !== undefined && { username }),
      ...(kind !== undefined && { kind }),
    };
  }

  /** Names that uci made up mean nothing to the owner. */
  #withNames(text: string, among: readonly string[]): string {
    return text.replaceAll(/(?:(?:\w+ )?section )?'(@\w+\[\d+\])'/g, (whole, name: string) => {
      const section = among
        .map((file) => this.#sections.get(`${file} ${name}`))
        .find((each) => each !== undefined);
      return section === undefined ? whole : `${called(section)} (line ${section.line})`;
    });
  }
}

/** As it stands in the file: `config user 'anna'`; one without a name is a user's, or has none. */
function called(section: UciSection): string {
  const { name, type } = section;
  const own = name.startsWith('@') ? undefined : name;
  const shown = (type === 'user' ? nameOfUser(section) : undefined) ?? own;
  return shown === undefined ? type : `${type} '${shown}'`;
}

function nameOfUser({ values }: UciSection): string | undefined {
  return values.get('username')?.values.findLast((word) => word !== '');
}

function kindOf({ values }: UciSection): 'server' | 'link' | undefined {
  const proto = values.get('proto')?.values.at(-1);
  return proto === 'pptpserver' ? 'server' : proto?.startsWith('pptp') ? 'link' : undefined;
}

/** Of a list it is the line with the value. */
function lineIn({ line, values }: UciSection, { option = '', value = '' }: Problem): number {
  const found = values.get(option);
  if (found === undefined) return line;
  const at = found.values.findIndex((each) => each === value || each.split(/\s+/).includes(value));
  return found.lines[at] ?? found.line;
}
