/**
 * Members of classes in src that nothing in src reads: dead, or there for a test alone. A member that an interface asks for is read
 * where the interface's is. `@public` is for what belongs to a folder that could be lifted out, or what tests alone need.
 */
import { relative } from 'node:path';
import ts from 'typescript';

const root = `${import.meta.dirname}/../`;
const { config } = ts.readConfigFile(`${root}tsconfig.json`, (path) => ts.sys.readFile(path)) as {
  config: object;
};
const { fileNames, options } = ts.parseJsonConfigFileContent(
  { ...config, include: ['src'] },
  ts.sys,
  root,
);
const program = ts.createProgram(fileNames, options);
const checker = program.getTypeChecker();
const sources = program.getSourceFiles().filter(({ fileName }) => fileNames.includes(fileName));

type Member = ts.PropertyDeclaration | ts.MethodDeclaration | ts.AccessorDeclaration;
const isMember = (node: ts.Node): node is Member =>
  ts.isClassLike(node.parent) &&
  (ts.isPropertyDeclaration(node) || ts.isMethodDeclaration(node) || ts.isAccessor(node));

/** Not held to it yet. */
const spared = ['src/daemon/', 'src/session/'];

const members: Member[] = [];
const read = new Set<ts.Declaration>();
/** What is read of things that are no class, by its name: the interfaces that have it. */
const asked = new Map<string, Set<ts.Node>>();

for (const source of sources) visit(source);

function visit(node: ts.Node): void {
  if (isMember(node)) members.push(node);
  if (ts.isPropertyAccessExpression(node) && !isOverwritten(node)) note(node.name);
  else if (ts.isElementAccessExpression(node)) note(node.argumentExpression);
  else if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
    const name = node.propertyName ?? node.name;
    if (ts.isIdentifier(name)) mark(checker.getTypeAtLocation(node.parent).getProperty(name.text));
  }
  ts.forEachChild(node, visit);
}

function note(name: ts.Node): void {
  mark(checker.getSymbolAtLocation(name));
}

function mark(symbol: ts.Symbol | undefined): void {
  for (const declaration of symbol?.declarations ?? [])
    if (isMember(declaration)) read.add(declaration);
    else {
      const owners = asked.get(symbol!.name) ?? new Set();
      asked.set(symbol!.name, owners.add(declaration.parent));
    }
}

/** `it.name = …;` sets a property and reads nothing; a setter runs. */
function isOverwritten(node: ts.PropertyAccessExpression): boolean {
  const { parent } = node;
  return (
    ts.isBinaryExpression(parent) &&
    parent.left === node &&
    parent.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
    ts.isExpressionStatement(parent.parent) &&
    !checker.getSymbolAtLocation(node.name)?.declarations?.some(ts.isSetAccessor)
  );
}

/** The interfaces that the class fulfils; with one that has type parameters the name is enough. */
function isAsked(member: Member): boolean {
  const type = checker.getTypeAtLocation(member.parent);
  return [...(asked.get(member.name.getText()) ?? [])].some(
    (owner) =>
      (ts.isInterfaceDeclaration(owner) && owner.typeParameters !== undefined) ||
      checker.isTypeAssignableTo(type, checker.getTypeAtLocation(owner)),
  );
}

/** JSON.stringify() and templates call them. */
const calledByName = ['toJSON', 'toString'];

const unused = members.filter(
  (member) =>
    !spared.some((folder) => relative(root, member.getSourceFile().fileName).startsWith(folder)) &&
    !read.has(member) &&
    !isAsked(member) &&
    !member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.OverrideKeyword) &&
    !ts.isComputedPropertyName(member.name) &&
    !calledByName.includes(member.name.getText()) &&
    !ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'public'),
);
for (const member of unused) {
  const source = member.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(member.name.getStart());
  const owner = (member.parent as ts.ClassLikeDeclaration).name?.text ?? 'a class';
  process.stderr.write(
    `${relative(root, source.fileName)}:${line + 1}: nothing in src reads ${owner}.${member.name.getText()}\n`,
  );
}
process.exitCode = unused.length > 0 ? 1 : 0;
