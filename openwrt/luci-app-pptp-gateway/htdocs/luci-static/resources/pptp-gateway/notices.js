'use strict';
'require baseclass';
'require fs';
'require poll';
'require ui';
'require pptp-gateway.bus as bus';
'require pptp-gateway.faults as faults';
'require pptp-gateway.words as words';

/*
 * What every page has above its content: the way to its help, what of the configuration is not in force, and what keeps the
 * rest from working.
 */

/* Of these pages; a test holds it to the daemon's. */
const VERSION = '1.0.0';

const SECONDS = 5;
const RESTART_SECONDS = 30;

/* Until the answer is there, or a time-out. */
async function restarted(order, isThere) {
	await L.resolveDefault(order);
	for (let i = 0; i < RESTART_SECONDS; i++) {
		await new Promise((resolve) => window.setTimeout(resolve, 1000));
		if (await isThere()) {
			window.location.reload();
			return;
		}
	}
	ui.addNotification(
		null,
		E('p', {}, [_('It was restarted, but nothing has changed: is the package pptp-gateway installed completely?')]),
		'danger'
	);
}

const restartNetwork = () =>
	restarted(
		fs.exec('/etc/init.d/network', ['restart']),
		async () => (await L.resolveDefault(bus.protocols(), null))?.pptpserver != null
	);

const restartService = () =>
	restarted(
		fs.exec('/etc/init.d/pptp-gateway', ['restart']),
		async () => (await bus.statusOrProblem()).version == VERSION
	);

const Notices = baseclass.extend({
	__init__() {
		this.node = E('div', {}, []);
	},

	show([status, protocols, mayConfigure]) {
		const key = JSON.stringify([status.problem, status.version, status.problems, protocols?.pptpserver, mayConfigure]);
		if (this.shown === key) return;
		this.shown = key;
		const button = (text, handler) =>
			mayConfigure
				? [E('button', { class: 'btn cbi-button cbi-button-action', click: ui.createHandlerFn(null, handler) }, [text])]
				: [];
		const found = [];
		if (status.problem != null) found.push(words.warning(status.problem));
		if (status.version != null && status.version != VERSION)
			found.push(
				words.warning(
					_(
						'The service still runs as version %s, but version %s is installed, to which these pages belong. Restarting it ends the sessions of the moment.'
					).format(status.version, VERSION),
					...button(_('Restart the service'), restartService)
				)
			);
		if (bus.isProtocolMissing(protocols))
			found.push(
				words.warning(
					_(
						'Networking has to restart once after the installation to know PPTP servers and links. It takes about 10 seconds; connections through this router pause.'
					),
					...button(_('Restart networking'), restartNetwork)
				)
			);
		const list = (problems) =>
			E(
				'ul',
				{ style: 'margin:0; padding-left:1.2em; list-style:disc; color:inherit' },
				problems.map((problem) => E('li', {}, [faults.describe(problem)]))
			);
		const problems = status.problems ?? [];
		const errors = problems.filter(({ severity }) => severity == 'error');
		const others = problems.filter(({ severity }) => severity != 'error');
		if (errors.length)
			found.push(words.warning(_('Not everything is in force as it was saved; the rest is.'), list(errors)));
		if (others.length) found.push(words.warning(_('The configuration needs a look.'), list(others)));
		this.node.replaceChildren(...found);
	}
});

return baseclass.extend({
	VERSION,
	Notices,

	/* A node that keeps itself up to date. help: one of the documentation's pages, which the package brings (tools/docs/help.ts). */
	async box(help) {
		const mayConfigure = await bus.mayConfigure();
		const ask = async () => [await bus.statusOrProblem(), await L.resolveDefault(bus.protocols(), null), mayConfigure];
		const notices = new Notices();
		notices.show(await ask());
		poll.add(async () => notices.show(await ask()), SECONDS);
		return E('div', {}, [
			E('p', {}, [
				E('a', { href: L.resource(`pptp-gateway/help/${help}.html`), target: '_blank' }, [
					_('Help for this page (in English)')
				])
			]),
			notices.node
		]);
	}
});
