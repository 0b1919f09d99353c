/** The control file of a package as opkg has it: `Name: value` lines; a line that begins with a blank goes on with the value. */
export function controlFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let last: string | undefined;
  for (const line of text.split('\n')) {
    const [, name, value] = /^([A-Za-z-]+): *(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) fields.set((last = name), value);
    else if (last !== undefined && line.startsWith(' '))
      fields.set(last, `${fields.get(last)}\n${line.slice(1)}`);
  }
  return fields;
}
