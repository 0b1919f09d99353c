'use strict';
'require view';
'require fs';
'require poll';
'require ui';
'require pptp-gateway.bus as bus';
'require pptp-gateway.log-lines as logLines';
'require pptp-gateway.log-sentences as logSentences';
'require pptp-gateway.notices as notices';
'require pptp-gateway.words as words';

const SECONDS = 5;
const CAPTURE_SECONDS = 120;
const CAPTURE_BYTES = 8 * 1024 * 1024;

const LEVELS = { error: _('error'), warning: _('warning'), info: _('info'), debug: _('debug') };
const COLOURS = { error: 'bad', warning: 'busy', info: 'good', debug: 'off' };

return view.extend({
	load() {
		return Promise.all([this.read(), bus.statusOrProblem(), bus.mayConfigure(), notices.box('troubleshooting')]);
	},

	read() {
		return L.resolveDefault(bus.log(), []);
	},

	render([entries, status, mayConfigure, notice]) {
		this.entries = entries;
		/* What can be read in it opens the account: for those only who may read the passwords anyway. */
		this.secretsBox = mayConfigure ? E('input', { type: 'checkbox', id: 'pptp-secrets' }, []) : null;
		this.levelBox = E(
			'select',
			{ class: 'cbi-input-select', style: 'width:auto', change: () => this.show() },
			logLines.LEVELS.map((level) =>
				E('option', { value: level, selected: level == 'info' ? 'selected' : null }, [LEVELS[level]])
			)
		);
		this.aboutBox = E('select', { class: 'cbi-input-select', style: 'width:auto', change: () => this.show() }, [
			E('option', { value: '' }, [_('everything')])
		]);
		this.list = E('div', {}, []);
		this.captureBox = E('div', {}, []);
		this.showCapture(status.capture ?? null);
		this.show();
		poll.add(async () => {
			this.entries = await this.read();
			this.show();
		}, SECONDS);

		return E(
			[],
			[
				E('h2', {}, [_('PPTP log')]),
				notice,
				E('div', { class: 'cbi-section' }, [
					E('p', { style: 'display:flex; flex-wrap:wrap; gap:.5em 1.5em; align-items:center' }, [
						E('label', {}, [_('Level:'), ' ', this.levelBox]),
						E('label', {}, [_('About:'), ' ', this.aboutBox]),
						E('span', {}, [
							_(
								'Newest first, since the service was started. How much is written is set by the log level under Service.'
							)
						])
					]),
					this.list
				]),
				E('div', { class: 'cbi-section' }, [
					E('h3', {}, [_('Packet capture')]),
					E('p', {}, [
						_(
							'Records control messages and GRE of all sessions for at most two minutes, as a pcap file for Wireshark. Passwords and challenges are blacked out.'
						)
					]),
					this.captureBox
				])
			]
		);
	},

	show() {
		this.offer(logLines.subjects(this.entries));
		const filter = { level: this.levelBox.value, about: this.aboutBox.value };
		const lines = logLines.select(this.entries, filter);
		const key = JSON.stringify([filter, lines.length, lines[0], lines.at(-1)]);
		if (this.shown === key) return;
		this.shown = key;
		this.list.replaceChildren(
			...(lines.length == 0
				? [E('em', {}, [_('No such lines.')])]
				: lines.map(({ time, level, text }) =>
						E('div', { style: 'white-space:pre-wrap; overflow-wrap:anywhere; margin:.15em 0' }, [
							words.dot(COLOURS[level], LEVELS[level]),
							` ${words.moment(time)} `,
							/* As it stands in the system log. */
							E('span', { title: text }, [logSentences.of(text)])
						])
					))
		);
	},

	/* The choice of servers, links and sessions grows with the log; what is chosen stays. */
	offer(subjects) {
		const key = subjects.join(' ');
		if (this.offered === key) return;
		this.offered = key;
		const chosen = this.aboutBox.value;
		this.aboutBox.replaceChildren(
			E('option', { value: '' }, [_('everything')]),
			...subjects.map((subject) =>
				E('option', { value: subject }, [subject.startsWith('#') ? _('session %s').format(subject.slice(1)) : subject])
			)
		);
		this.aboutBox.value = subjects.includes(chosen) ? chosen : '';
	},

	/* capture: { path } while one runs. */
	showCapture(capture) {
		const button = (style, text, handler) =>
			E(
				'button',
				{
					class: `btn cbi-button ${style}`,
					disabled: L.hasViewPermission() ? null : 'disabled',
					click: ui.createHandlerFn(this, handler)
				},
				[text]
			);
		this.captureBox.replaceChildren(
			...(capture == null
				? [
						button('cbi-button-action', _('Start capture'), 'startCapture'),
						...(this.secretsBox
							? [' ', E('label', {}, [this.secretsBox, ' ', _('with login data and payload in the clear')])]
							: [])
					]
				: [
						E('span', { class: 'spinning' }, [_('Recording…')]),
						' ',
						button('cbi-button-action important', _('Stop and download'), 'stopCapture')
					])
		);
	},

	async startCapture() {
		try {
			this.showCapture(
				this.secretsBox?.checked
					? await bus.captureSecrets(CAPTURE_SECONDS, CAPTURE_BYTES)
					: await bus.captureStart(CAPTURE_SECONDS, CAPTURE_BYTES)
			);
		} catch (error) {
			ui.addNotification(
				null,
				E('p', {}, [_('The capture could not be started: %s').format(bus.problem(error))]),
				'danger'
			);
		}
	},

	async stopCapture() {
		try {
			const { path, packets, fault } = await bus.captureStop();
			this.showCapture(null);
			if (fault != null)
				ui.addNotification(null, E('p', {}, [_('Recording ended early: %s').format(fault)]), 'warning');
			const blob = await fs.read_direct(path, 'blob');
			const link = E('a', { href: URL.createObjectURL(blob), download: `pptp-${packets}-packets.pcap` }, []);
			link.click();
			URL.revokeObjectURL(link.href);
		} catch (error) {
			this.showCapture(null);
			ui.addNotification(
				null,
				E('p', {}, [_('The capture could not be fetched: %s').format(bus.problem(error))]),
				'danger'
			);
		}
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
