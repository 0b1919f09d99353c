'use strict';
'require baseclass';

/* The box in which LuCI takes the name of a new section says nothing: it is told here what it is for. */

/* As uci wants it; what people type for a name is made one. */
function nameOf(text) {
	return text
		.normalize('NFKD')
		.replace(/\p{M}/gu, '')
		.trim()
		.replace(/[^A-Za-z0-9_]+/g, '_');
}

return baseclass.extend({
	nameOf,

	/* section: whose sections are not anonymous. label: whose name, example: one. */
	ask(section, label, example) {
		const render = section.renderSectionAdd;
		section.renderSectionAdd = function (extraClass) {
			const node = render.call(this, extraClass);
			const input = node.querySelector('.cbi-section-create-name');
			if (!input) return node;
			input.placeholder = example;
			input.setAttribute('aria-label', label);
			/* LuCI judges what is typed when a key is released; this comes first. */
			input.addEventListener('input', () => {
				const name = nameOf(input.value);
				if (input.value !== name) input.value = name;
			});
			node.prepend(E('label', { style: 'align-self:center; margin-right:.5em' }, [label]));
			return node;
		};
	}
});
