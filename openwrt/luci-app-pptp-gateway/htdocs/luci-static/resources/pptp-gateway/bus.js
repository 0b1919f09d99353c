'use strict';
'require baseclass';
'require rpc';

/* Every call to ubus that these pages make. rpcd's ACL lists the same calls (a test compares them). */
const whole = { '': {} };

const calls = {
	status: rpc.declare({ object: 'pptp', method: 'status', expect: whole, reject: true }),
	sessions: rpc.declare({ object: 'pptp', method: 'sessions', expect: { sessions: [] }, reject: true }),
	failures: rpc.declare({ object: 'pptp', method: 'failures', expect: { failures: [] }, reject: true }),
	banPage: rpc.declare({ object: 'pptp', method: 'bans', params: ['after'], expect: whole, reject: true }),
	unban: rpc.declare({ object: 'pptp', method: 'unban', params: ['address'], expect: whole, reject: true }),
	usagePage: rpc.declare({ object: 'pptp', method: 'usage', params: ['after'], expect: whole, reject: true }),
	checkStatus: rpc.declare({ object: 'pptp', method: 'check_status', params: ['id'], expect: whole, reject: true }),
	disconnect: rpc.declare({ object: 'pptp', method: 'disconnect', params: ['id'], expect: whole, reject: true }),
	dial: rpc.declare({ object: 'pptp', method: 'dial', params: ['interface'], reject: true }),
	hangup: rpc.declare({ object: 'pptp', method: 'hangup', params: ['interface'], reject: true }),
	check: rpc.declare({ object: 'pptp', method: 'check', params: ['interface'], expect: whole, reject: true }),
	ping: rpc.declare({ object: 'pptp', method: 'ping', params: ['interface'], expect: whole, reject: true }),
	captureStart: rpc.declare({
		object: 'pptp',
		method: 'capture_start',
		params: ['seconds', 'bytes'],
		expect: whole,
		reject: true
	}),
	captureSecrets: rpc.declare({
		object: 'pptp',
		method: 'capture_secrets',
		params: ['seconds', 'bytes'],
		expect: whole,
		reject: true
	}),
	captureStop: rpc.declare({ object: 'pptp', method: 'capture_stop', expect: whole, reject: true }),
	radiusTest: rpc.declare({
		object: 'pptp',
		method: 'radius_test',
		params: ['name', 'username', 'password'],
		expect: whole,
		reject: true
	}),
	clientSetup: rpc.declare({
		object: 'pptp',
		method: 'client_setup',
		params: ['format', 'username', 'server', 'address', 'routes'],
		expect: whole,
		reject: true
	}),
	interfaces: rpc.declare({ object: 'network.interface', method: 'dump', expect: { interface: [] }, reject: true }),
	interfaceUp: rpc.declare({ object: 'network.interface', method: 'up', params: ['interface'], reject: true }),
	interfaceDown: rpc.declare({ object: 'network.interface', method: 'down', params: ['interface'], reject: true }),
	protocols: rpc.declare({ object: 'network', method: 'get_proto_handlers', expect: whole, reject: true }),
	log: rpc.declare({ object: 'pptp', method: 'log', expect: { log: [] }, reject: true }),
	access: rpc.declare({
		object: 'session',
		method: 'access',
		params: ['scope', 'object', 'function'],
		expect: { access: false }
	})
};

/* rpcd and uhttpd answer these numbers when there is no such object (the daemon does not run) or no right to call it. */
const NOT_FOUND = /error -32000|ubus code 4\b/;
const DENIED = /error -32002|ubus code 6\b/;

return baseclass.extend({
	...calls,

	/* What went wrong, in words. */
	problem(error) {
		const text = String(error?.message ?? error);
		if (NOT_FOUND.test(text)) return _('pptp-gateway is not running.');
		if (DENIED.test(text)) return _('You are not allowed to do this.');
		return text;
	},

	/* The status document, or { problem } when it cannot be had. */
	async statusOrProblem() {
		try {
			return await calls.status();
		} catch (error) {
			return { problem: this.problem(error), servers: [], links: [], disabled: [], relays: [] };
		}
	},

	/* All of them; there are at most some thousand. */
	async bans() {
		const found = [];
		let after;
		do {
			const { bans, next } = await calls.banPage(...(after == null ? [] : [after]));
			found.push(...bans);
			after = next;
		} while (after != null);
		return found;
	},

	/* Of all users and links, in one answer. */
	async usage() {
		let whole;
		for (let after; whole == null || after != null;) {
			const { next, ...page } = await calls.usagePage(...(after == null ? [] : [after]));
			for (const kind of ['users', 'links']) page[kind] = [...(whole?.[kind] ?? []), ...(page[kind] ?? [])];
			whole = page;
			after = next;
		}
		return whole;
	},

	/* netifd has not read our protocol handlers yet. null: it was not asked, or does not answer. */
	isProtocolMissing(protocols) {
		return protocols != null && protocols.pptpserver == null;
	},

	/* May this user change the configuration? Asked without loading it, for it holds passwords. */
	mayConfigure() {
		return L.resolveDefault(calls.access('uci', 'network', 'write'), false);
	}
});
