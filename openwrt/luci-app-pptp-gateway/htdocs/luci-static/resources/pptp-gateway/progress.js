'use strict';
'require baseclass';
'require poll';
'require uci';
'require pptp-gateway.bus as bus';
'require pptp-gateway.causes as causes';
'require pptp-gateway.server-form as serverForm';
'require pptp-gateway.step-line as stepLine';
'require pptp-gateway.subnets as subnets';
'require pptp-gateway.words as words';
'require pptp-gateway.zones as zones';

/* How far the set-up of a server has come: what is reached, what is in the way, and what to try next. */

const SECONDS = 3;

function listening({ port, ...server }) {
	const state = words.serverState(server);
	if (state == 'listening') return ['ok', _('It waits for callers on TCP port %d.').format(port)];
	return [state == 'failed' ? 'failed' : 'open', words.reason(server) || words.stateWord(state)];
}

function users(name) {
	if (L.toArray(uci.get('network', name, 'accounts')).includes('radius'))
		return ['ok', _('RADIUS servers decide on logins.')];
	const count = serverForm.usersOf(name).filter(({ enabled }) => enabled != '0').length;
	if (count == 0) return ['failed', _('Nobody may call yet: add users on the page Users.')];
	return ['ok', count == 1 ? _('1 user may call.') : _('%d users may call.').format(count)];
}

/* As far as this router can tell. */
function reachable(name, { port, last_caller }, upstream) {
	if (last_caller && !subnets.isPrivate(last_caller.peer))
		return ['ok', _('A caller from %s has come through.').format(last_caller.peer)];
	const [other] = zones.stolenPort(port);
	if (other)
		return [
			'failed',
			_('The firewall rule "%s" forwards TCP port %d to %s: callers reach that machine, not this router.').format(
				other.name ?? '?',
				port,
				other.dest_ip ?? '?'
			)
		];
	if (!upstream?.address) return ['failed', _('This router has no connection to the Internet.')];
	if (subnets.isPrivate(upstream.address))
		return [
			'failed',
			_(
				'The address of this router on the Internet side is private (%s on %s): nobody outside can reach it. Ask the provider for a public address, or forward TCP port 1723 and GRE to this router on the device in front of it.'
			).format(upstream.address, upstream.interface)
		];
	if (uci.get('network', name, 'open_firewall') == '0')
		return ['open', _('The firewall is not opened by this service (Advanced, Open the firewall).')];
	return [
		'ok',
		_(
			'The address %s is public, and nothing on this router is in the way. Whether the provider lets calls in only a call shows.'
		).format(upstream.address)
	];
}

function firstCaller(name, { local_address, last_caller }, upstream, failures) {
	if (last_caller)
		return [
			'ok',
			_('%s from %s, %s.').format(
				words.shortened(last_caller.username),
				last_caller.peer,
				words.moment(last_caller.time)
			)
		];
	const failed = failures.findLast((failure) => failure.kind == 'server' && failure.name == name);
	if (failed)
		return [
			'failed',
			_('A call from %s did not succeed: %s').format(failed.peer || '?', causes.describe(failed.cause))
		];
	return [
		'open',
		_(
			'Nobody yet. Call %s from outside, not from your own network, and then ping %s there: that answers as soon as the tunnel is up.'
		).format(upstream?.address ?? _('this router'), local_address)
	];
}

/* After the first caller the last one is what counts. */
const titleOf = (step, state) => (step == 'caller' && state == 'ok' ? _('Last caller:') : titles[step]);

const titles = {
	listening: _('Listening:'),
	users: _('Users:'),
	reachable: _('Reachable from outside:'),
	caller: _('First caller:')
};

return baseclass.extend({
	/* server: of the status document. What each step has come to: { step: [state, sentence] } */
	steps(server, upstream, failures) {
		const { name } = server;
		return {
			listening: listening(server),
			users: users(name),
			reachable: reachable(name, server, upstream),
			caller: firstCaller(name, server, upstream, failures)
		};
	},

	/* A node that keeps itself up to date. names: gives the servers it is about. */
	async follow(names) {
		const node = E('div', {}, []);
		let shown = '';
		const show = ([status, failures, interfaces]) => {
			const upstream = subnets.upstream(interfaces);
			const servers = status.servers.filter(({ name }) => names().includes(name));
			const key = JSON.stringify([servers, failures, upstream]);
			if (shown === key) return;
			shown = key;
			node.replaceChildren(
				...servers.map((server) =>
					E('div', { class: 'cbi-section', 'data-server': server.name }, [
						E('h3', {}, [_('What the server %s has reached').format(server.name)]),
						this.render(server, upstream, failures)
					])
				)
			);
		};
		const ask = () =>
			Promise.all([
				bus.statusOrProblem(),
				L.resolveDefault(bus.failures(), []),
				L.resolveDefault(bus.interfaces(), [])
			]);
		show(await ask());
		poll.add(async () => show(await ask()), SECONDS);
		return node;
	},

	/* One line where all is well. */
	render(server, upstream, failures) {
		const steps = this.steps(server, upstream, failures);
		const isWell = Object.values(steps).every(([state]) => state == 'ok');
		return isWell
			? E('p', {}, [words.dot('good', _('Everything works.')), ` ${titleOf('caller', 'ok')} ${steps.caller[1]}`])
			: stepLine.list(
					Object.entries(steps).map(([step, [state, sentence]]) =>
						stepLine.line(step, state, titleOf(step, state), sentence)
					)
				);
	}
});
