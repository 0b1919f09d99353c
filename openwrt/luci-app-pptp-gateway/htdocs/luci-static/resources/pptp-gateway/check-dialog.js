'use strict';
'require baseclass';
'require ui';
'require pptp-gateway.bus as bus';
'require pptp-gateway.causes as causes';
'require pptp-gateway.words as words';

/* How far a link gets: the steps of the daemon's check as they are reached, and a ping at the end. */

const INTERVAL = 700;

const titles = {
	name: _('Name of the server'),
	tcp: _('TCP connection to port 1723'),
	control: _('PPTP control connection'),
	call: _('Call'),
	gre: _('GRE packets'),
	lcp: _('PPP link'),
	login: _('Login'),
	encryption: _('Encryption'),
	addresses: _('Addresses'),
	ping: _('Ping')
};

const marks = {
	ok: ['\u2714', 'var(--success-color-medium, #009a4c)'],
	failed: ['\u2718', 'var(--error-color-medium, #e8210d)'],
	open: ['\u25cb', 'inherit']
};

function line(step, state, detail) {
	const [mark, colour] = marks[state] ?? marks.open;
	return E('li', { 'data-step': step, 'data-result': state, style: 'list-style:none; margin:.2em 0' }, [
		E('span', { style: `color:${colour}; display:inline-block; width:1.5em` }, [mark]),
		E('strong', {}, [titles[step] ?? step]),
		detail ? ` ${detail}` : ''
	]);
}

/* Through the tunnel, when the link is up: from this router to the other end. */
async function ping(name) {
	const { links } = await bus.status();
	const link = links.find((other) => other.name == name);
	if (link?.state != 'up' || link.session == null)
		return { state: 'open', detail: _('the link is not up: connect it, then check again') };
	const reply = await L.resolveDefault(bus.ping(name), null);
	if (reply == null) return { state: 'open', detail: _('ping is not available') };
	const { address, answered, time } = reply;
	if (!answered)
		return {
			state: 'failed',
			detail: _('%s does not answer; some servers never do, so try a machine behind it').format(address)
		};
	return { state: 'ok', detail: time == null ? address : _('%s answers after %s ms').format(address, time) };
}

return baseclass.extend({
	async open(name) {
		let closed = false;
		const list = E('ul', { style: 'margin:0; padding:0' }, []);
		const verdict = E('p', {}, [E('em', { class: 'spinning' }, [_('Checking…')])]);
		ui.showModal(_('Check of %s').format(words.escaped(name)), [
			list,
			verdict,
			E('div', { class: 'right' }, [
				E(
					'button',
					{
						class: 'btn cbi-button',
						click: () => {
							closed = true;
							ui.hideModal();
						}
					},
					[_('Dismiss')]
				)
			])
		]);
		try {
			const { id } = await bus.check(name);
			for (;;) {
				const { done, steps, cause } = await bus.checkStatus(id);
				if (closed) return;
				const own = steps.map(({ step, result, detail }) =>
					line(step, result == 'ok' ? 'ok' : result == 'failed' ? 'failed' : 'open', detail)
				);
				list.replaceChildren(...own, line('ping', 'open', ''));
				if (!done) {
					await new Promise((resolve) => window.setTimeout(resolve, INTERVAL));
					continue;
				}
				if (cause != null) {
					verdict.replaceChildren(E('strong', {}, [causes.describe(cause)]), ' ', causes.remedy(cause));
					return;
				}
				verdict.replaceChildren(E('em', { class: 'spinning' }, [_('Ping…')]));
				const { state, detail } = await ping(name);
				if (closed) return;
				list.lastChild.replaceWith(line('ping', state, detail));
				verdict.replaceChildren(
					E('strong', {}, [
						state == 'failed' ? _('The link is up, but the ping was not answered.') : _('Everything works up to here.')
					])
				);
				return;
			}
		} catch (error) {
			verdict.replaceChildren(_('The check could not be made: %s').format(bus.problem(error)));
		}
	}
});
