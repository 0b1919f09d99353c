/**
 * Just enough of LuCI to run our modules under node: classes, requires, the form's recorder, a document. The stand-ins keep
 * LuCI's traps: a text that does not stand in an array becomes markup.
 */
import { isIP } from 'node:net';
import { JSDOM } from 'jsdom';
import { sources } from '../../tools/luci/sources.ts';

type Any = any;

const own = new Map(sources().map((source) => [source.module, source]));

/** LuCI's classes: extend() makes one, __init__ is the constructor, super() calls the method of the parent. */
export function classOf(parent: Any, members: Any): Any {
  function Class(this: Any, ...args: Any[]): void {
    if (typeof this.__init__ === 'function') this.__init__(...args);
  }
  Class.prototype = Object.create(
    parent?.prototype ?? null,
    Object.getOwnPropertyDescriptors(members),
  );
  Class.prototype.super = function (this: Any, name: string, args: Any[]): Any {
    return parent.prototype[name]?.apply(this, args);
  };
  Class.extend = (more: Any) => classOf(Class, more);
  return Class;
}

/** cbi.js: the conversions we use. */
function format(this: string, ...values: Any[]): string {
  return this.replace(
    /%(\d+)?(?:\.(\d+))?([sdhtm%])/g,
    (_, unit: string, digits: string, kind: string) => {
      if (kind === '%') return '%';
      const value = values.shift();
      if (kind === 'd') return String(Math.trunc(Number(value)));
      if (kind === 't') return `${value as number} s`;
      if (kind === 'm') return `${(Number(value) / Number(unit)).toFixed(Number(digits))} K`;
      return kind === 'h' ? String(value).replaceAll('<', '&lt;') : String(value);
    },
  );
}

export interface Luci {
  /** One of our modules, or a fake. */
  module(name: string): Any;
  readonly document: Any;
  readonly E: Any;
  /** Functions given to poll.add. */
  readonly polls: (() => Promise<unknown>)[];
  /** Answers of rpc by 'object.method'; a function gets the arguments. */
  readonly answers: Record<string, Any>;
  /** 'object.method' of every call. */
  readonly called: string[];
  /** uci in memory: config to name to section. */
  readonly uci: Record<string, Record<string, Any>>;
  /** Configurations that were loaded. */
  readonly loaded: string[];
}

export function luci(fakes: Record<string, Any> = {}): Luci {
  const { window } = new JSDOM('<!doctype html><div id="maincontent"><div id="view"></div></div>');
  const { document } = window;
  (String.prototype as Any).format = format;
  const answers: Record<string, Any> = {};
  const called: string[] = [];
  const polls: (() => Promise<unknown>)[] = [];
  const config: Record<string, Record<string, Any>> = {};
  const loaded: string[] = [];

  const append = (node: Any, content: Any): void => {
    if (content === undefined || content === null) return;
    if (Array.isArray(content))
      node.append(
        ...content
          .filter((child: Any) => child !== undefined && child !== null)
          .map((child) => (isNode(child) ? child : String(child))),
      );
    else if (isNode(content)) node.append(content);
    else node.innerHTML = String(content);
  };
  const isNode = (value: Any): boolean => typeof value === 'object' && 'nodeType' in value;
  const E = (tag: Any, ...rest: Any[]): Any => {
    const attributes = isPlain(rest[0]) ? rest.shift() : {};
    const node: Any = Array.isArray(tag)
      ? document.createDocumentFragment()
      : document.createElement(tag);
    for (const [key, value] of Object.entries<Any>(attributes))
      if (typeof value === 'function') node.addEventListener(key, value);
      else if (value !== undefined && value !== null) node.setAttribute(key, value);
    append(node, rest[0]);
    return node;
  };
  const L = {
    toArray: (value: Any) =>
      value === undefined || value === null
        ? []
        : Array.isArray(value)
          ? value
          : String(value).split(/\s+/).filter(Boolean),
    resource: (path: string) => `/luci-static/resources/${path}`,
    url: (...parts: string[]) => `/cgi-bin/luci/${parts.join('/')}`,
    resolveDefault: (promise: Any, value: Any) => Promise.resolve(promise).catch(() => value),
    hasViewPermission: () => true,
    bind: (fn: Any, self: Any) => fn.bind(self),
  };
  const baseclass = { extend: (members: Any) => classOf(null, members) };
  const uci = uciOf(config, loaded);
  const modules: Record<string, Any> = {
    baseclass,
    uci,
    view: { extend: (members: Any) => classOf(null, members) },
    poll: { add: (fn: () => Promise<unknown>) => polls.push(fn) },
    dom: {
      append,
      content: (node: Any, content: Any) => {
        node.replaceChildren();
        append(node, content);
      },
    },
    ui: {
      createHandlerFn:
        (self: Any, fn: Any) =>
        (...args: Any[]) =>
          (typeof fn === 'string' ? self[fn] : fn).apply(self, args),
      addNotification: (_title: Any, content: Any) => append(document.body, content),
      showModal: (title: Any, content: Any) =>
        append(document.body, [E('h4', {}, title), ...content]),
      hideModal: () => undefined,
      changes: { init: () => Promise.resolve(), apply: () => undefined },
    },
    fs: {
      exec: () => Promise.resolve({ code: 0, stdout: '' }),
      exec_direct: () => Promise.resolve(''),
    },
    rpc: {
      declare:
        ({ object, method, expect }: Any) =>
        async (...args: Any[]) => {
          called.push(`${object}.${method}`);
          let answer = answers[`${object}.${method}`];
          if (typeof answer === 'function') answer = answer(...args);
          if (answer === undefined)
            throw new Error(
              `RPC call to ${object}/${method} failed with error -32000: Object not found`,
            );
          const [key] = Object.keys(expect ?? { '': 0 });
          return Promise.resolve(key === '' ? answer : answer[key!]);
        },
    },
    ...fakes,
  };

  const module = (name: string): Any => {
    if (modules[name] !== undefined) return modules[name];
    const source = own.get(name);
    if (source === undefined) throw new Error(`there is no module ${name}`);
    const required = [...source.text.matchAll(/^'require (\S+?)(?: as (\S+))?';$/gm)];
    const names = required.map(
      ([, required, as]) => as ?? required!.replace(/[^a-zA-Z0-9_]/g, '_'),
    );
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- that is how LuCI loads them
    const Class: Any = new Function(
      'window',
      'document',
      'L',
      '_',
      'E',
      'performance',
      ...names,
      source.text,
    )(
      window,
      document,
      L,
      (text: string) => text,
      E,
      { now: () => Date.now() },
      ...required.map(([, required]) => module(required!)),
    );
    modules[name] = new Class();
    return modules[name];
  };
  return { module, document, E, polls, answers, called, uci: config, loaded };
}

function isPlain(value: Any): boolean {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

function uciOf(config: Record<string, Record<string, Any>>, loaded: string[]): Any {
  let created = 0;
  return {
    load: (names: string | string[]) => {
      loaded.push(...[names].flat());
      return Promise.resolve();
    },
    unload: () => undefined,
    save: () => Promise.resolve(),
    sections: (file: string, type: string) =>
      Object.values(config[file] ?? {}).filter((section) => !type || section['.type'] === type),
    get: (file: string, name: string, option?: string) =>
      option === undefined ? (config[file]?.[name] ?? null) : config[file]?.[name]?.[option],
    add: (file: string, type: string, name?: string) => {
      const id = name ?? `new${++created}`;
      (config[file] ??= {})[id] = { '.type': type, '.name': id, '.anonymous': name === undefined };
      return id;
    },
    set: (file: string, name: string, option: string, value: Any) => {
      config[file]![name]![option] = value;
    },
    unset: (file: string, name: string, option: string) => {
      Reflect.deleteProperty(config[file]![name], option);
    },
    remove: (file: string, name: string) => {
      Reflect.deleteProperty(config[file]!, name);
    },
  };
}

/** The value that is validated; LuCI's types may put another one in its place. */
interface Field {
  value: string;
}
type Check = (field: Field) => boolean;

/** LuCI's types that we name, as its validation.js has them. */
const types: Record<string, (...args: string[]) => Check> = {
  ip4addr: () => (field) => isAddress(field.value),
  ipaddr: () => (field) => isAddress(field.value) || isIPv6(field.value),
  cidr4: () => (field) => {
    const match = /^(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})\/(\d{1,2})$/.exec(field.value);
    if (match === null || !isAddress(match[1]!)) return false;
    field.value = match[2]!; // apply('ip4prefix', …): what is asked next sees the length only
    return Number(field.value) <= 32;
  },
  host: (only) => (field) =>
    isName(field.value) || isAddress(field.value) || (only !== '1' && isIPv6(field.value)),
  hostname: () => (field) => isName(field.value),
  port: () => (field) => /^-?\d+$/.test(field.value) && isBetween(field.value, 0, 65535),
  uinteger: () => (field) => /^\d+$/.test(field.value),
  // It takes fractions, too.
  range: (low, high) => (field) =>
    /^-?\d+(\.\d+)?$/.test(field.value) && isBetween(field.value, Number(low), Number(high)),
  maxlength: (most) => (field) => new Blob([field.value]).size <= Number(most),
  uciname: () => (field) => /^\w+$/.test(field.value),
};

function isBetween(text: string, low: number, high: number): boolean {
  return low <= Number(text) && Number(text) <= high;
}

/** Zones and prefixes are none. */
function isIPv6(text: string): boolean {
  return isIP(text) === 6 && !text.includes('%');
}

/** A word, or words with dots and dashes that are not figures only. */
function isName(text: string): boolean {
  if (text.length > 253 || /[^\w.-]/.test(text)) return false;
  return /^\w+$/.test(text) || (/^\w.*[A-Za-z0-9]\.?$/.test(text) && /[^\d.]/.test(text));
}

function isAddress(text: string): boolean {
  return (
    /^(\d{1,3}\.){3}\d{1,3}$/.test(text) && text.split('.').every((octet) => Number(octet) < 256)
  );
}

/** At commas outside brackets, of which there are two kinds of depth at most. */
function apart(list: string): string[] {
  return list.match(/(?:[^,()]|\((?:[^()]|\([^()]*\))*\))+/g) ?? [];
}

function compiled(datatype: string): Check {
  const [, name, inner] = /^(\w+)(?:\((.*)\))?$/.exec(datatype)!;
  if (name === 'or' || name === 'and') {
    const parts = apart(inner!).map(compiled);
    return (field) =>
      name === 'or' ? parts.some((part) => part(field)) : parts.every((part) => part(field));
  }
  return types[name!]!(...(inner ?? '').split(','));
}

/** What a type says: false, or what then stands in the place of the value. */
export function judged(datatype: string, value: string): string | false {
  const field = { value };
  return compiled(datatype)(field) && field.value;
}

/** A stand-in for LuCI's Validator: the type first, and then the option's own function, with what the type has left. */
export function isTaken(option: Any, value: string, sectionId = 'new'): boolean {
  const field = { value };
  if (value === '') {
    if (option.rmempty === false) return false;
  } else if (option.datatype !== undefined && !compiled(option.datatype)(field)) return false;
  return option.validate === undefined || option.validate(sectionId, field.value) === true;
}

/** A form that notes which options it is given. */
export interface Offered {
  readonly name: string;
  readonly kind: string;
  readonly choices: string[];
  default?: unknown;
  placeholder?: string;
  datatype?: string;
  ucioption?: string;
}

export function recorder(): {
  form: Any;
  section: () => Any;
  sections: { name: string; offered: Offered[] }[];
} {
  const sections: { name: string; offered: Offered[] }[] = [];
  const kinds = ['Value', 'Flag', 'ListValue', 'MultiValue', 'DynamicList', 'DummyValue'];
  const types = Object.fromEntries(
    [...kinds, 'NamedSection', 'TypedSection', 'GridSection'].map((kind) => [
      kind,
      classOf(null, { kind }),
    ]),
  );
  const section = (_type?: Any, name = ''): Any => {
    const offered: Offered[] = [];
    sections.push({ name, offered });
    const option = (type: Any, name: string): Any => {
      const made: Any = new type();
      Object.assign(made, { name, option: name, kind: made.kind, choices: [] });
      made.value = (value: string) => made.choices.push(value);
      made.depends = () => undefined;
      offered.push(made);
      return made;
    };
    return {
      children: offered,
      tab: () => undefined,
      option: (type: Any, name: string) => option(type, name),
      taboption: (_tab: string, type: Any, name: string) => option(type, name),
    };
  };
  const Map = classOf(null, {
    chain: () => undefined,
    section,
    render: () => Promise.resolve(null),
  });
  return { form: { ...types, Map, JSONMap: Map }, section, sections };
}
