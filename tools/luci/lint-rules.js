/**
 * Lint rules for LuCI views. LuCI's E(), dom.content(), dom.append() and ui.addNotification() take a text that does not
 * stand in an array as markup: names and messages of peers must never get there. So content is always an array, an
 * element or a call that gives one.
 */

/** Position of the content among the arguments. */
const CONTENT = {
  E: 2,
  'dom.content': 1,
  'dom.append': 1,
  'ui.addNotification': 1,
  'ui.showModal': 1,
};

function calleeName({ callee }) {
  if (callee.type === 'Identifier') return callee.name;
  if (callee.type === 'MemberExpression' && callee.object.type === 'Identifier' && !callee.computed)
    return `${callee.object.name}.${callee.property.name}`;
  return '';
}

/** An array, or an expression that is an array or an element for sure. */
function isContent(node) {
  switch (node.type) {
    case 'ArrayExpression':
      return true;
    case 'CallExpression':
      return calleeName(node) === 'E' || node.callee.property?.name === 'map';
    case 'ConditionalExpression':
      return isContent(node.consequent) && isContent(node.alternate);
    default:
      return false;
  }
}

const noMarkup = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    return {
      CallExpression(node) {
        const position = CONTENT[calleeName(node)];
        if (position === undefined) return;
        if (calleeName(node) === 'E') {
          const [tag, attributes] = node.arguments;
          const isTag = tag?.type === 'Literal' && /^[a-z][a-z0-9]*$/.test(tag.value);
          if (!isTag && !(tag?.type === 'ArrayExpression' && tag.elements.length === 0))
            context.report({
              node,
              message: 'E() takes the plain name of a tag, or [] for a fragment.',
            });
          if (isTag && attributes !== undefined && attributes.type !== 'ObjectExpression')
            context.report({ node, message: 'E(tag, {attributes}, [content])' });
          if (!isTag && attributes !== undefined && !isContent(attributes))
            context.report({ node, message: 'E([], [content])' });
          if (!isTag) return;
        }
        const content = node.arguments[position];
        if (content !== undefined && !isContent(content))
          context.report({
            node: content,
            message: 'Content stands in an array: LuCI takes a bare text as markup.',
          });
      },
      MemberExpression({ property }) {
        if (['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'rawhtml'].includes(property.name))
          context.report({ node: property, message: 'No text becomes markup.' });
      },
    };
  },
};

/** LuCI's catalogues are made from the text as it stands: `_('…')`. */
const literalText = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    return {
      'CallExpression[callee.name="_"]'(node) {
        const [text, ...more] = node.arguments;
        if (text?.type !== 'Literal' || typeof text.value !== 'string' || more.length > 0)
          context.report({
            node,
            message: '_() takes one text in quotes: the catalogues are made from it.',
          });
      },
    };
  },
};

/**
 * `'require uci';` and `'require pptp-gateway.bus as bus';` at the top of a file declare a name: those names are defined
 * (for no-undef), and must be used.
 */
const requiredNames = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    return {
      Program(program) {
        const declared = new Map();
        for (const { directive } of program.body) {
          const [, module, name] = /^require (\S+)(?: as (\S+))?$/.exec(directive ?? '') ?? [];
          if (module !== undefined)
            declared.set(name ?? module.replace(/[^a-zA-Z0-9_]/g, '_'), module);
        }
        const { globalScope } = context.sourceCode.scopeManager;
        const used = new Set(globalScope.through.map(({ identifier }) => identifier.name));
        globalScope.through = globalScope.through.filter(
          ({ identifier }) => !declared.has(identifier.name),
        );
        for (const [name, module] of declared)
          if (!used.has(name))
            context.report({ node: program, message: `${module} is required but not used.` });
      },
    };
  },
};

export default {
  rules: { 'no-markup': noMarkup, 'literal-text': literalText, 'required-names': requiredNames },
};
