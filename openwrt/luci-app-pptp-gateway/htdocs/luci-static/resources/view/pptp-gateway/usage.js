'use strict';
'require view';
'require poll';
'require pptp-gateway.bars as bars';
'require pptp-gateway.bus as bus';
'require pptp-gateway.live-table as liveTable';
'require pptp-gateway.notices as notices';
'require pptp-gateway.usage as usage';
'require pptp-gateway.words as words';

const SECONDS = 30;

const kinds = { user: _('User'), link: _('Link') };

const octets = (title, key) => ({ title, text: (entry) => words.octets(entry[key]), value: (entry) => entry[key] });

return view.extend({
	load() {
		return Promise.all([L.resolveDefault(bus.usage(), null), notices.box('usage')]);
	},

	render([answer, notice]) {
		this.selected = null;
		this.table = new liveTable.LiveTable(
			[
				{ title: _('Name'), text: ({ name }) => words.shortened(name) },
				{ title: _('Kind'), text: ({ kind }) => kinds[kind] },
				octets(_('Today'), 'today'),
				octets(_('This month'), 'month'),
				octets(_('In all'), 'total'),
				{ title: _('Quota'), text: ({ quota }) => usage.quota(quota) }
			],
			{
				key: ({ key }) => key,
				placeholder: _('Nothing has been counted yet.'),
				sortBy: 3,
				descending: true,
				onSelect: (entry) => this.select(entry.key)
			}
		);
		this.whose = E('h3', {}, []);
		this.all = E('button', { class: 'btn cbi-button', click: () => this.select(null) }, [_('All together')]);
		this.days = new bars.Bars(_('The last 31 days'));
		this.months = new bars.Bars(_('The last 12 months'));
		this.charts = E('div', { class: 'cbi-section' }, [
			this.whose,
			E('p', {}, [_('Click on a row to see its traffic alone.'), ' ', this.all]),
			this.days.node,
			this.months.node
		]);
		this.clock = words.warning(
			_('The clock of this router is not set yet. What is counted now gets its day when it is.')
		);
		this.show(answer);
		poll.add(async () => this.show(await L.resolveDefault(bus.usage(), null)), SECONDS);
		return E(
			[],
			[
				E('h2', {}, [_('PPTP usage')]),
				E('div', { class: 'cbi-map-descr' }, [
					_('What users and links have moved inside their tunnels, both ways together.')
				]),
				notice,
				this.clock,
				E('div', { class: 'cbi-section' }, [this.table.node]),
				this.charts
			]
		);
	},

	select(key) {
		this.selected = key;
		this.showCharts();
	},

	show(answer) {
		this.entries = answer == null ? [] : usage.entries(answer);
		this.clock.style.display = answer?.clock_set === false ? '' : 'none';
		this.table.update(this.entries);
		this.showCharts();
	},

	showCharts() {
		const entry = this.entries.find(({ key }) => key == this.selected);
		if (!entry) this.selected = null;
		this.table.select(this.selected);
		const { days, months } = entry ?? usage.sum(this.entries);
		/* Nothing to draw: no drawing. */
		this.charts.style.display = this.entries.some(({ total }) => total > 0) ? '' : 'none';
		this.whose.textContent = entry ? words.shortened(entry.name) : _('All together');
		this.all.style.visibility = entry ? '' : 'hidden';
		this.days.update(days);
		this.months.update(months);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
