'use strict';
'require baseclass';
'require pptp-gateway.bus as bus';
'require pptp-gateway.steps-dialog as stepsDialog';

/* How far a link gets: the steps of the daemon's check, and a ping at the end. */

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
		const dialog = new stepsDialog.StepsDialog(_('Check of %s').format(name), titles);
		const pingLine = dialog.line('ping', 'open', '');
		if (!(await dialog.follow(() => bus.check(name), pingLine))) return;
		dialog.wait(_('Ping…'));
		try {
			const { state, detail } = await ping(name);
			pingLine.replaceWith(dialog.line('ping', state, detail));
			dialog.say(
				state == 'failed' ? _('The link is up, but the ping was not answered.') : _('Everything works up to here.')
			);
		} catch (error) {
			dialog.say(_('The check could not be made: %s').format(bus.problem(error)));
		}
	}
});
