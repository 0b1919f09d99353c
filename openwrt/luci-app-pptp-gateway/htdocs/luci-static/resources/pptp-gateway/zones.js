'use strict';
'require baseclass';
'require uci';

/* The firewall zone of a server or a link, and what may pass between zones. Reads and writes uci firewall, which is loaded. */

const zones = () => uci.sections('firewall', 'zone');
const forwardings = () => uci.sections('firewall', 'forwarding');
const isOn = ({ enabled }) => enabled == null || enabled == '1';

function zoneOf(network) {
	return zones().find((zone) => L.toArray(zone.network).includes(network)) ?? null;
}

function forwarding(src, dest) {
	return forwardings().find((entry) => entry.src == src && entry.dest == dest && isOn(entry)) ?? null;
}

function allow(src, dest, allowed) {
	const existing = forwarding(src, dest);
	if (allowed && !existing) {
		const sid = uci.add('firewall', 'forwarding');
		uci.set('firewall', sid, 'src', src);
		uci.set('firewall', sid, 'dest', dest);
	} else if (!allowed && existing) {
		uci.remove('firewall', existing['.name']);
	}
}

/* For callers who may not reach the router otherwise: names, and the ping that everybody tries first. */
const ALWAYS = {
	DNS: { proto: ['tcp', 'udp'], dest_port: '53' },
	Ping: { family: 'ipv4', proto: 'icmp', icmp_type: ['echo-request'] }
};

function allowInput(zone, allowed) {
	for (const [what, values] of Object.entries(ALWAYS)) {
		const name = `Allow-${what}-${zone}`;
		const existing = uci.sections('firewall', 'rule').find((rule) => rule.src == zone && rule.name == name);
		if (allowed && !existing) {
			const sid = uci.add('firewall', 'rule');
			for (const [option, value] of Object.entries({ name, src: zone, ...values, target: 'ACCEPT' }))
				uci.set('firewall', sid, option, value);
		} else if (!allowed && existing) {
			uci.remove('firewall', existing['.name']);
		}
	}
}

const othersIn = (zone, network) => L.toArray(zone.network).filter((name) => name != network);

/* A zone of its own for a network: at most 11 characters, as older firewalls want, and not one that exists. */
function ensureZone(network, values) {
	const found = zoneOf(network);
	if (found) return found;
	const taken = new Set(zones().map(({ name }) => name));
	const base = network.slice(0, 9);
	let name = network.slice(0, 11);
	for (let i = 2; taken.has(name); i++) name = `${base}${i}`;
	const sid = uci.add('firewall', 'zone');
	for (const [option, value] of Object.entries({ name, network: [network], ...values }))
		uci.set('firewall', sid, option, value);
	return uci.get('firewall', sid);
}

return baseclass.extend({
	zoneOf,

	/* Zones whose machines are ours: they do not masquerade and let us in. */
	inside() {
		return zones().filter((zone) => zone.masq != '1' && zone.name != 'wan' && !this.isTunnel(zone));
	},

	/* The way to the Internet: zones that masquerade, without those of links. */
	outside() {
		return zones().filter((zone) => (zone.masq == '1' || zone.name == 'wan') && !this.isTunnel(zone));
	},

	/* Nothing else is in it. */
	isTunnel(zone) {
		const networks = L.toArray(zone.network);
		return (
			networks.length > 0 &&
			networks.every((network) => ['pptpgw', 'pptpserver', 'pptp'].includes(uci.get('network', network, 'proto')))
		);
	},

	lan() {
		return this.inside().find(({ name }) => name == 'lan') ?? this.inside()[0] ?? null;
	},

	wan() {
		return this.outside().find(({ name }) => name == 'wan') ?? this.outside()[0] ?? null;
	},

	/* What callers of a server may reach: { router, lan, internet, back }; back: the LAN may reach the callers. */
	reach(network) {
		const zone = zoneOf(network);
		if (!zone) return { router: false, lan: false, internet: false, back: false };
		const lan = this.lan()?.name;
		const wan = this.wan()?.name;
		/* Within a zone its own rule decides. */
		const passes = (src, dest) => (src == dest ? zone.forward == 'ACCEPT' : forwarding(src, dest) != null);
		return {
			router: zone.input == 'ACCEPT',
			lan: passes(zone.name, lan),
			internet: passes(zone.name, wan),
			back: passes(lan, zone.name)
		};
	},

	/* A zone that others are in, too, is not changed for the sake of one: who wants something else gets a zone of its own. */
	writeReach(network, { router, lan, internet, back }) {
		const shared = zoneOf(network);
		const others = shared ? othersIn(shared, network) : [];
		if (others.length) {
			const now = this.reach(network);
			if (now.router == router && now.lan == lan && now.internet == internet && now.back == back) return;
			uci.set('firewall', shared['.name'], 'network', others);
		}
		const zone = ensureZone(network, { output: 'ACCEPT', forward: 'REJECT' });
		uci.set('firewall', zone['.name'], 'input', router ? 'ACCEPT' : 'REJECT');
		allowInput(zone.name, !router);
		if (this.lan()) {
			allow(zone.name, this.lan().name, lan);
			allow(this.lan().name, zone.name, back);
		}
		if (this.wan()) allow(zone.name, this.wan().name, internet);
	},

	/* Zones that may use a link. */
	users(network) {
		const zone = zoneOf(network);
		return zone
			? this.inside()
					.map(({ name }) => name)
					.filter((name) => forwarding(name, zone.name))
			: [];
	},

	/* A link is like a wan: masquerading, nobody comes in. */
	writeUsers(network, names) {
		const zone = ensureZone(network, { input: 'REJECT', output: 'ACCEPT', forward: 'REJECT', masq: '1', mtu_fix: '1' });
		for (const { name } of this.inside()) allow(name, zone.name, names.includes(name));
	},

	/* The network is deleted: its own zone goes with it, a shared one stays. */
	forget(network) {
		const zone = zoneOf(network);
		if (!zone) return;
		const others = othersIn(zone, network);
		if (others.length) {
			uci.set('firewall', zone['.name'], 'network', others);
			return;
		}
		for (const type of ['forwarding', 'rule', 'redirect'])
			for (const entry of uci.sections('firewall', type))
				if (entry.src == zone.name || entry.dest == zone.name) uci.remove('firewall', entry['.name']);
		uci.remove('firewall', zone['.name']);
	},

	/* Redirects of TCP 1723 from outside to another machine: callers would never reach us. */
	stolenPort(port) {
		const wanted = Number(port);
		return uci.sections('firewall', 'redirect').filter((entry) => {
			const proto = L.toArray(entry.proto).join(' ');
			const ports = String(entry.src_dport ?? '')
				.split(/[-:]/)
				.map(Number);
			return (
				isOn(entry) &&
				entry.src == (this.wan()?.name ?? 'wan') &&
				(proto == '' || /tcp|all|any/.test(proto)) &&
				(entry.src_dport == null || (ports[0] <= wanted && wanted <= (ports[1] ?? ports[0])))
			);
		});
	}
});
