'use strict';
'require baseclass';

/* A table that changes in place: rows are kept by key and cells only touched when they differ, so that nothing flickers, a
   button stays under the pointer, and some hundred rows cost little. Titles sort. */

const LiveTable = baseclass.extend({
	/* columns: [{ title, text: row => string, value: row => number | string to sort by (default: text), build: () => row holder =>
	   node (made once for a row; the holder's row is always the newest), buttons: build gives buttons, which stay on one line }] */
	__init__(columns, { key, placeholder, sortBy = 0, descending = false, onSelect }) {
		this.columns = columns;
		this.keyOf = key;
		this.onSelect = onSelect;
		this.sort = { index: sortBy, descending };
		this.kept = new Map();
		this.titles = columns.map(({ title, build }, index) =>
			E(
				'th',
				{
					class: 'th',
					'data-sortable-row': build ? null : 'true',
					click: build ? null : () => this.sortBy(index)
				},
				[title]
			)
		);
		this.placeholder = E('tr', { class: 'tr placeholder' }, [
			E('td', { class: 'td', colspan: columns.length }, [E('em', {}, [placeholder])])
		]);
		this.node = E('table', { class: 'table' }, [
			E('tr', { class: 'tr table-titles' }, [...this.titles]),
			this.placeholder
		]);
		this.mark();
	},

	sortBy(index) {
		this.sort = { index, descending: this.sort.index == index && !this.sort.descending };
		this.mark();
		this.arrange();
	},

	/* private */
	mark() {
		this.titles.forEach((title, index) => {
			if (index == this.sort.index) title.setAttribute('data-sort-direction', this.sort.descending ? 'desc' : 'asc');
			else title.removeAttribute('data-sort-direction');
		});
	},

	update(rows) {
		const present = new Set();
		for (const row of rows) {
			const key = this.keyOf(row);
			present.add(key);
			const kept = this.kept.get(key) ?? this.create(key, row);
			kept.row = row;
			kept.cells.forEach((cell, index) => {
				const { text } = this.columns[index];
				if (text == null) return;
				const value = text(row);
				if (kept.shown[index] === value) return;
				kept.shown[index] = value;
				if (value != null && typeof value == 'object') cell.replaceChildren(value);
				else cell.textContent = value ?? '';
			});
		}
		for (const [key, { node }] of this.kept) {
			if (present.has(key)) continue;
			node.remove();
			this.kept.delete(key);
		}
		this.arrange();
	},

	/* private */
	create(key, row) {
		const kept = { row, shown: [] };
		kept.cells = this.columns.map(({ title, build, buttons }) =>
			buttons
				? /* As LuCI's own rows have them. */
					E('td', { class: 'td nowrap cbi-section-actions' }, [E('div', {}, [...build(kept)])])
				: E('td', { class: 'td', 'data-title': title || null }, build ? [build(kept)] : [])
		);
		kept.node = E('tr', { class: 'tr', click: this.onSelect ? () => this.onSelect(kept.row) : null }, [...kept.cells]);
		if (this.onSelect) kept.node.style.cursor = 'pointer';
		this.kept.set(key, kept);
		return kept;
	},

	/* private: puts the rows in order, moving only those that stand elsewhere. */
	arrange() {
		const { value, text } = this.columns[this.sort.index];
		const sortKey = value ?? text;
		const direction = this.sort.descending ? -1 : 1;
		const ordered = [...this.kept.values()]
			.map((kept) => ({ kept, by: sortKey(kept.row) }))
			.sort((a, b) => direction * compare(a.by, b.by));
		let before = this.node.firstChild;
		ordered.forEach(({ kept: { node } }, index) => {
			if (before.nextSibling !== node) this.node.insertBefore(node, before.nextSibling);
			node.classList.toggle('cbi-rowstyle-1', index % 2 == 0);
			node.classList.toggle('cbi-rowstyle-2', index % 2 == 1);
			before = node;
		});
		if (ordered.length == 0) this.node.appendChild(this.placeholder);
		else this.placeholder.remove();
	},

	select(key) {
		for (const [other, { node }] of this.kept) node.style.fontWeight = other == key ? 'bold' : '';
	}
});

function compare(a, b) {
	if (typeof a == 'number' && typeof b == 'number') return a - b;
	return String(a).localeCompare(String(b), undefined, { numeric: true });
}

return baseclass.extend({ LiveTable });
