'use strict';
'require baseclass';
'require pptp-gateway.causes as causes';
'require pptp-gateway.live-table as liveTable';
'require pptp-gateway.words as words';

/* What went wrong lately: one line for the same thing, with how often, and always who or which. */

const places = { server: _('server %s'), link: _('link %s'), relay: _('passthrough %s') };

/* A caller, as far as it is known, and where it called; or the link itself. */
function who({ kind, name, username, peer }) {
	const place = (places[kind] ?? '%s').format(name);
	const caller = [words.shortened(username ?? ''), peer].filter((text) => text).join(', ');
	return caller == '' ? place : `${caller} (${place})`;
}

function times({ count, first }) {
	return count > 1 ? ` ${_('%d times since %s.').format(count, words.moment(first))}` : '';
}

return baseclass.extend({
	who,

	create() {
		return new liveTable.LiveTable(
			[
				{ title: _('Last time'), text: ({ time }) => words.moment(time), value: ({ time }) => time },
				{ title: _('Who'), text: who },
				{ title: _('What happened'), text: (failure) => causes.describe(failure.cause) + times(failure) },
				{ title: _('What to do'), text: ({ cause }) => causes.remedy(cause) }
			],
			{
				key: ({ kind, name, peer, username, cause }) => JSON.stringify([kind, name, peer, username, cause.code]),
				placeholder: _('Nothing has failed.'),
				descending: true
			}
		);
	}
});
