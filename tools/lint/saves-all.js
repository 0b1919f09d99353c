/**
 * A class with save() says of each of its fields whether another program gets it (docs/architecture.md, "Another program goes
 * on"): save() reads it, or the comment above save() names it, with the reason.
 */
export default {
  rules: {
    'saves-all': {
      meta: {
        type: 'problem',
        schema: [],
        messages: {
          forgotten: '{{name}} is neither read by save() nor named above it as not carried',
        },
      },
      create(context) {
        const { sourceCode } = context;
        return {
          ClassBody({ body }) {
            const save = body.find(
              (member) =>
                member.type === 'MethodDefinition' && !member.static && member.key.name === 'save',
            );
            if (save === undefined) return;
            const said = [
              ...sourceCode.getCommentsBefore(save).map(({ value }) => value),
              sourceCode.getText(save.value),
            ].join('\n');
            for (const member of body) {
              if (member.type !== 'PropertyDefinition' || member.static) continue;
              const isHash = member.key.type === 'PrivateIdentifier';
              if (!isHash && member.accessibility !== 'private') continue;
              const name = isHash ? `#${member.key.name}` : member.key.name;
              const escaped = isHash ? `#${member.key.name}\\b` : `\\b${member.key.name}\\b`;
              if (!new RegExp(escaped).test(said))
                context.report({ node: member, messageId: 'forgotten', data: { name } });
            }
          },
        };
      },
    },
  },
};
