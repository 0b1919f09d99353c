'use strict';
'require baseclass';

/* IPv4 networks: which are taken, which is free, which are private. */

const CANDIDATES = [99, 98, 97, 199, 198, 197, 73, 74, 75]
	.map((octet) => `192.168.${octet}.0/24`)
	.concat(['10.99.99.0/24', '10.199.99.0/24', '172.29.99.0/24', '172.30.99.0/24']);

const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16', '127.0.0.0/8'];

function number(address) {
	const match = String(address).match(/^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/);
	if (!match || match.slice(1).some((octet) => Number(octet) > 255)) return null;
	return match.slice(1).reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function address(value) {
	return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/* A netmask, or the length itself, as a length. */
function maskLength(mask) {
	if (/^\d{1,2}$/.test(String(mask))) return Number(mask) <= 32 ? Number(mask) : null;
	const value = number(mask);
	if (value == null) return null;
	const zeros = 2 ** 32 - value;
	const length = 32 - Math.log2(zeros);
	return Number.isInteger(length) ? length : null;
}

/* '192.168.1.7/24' or an address with a mask apart, as { first, last, length }. null: not a network. */
function parse(text, mask) {
	const [base, length] = String(text).split('/');
	const value = number(base);
	const bits = maskLength(length ?? mask ?? 32);
	if (value == null || bits == null) return null;
	const size = 2 ** (32 - bits);
	const first = Math.floor(value / size) * size;
	return { first, last: first + size - 1, length: bits };
}

function overlap(one, other) {
	return one.first <= other.last && other.first <= one.last;
}

/* '192.168.1.10-192.168.1.20' */
function parseRange(text) {
	const [first, last = first] = String(text)
		.split('-')
		.map((end) => number(end.trim()));
	return first == null || last == null || first > last ? null : { first, last };
}

return baseclass.extend({
	parse,
	overlap,
	address,
	number,

	/* Everything the router routes: the interfaces of netifd (network.interface dump) and the sections of uci network. */
	used(interfaces, sections) {
		const found = [];
		const note = (network, where) => {
			if (network && network.length != 0) found.push({ ...network, where });
		};
		for (const { interface: name, 'ipv4-address': addresses, route } of interfaces) {
			for (const entry of addresses ?? []) note(parse(entry.address, entry.mask), name);
			for (const entry of route ?? [])
				if (!String(entry.target).includes(':')) note(parse(entry.target, entry.mask), name);
		}
		for (const section of sections) {
			const name = section['.name'];
			if (section['.type'] == 'interface') {
				for (const entry of L.toArray(section.ipaddr)) note(parse(entry, section.netmask), name);
				for (const entry of L.toArray(section.network)) note(parse(entry), name);
				for (const entry of L.toArray(section.range)) note(parseRange(entry), name);
				if (section.proto == 'pptpgw') for (const entry of L.toArray(section.route)) note(parse(entry), name);
			} else if (section['.type'] == 'route') {
				note(parse(section.target, section.netmask), section.interface);
			}
		}
		return found;
	},

	/* The first who has a part of it; undefined: free. */
	takenBy(network, used, except) {
		const parsed = parse(network);
		const other =
			parsed && used.find(({ where, ...range }) => (where == null || where != except) && overlap(parsed, range));
		return other ? (other.where ?? '?') : undefined;
	},

	/* A network for a new server. */
	free(used) {
		return CANDIDATES.find((candidate) => !this.takenBy(candidate, used)) ?? null;
	},

	/* The first host, for the router itself. */
	firstHost(network) {
		return address(parse(network).first + 1);
	},

	/* Nobody outside can reach it. */
	isPrivate(text) {
		const one = parse(text);
		return one != null && PRIVATE.some((network) => overlap(one, parse(network)));
	},

	/* The IPv6 network that the provider has given, the largest of several: { text, length }, or null. */
	delegated(interfaces) {
		const found = interfaces
			.flatMap(({ up, 'ipv6-prefix': prefixes }) => (up ? (prefixes ?? []) : []))
			.map(({ address, mask }) => ({ text: `${address}/${mask}`, length: mask }))
			.sort((one, other) => one.length - other.length);
		return found[0] ?? null;
	},

	/* Where the default route leads: { interface, address }, or null. */
	upstream(interfaces) {
		const found = interfaces.find(
			({ up, route, proto }) =>
				up && proto != 'pptpgw' && (route ?? []).some(({ target, mask }) => target == '0.0.0.0' && mask == 0)
		);
		if (!found) return null;
		return { interface: found.interface, address: found['ipv4-address']?.[0]?.address ?? null };
	}
});
