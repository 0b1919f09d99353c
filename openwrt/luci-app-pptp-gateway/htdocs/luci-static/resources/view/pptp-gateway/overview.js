'use strict';
'require view';
'require poll';
'require pptp-gateway.bus as bus';
'require pptp-gateway.causes as causes';
'require pptp-gateway.faults as faults';
'require pptp-gateway.graph as graph';
'require pptp-gateway.live-table as liveTable';
'require pptp-gateway.notices as notices';
'require pptp-gateway.rates as rates';
'require pptp-gateway.session-table as sessionTable';
'require pptp-gateway.words as words';

const SECONDS = 3;

function setText(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

/* Servers and links in one table, also those that have faults and do not run. */
function rowsOf({ servers, links, disabled, problems }, protocols) {
	const isMissing = bus.isProtocolMissing(protocols);
	const running = new Set([...servers, ...links].map(({ name }) => name));
	const leftOut = new Map(
		(problems ?? [])
			.filter(({ file, section, severity }) => file == 'network' && severity == 'error' && !running.has(section))
			.map((problem) => [problem.section, problem])
	);
	return [
		...servers.map((server) => ({
			key: `server ${server.name}`,
			name: server.name,
			kind: _('Server'),
			state: words.serverState(server),
			about: [_('%d of %d sessions').format(server.sessions, server.max_sessions), words.reason(server, isMissing)]
				.filter((text) => text != '')
				.join('. ')
		})),
		...links.map((link) => ({
			key: `link ${link.name}`,
			name: link.name,
			kind: _('Link to %s').format(link.server),
			state: link.state,
			about: link.state == 'up' ? (link.session?.address ?? '') : words.reason(link, isMissing)
		})),
		...disabled.map(({ name, kind }) => ({
			key: `${kind} ${name}`,
			name,
			kind: kind == 'server' ? _('Server') : _('Link'),
			state: 'disabled',
			about: ''
		})),
		...[...leftOut.values()].map(({ section, kind, message }) => ({
			key: `left out ${section}`,
			name: section,
			kind: kind == 'server' ? _('Server') : _('Link'),
			state: 'failed',
			about: faults.reason(message)
		}))
	];
}

return view.extend({
	load() {
		return Promise.all([
			bus.statusOrProblem(),
			L.resolveDefault(bus.sessions(), []),
			L.resolveDefault(bus.failures(), []),
			L.resolveDefault(bus.protocols(), null)
		]);
	},

	async render(data) {
		const notice = await notices.box('troubleshooting');
		this.rates = new rates.Rates();
		this.selected = null;
		this.all = E('button', { class: 'btn cbi-button', click: () => this.select(null) }, [_('All sessions')]);
		this.service = E('span', {}, []);
		this.tunnels = new liveTable.LiveTable(
			[
				{ title: _('Name'), text: ({ name }) => name },
				{ title: _('Kind'), text: ({ kind }) => kind },
				{ title: _('State'), text: ({ state }) => words.stateWord(state), value: ({ state }) => state },
				{ title: _('Details'), text: ({ about }) => about }
			],
			{ key: ({ key }) => key, placeholder: _('No server and no link is configured yet.') }
		);
		/* The state has a coloured dot, which depends on the state only. */
		const dots = new Map();
		this.tunnels.columns[2].text = ({ key, state }) => {
			const before = dots.get(key);
			if (before?.state != state) dots.set(key, { state, node: words.state(state) });
			return dots.get(key).node;
		};
		this.sessions = sessionTable.create(this.rates, (session) => this.select(session.id));
		this.graph = new graph.Graph(rates.POINTS, SECONDS);
		this.failures = new liveTable.LiveTable(
			[
				{ title: _('Time'), text: ({ time }) => words.moment(time), value: ({ time }) => time },
				{ title: _('Where'), text: ({ name }) => name },
				{
					title: _('Who'),
					text: ({ username, peer }) => [words.shortened(username ?? ''), peer].filter((text) => text).join(', ')
				},
				{ title: _('What happened'), text: ({ cause }) => causes.describe(cause) },
				{ title: _('What to do'), text: ({ cause }) => causes.remedy(cause) }
			],
			{ key: (failure) => failure.key, placeholder: _('Nothing has failed.'), descending: true }
		);

		this.show(data);
		poll.add(() => this.load().then((data) => this.show(data)), SECONDS);

		return E(
			[],
			[
				E('h2', {}, [_('PPTP')]),
				words.notice(),
				E('p', {}, [E('strong', {}, [_('Service:')]), ' ', this.service]),
				notice,
				E('div', { class: 'cbi-section' }, [E('h3', {}, [_('Servers and links')]), this.tunnels.node]),
				E('div', { class: 'cbi-section' }, [E('h3', {}, [_('Sessions')]), this.sessions.node]),
				E('div', { class: 'cbi-section' }, [
					E('h3', {}, [_('Traffic')]),
					E('p', {}, [_('Click on a session to see its traffic alone.'), ' ', this.all]),
					this.graph.node
				]),
				E('div', { class: 'cbi-section' }, [E('h3', {}, [_('Last failures')]), this.failures.node])
			]
		);
	},

	select(id) {
		this.selected = id;
		this.sessions.select(id);
		this.showGraph();
	},

	/* Everything changes in place. */
	show([status, sessions, failures, protocols]) {
		const running = status.problem == null;
		if (this.running !== running) {
			this.running = running;
			this.service.replaceChildren(running ? words.dot('good', _('running')) : words.dot('bad', status.problem));
			this.about = E('span', {}, []);
			this.service.append('. ', this.about);
		}
		setText(
			this.about,
			running ? _('Version %s, up for %s').format(status.version, words.duration(status.uptime)) : ''
		);
		this.tunnels.update(rowsOf(status, protocols));
		this.live = sessions;
		this.rates.update(sessions, performance.now());
		this.sessions.update(sessions);
		this.showGraph();
		this.failures.update(
			failures.map((failure, index) => ({
				...failure,
				key: `${failure.time} ${failure.name} ${failure.peer} ${failure.username} ${index}`
			}))
		);
	},

	showGraph() {
		const session = this.live.find(({ id }) => id === this.selected);
		if (session === undefined) this.selected = null;
		this.all.style.visibility = session === undefined ? 'hidden' : '';
		this.graph.update(
			session === undefined ? _('All sessions') : `${session.username} (${session.address})`,
			this.rates.history(session === undefined ? 'all' : session.id)
		);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
