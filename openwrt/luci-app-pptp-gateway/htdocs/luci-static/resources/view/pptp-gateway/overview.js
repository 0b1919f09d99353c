'use strict';
'require view';
'require poll';
'require pptp-gateway.ban-table as banTable';
'require pptp-gateway.bus as bus';
'require pptp-gateway.failure-table as failureTable';
'require pptp-gateway.faults as faults';
'require pptp-gateway.first-steps as firstSteps';
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

function setShown(node, shown) {
	node.style.display = shown ? '' : 'none';
}

function section(title, ...content) {
	return E('div', { class: 'cbi-section' }, [E('h3', {}, [title]), ...content]);
}

/* What a section with faults would be. */
function kindOf({ file, section, kind }) {
	if (file == 'pptp') return section == null || section == 'globals' ? null : _('Passthrough');
	return file == 'network' ? (kind == 'server' ? _('Server') : _('Link')) : null;
}

/* Servers, links, passthroughs and RADIUS servers in one table, also those that have faults and do not run. */
function rowsOf({ servers, links, relays, radius, disabled, problems }, protocols) {
	const isMissing = bus.isProtocolMissing(protocols);
	const running = new Set([...servers, ...links, ...relays].map(({ name }) => name));
	const leftOut = new Map(
		(problems ?? [])
			.filter((problem) => problem.severity == 'error' && kindOf(problem) != null && !running.has(problem.section))
			.map((problem) => [problem.section, problem])
	);
	return [
		...servers.map((server) => ({
			key: `server ${server.name}`,
			name: server.name,
			kind: _('Server'),
			...words.known(words.serverState(server)),
			about: [
				_('%d of %d sessions').format(server.sessions, server.max_sessions),
				...(server.ipv6 ?? []),
				words.reason(server, isMissing)
			]
				.filter((text) => text != '')
				.join('. ')
		})),
		...links.map((link) => ({
			key: `link ${link.name}`,
			name: link.name,
			kind: _('Link to %s').format(link.server),
			...words.known(link.state),
			about: link.state == 'up' ? (link.session?.address ?? '') : words.reason(link, isMissing)
		})),
		...relays.map((relay) => ({
			key: `relay ${relay.name}`,
			name: relay.name,
			kind: _('Passthrough'),
			...words.relayState(relay),
			about: words.relayReason(relay)
		})),
		...(radius ?? []).map((server) => ({
			key: `radius ${server.name}`,
			name: server.name,
			kind: _('RADIUS server'),
			...words.radiusState(server),
			about: words.radiusDetails(server)
		})),
		...disabled.map(({ name, kind }) => ({
			key: `${kind} ${name}`,
			name,
			kind: kind == 'server' ? _('Server') : _('Link'),
			...words.known('disabled'),
			about: ''
		})),
		...[...leftOut.values()].map((problem) => ({
			key: `left out ${problem.section}`,
			name: problem.section,
			kind: kindOf(problem),
			...words.known('failed'),
			about: faults.reason(problem.message)
		}))
	];
}

return view.extend({
	load() {
		return Promise.all([
			bus.statusOrProblem(),
			L.resolveDefault(bus.sessions(), []),
			L.resolveDefault(bus.failures(), []),
			L.resolveDefault(bus.protocols(), null),
			L.resolveDefault(bus.bans(), [])
		]);
	},

	async render(data) {
		const [notice, mayConfigure] = await Promise.all([notices.box('troubleshooting'), bus.mayConfigure()]);
		this.rates = new rates.Rates();
		this.selected = null;
		this.all = E('button', { class: 'btn cbi-button', click: () => this.select(null) }, [_('All sessions')]);
		this.hint = E('span', {}, [_('Click on a session to see its traffic alone.')]);
		this.service = E('span', {}, []);
		this.tunnels = new liveTable.LiveTable(
			[
				{ title: _('Name'), text: ({ name }) => name },
				{ title: _('Kind'), text: ({ kind }) => kind },
				{ title: _('State'), text: (row) => this.stateOf(row), value: ({ word }) => word },
				{ title: _('Details'), text: ({ about }) => about }
			],
			{ key: ({ key }) => key, placeholder: _('Nothing runs.') }
		);
		this.sessions = sessionTable.create(this.rates, (session) => this.select(session.id));
		this.graph = new graph.Graph(rates.POINTS, SECONDS);
		this.failures = failureTable.create();
		this.bans = banTable.create(() => this.load().then((now) => this.show(now)));
		this.traffic = section(_('Traffic'), E('p', {}, [this.hint, ' ', this.all]), this.graph.node);
		this.parts = {
			first: firstSteps.render(mayConfigure),
			tunnels: section(_('What is set up'), this.tunnels.node),
			sessions: section(_('Sessions'), this.sessions.node),
			bans: section(_('Locked out'), this.bans.node),
			failures: section(_('Last failures'), this.failures.node)
		};

		this.show(data);
		poll.add(() => this.load().then((data) => this.show(data)), SECONDS);

		return E(
			[],
			[
				E('h2', {}, [_('PPTP')]),
				words.notice(),
				E('p', {}, [E('strong', {}, [_('Service:')]), ' ', this.service]),
				notice,
				this.parts.first,
				this.parts.tunnels,
				this.parts.sessions,
				this.traffic,
				this.parts.bans,
				this.parts.failures
			]
		);
	},

	/* The dot depends on the state only: the same node, while that is the same. */
	stateOf({ key, colour, word }) {
		this.dots ??= new Map();
		const before = this.dots.get(key);
		if (before?.word != word) this.dots.set(key, { word, node: words.dot(colour, word) });
		return this.dots.get(key).node;
	},

	select(id) {
		this.selected = id;
		this.sessions.select(id);
		this.showGraph();
	},

	/* Everything changes in place. */
	show([status, sessions, failures, protocols, bans]) {
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
		const rows = rowsOf(status, protocols);
		this.tunnels.update(rows);
		/* A table that can have nothing in it is not shown. */
		const isIdle = running && rows.length == 0;
		setShown(this.parts.first, isIdle);
		for (const part of ['tunnels', 'sessions']) setShown(this.parts[part], !isIdle);
		setShown(this.parts.failures, !isIdle || failures.length > 0);
		this.live = sessions;
		this.rates.update(sessions, performance.now());
		this.sessions.update(sessions);
		this.showGraph();
		this.bans.update(bans);
		setShown(this.parts.bans, bans.length > 0);
		this.failures.update(failures);
	},

	showGraph() {
		const session = this.live.find(({ id }) => id === this.selected);
		if (session === undefined) this.selected = null;
		this.all.style.display = session === undefined ? 'none' : '';
		const history = this.rates.history(session === undefined ? 'all' : session.id);
		setShown(
			this.traffic,
			this.rates.history('all').some(({ rx, tx }) => rx + tx > 0)
		);
		this.hint.style.display = this.live.length > 1 ? '' : 'none';
		this.graph.update(session === undefined ? _('All sessions') : `${session.username} (${session.address})`, history);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
