'use strict';
'require baseclass';

/* Where nothing is set up yet: the three things that this program can do, each with the way there. */

const ways = [
	[
		'server',
		_('Enable a server'),
		_('Telephones, PCs and other routers call this router from outside, and reach what is behind it.')
	],
	[
		'links#add',
		_('Add a link'),
		_('This router calls a PPTP server, at the office or at a provider, and keeps the connection up.')
	],
	[
		'passthrough',
		_('Passthrough'),
		_('PPTP of other machines goes through this router, to a server outside or inside.')
	]
];

return baseclass.extend({
	render(mayConfigure) {
		if (!mayConfigure) return E('p', {}, [E('em', {}, [_('Nothing is set up yet.')])]);
		return E('div', { class: 'cbi-section' }, [
			E('h3', {}, [_('Nothing is set up yet. What do you want to do?')]),
			...ways.map(([page, title, text]) =>
				E('p', { style: 'display:flex; flex-wrap:wrap; gap:.3em 1em; align-items:center' }, [
					E(
						'a',
						{
							class: 'btn cbi-button cbi-button-action',
							style: 'min-width:12em; text-align:center',
							href: L.url('admin/vpn/pptp', page)
						},
						[title]
					),
					E('span', { style: 'flex:1 1 20em' }, [text])
				])
			)
		]);
	}
});
