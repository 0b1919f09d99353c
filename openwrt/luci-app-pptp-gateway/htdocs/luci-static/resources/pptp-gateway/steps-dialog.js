'use strict';
'require baseclass';
'require ui';
'require pptp-gateway.bus as bus';
'require pptp-gateway.causes as causes';
'require pptp-gateway.words as words';

/* A dialog that shows the steps of one of the daemon's checks as they are reached, and what came of it. */

const INTERVAL = 700;

const marks = {
	ok: ['\u2714', 'var(--success-color-medium, #009a4c)'],
	failed: ['\u2718', 'var(--error-color-medium, #e8210d)'],
	open: ['\u25cb', 'inherit']
};

const StepsDialog = baseclass.extend({
	/* titles: step to its title; above: what stands before the steps. */
	__init__(title, titles, ...above) {
		this.titles = titles;
		this.list = E('ul', { style: 'margin:0; padding:0' }, []);
		this.verdict = E('p', {}, []);
		this.closed = false;
		ui.showModal(words.escaped(title), [
			...above,
			this.list,
			this.verdict,
			E('div', { class: 'right' }, [
				E(
					'button',
					{
						class: 'btn cbi-button',
						click: () => {
							this.closed = true;
							ui.hideModal();
						}
					},
					[_('Dismiss')]
				)
			])
		]);
	},

	line(step, state, detail) {
		const [mark, colour] = marks[state] ?? marks.open;
		return E('li', { 'data-step': step, 'data-result': state, style: 'list-style:none; margin:.2em 0' }, [
			E('span', { style: `color:${colour}; display:inline-block; width:1.5em` }, [mark]),
			E('strong', {}, [this.titles[step] ?? step]),
			detail ? ` ${detail}` : ''
		]);
	},

	say(text, ...more) {
		this.verdict.replaceChildren(E('strong', {}, [text]), ...more);
	},

	wait(text) {
		this.verdict.replaceChildren(E('em', { class: 'spinning' }, [text]));
	},

	/*
	 * Follows a check to its end; below: lines of the caller's own. True: it got to its last step and the dialog is still
	 * open. What went wrong is said here.
	 */
	async follow(start, ...below) {
		this.wait(_('Checking…'));
		try {
			const { id } = await start();
			for (;;) {
				const { done, steps, cause } = await bus.checkStatus(id);
				if (this.closed) return false;
				const own = steps.map(({ step, result, detail }) =>
					this.line(step, result == 'ok' ? 'ok' : result == 'failed' ? 'failed' : 'open', detail)
				);
				this.list.replaceChildren(...own, ...below);
				if (done && cause != null) this.say(causes.describe(cause), ' ', causes.remedy(cause));
				if (done) return cause == null;
				await new Promise((resolve) => window.setTimeout(resolve, INTERVAL));
			}
		} catch (error) {
			this.verdict.replaceChildren(_('The check could not be made: %s').format(bus.problem(error)));
			return false;
		}
	}
});

return baseclass.extend({ StepsDialog });
