/** The JavaScript of our LuCI packages, as files and as syntax trees. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parse, type Node } from 'acorn';

export const repository = resolve(import.meta.dirname, '../..');
export const packages = ['luci-proto-pptpgw', 'luci-app-pptp-gateway'] as const;
export type Package = (typeof packages)[number];

export interface Source {
  readonly package: Package;
  /** Path from the repository. */
  readonly path: string;
  /** As in 'require …': pptp-gateway.bus */
  readonly module: string;
  readonly text: string;
}

export function sources(): readonly Source[] {
  return packages.flatMap((name) => {
    const resources = join(repository, 'openwrt', name, 'htdocs/luci-static/resources');
    return readdirSync(resources, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.js'))
      .sort()
      .map((file) => ({
        package: name,
        path: relative(repository, join(resources, file)),
        module: file.slice(0, -'.js'.length).replaceAll('/', '.'),
        text: readFileSync(join(resources, file), 'utf8'),
      }));
  });
}

/** A view is the body of a function: it returns at top level. */
export function syntaxTree(text: string): Node {
  return parse(text, { ecmaVersion: 2022, allowReturnOutsideFunction: true, locations: true });
}

type Tree = Node & Record<string, unknown>;

/** A call and what it calls, as in `rpc.declare` or `_`. */
export interface Call {
  readonly callee: string;
  readonly arguments: readonly Tree[];
  readonly line: number;
}

export function calls(tree: Node): readonly Call[] {
  const found: Call[] = [];
  walk(tree as Tree, (node) => {
    if (node.type === 'CallExpression')
      found.push({
        callee: dotted(node['callee'] as Tree),
        arguments: node['arguments'] as Tree[],
        line: node.loc?.start.line ?? 0,
      });
  });
  return found;
}

/** The value of a literal, an array or an object of literals; names stay undefined. */
export function constant(node: Tree | undefined): unknown {
  if (node === undefined) return undefined;
  switch (node.type) {
    case 'Literal':
      return node['value'];
    case 'ArrayExpression':
      return (node['elements'] as Tree[]).map(constant);
    case 'ObjectExpression':
      return Object.fromEntries(
        (node['properties'] as Tree[]).map((property) => [
          (property['key'] as Tree)['name'] ?? (property['key'] as Tree)['value'],
          constant(property['value'] as Tree),
        ]),
      );
    default:
      return undefined;
  }
}

function dotted(node: Tree): string {
  if (node.type === 'Identifier') return node['name'] as string;
  if (node.type !== 'MemberExpression' || node['computed'] === true) return '';
  return `${dotted(node['object'] as Tree)}.${(node['property'] as Tree)['name'] as string}`;
}

function walk(node: Tree, visit: (node: Tree) => void): void {
  visit(node);
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value])
      if (isNode(child)) walk(child, visit);
}

function isNode(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
