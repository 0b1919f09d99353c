'use strict';
'require baseclass';
'require pptp-gateway.bus as bus';
'require pptp-gateway.causes as causes';
'require pptp-gateway.dialog as dialog';
'require pptp-gateway.step-line as stepLine';

/* A dialog that shows the steps of one of the daemon's checks as they are reached, and what came of it. */

const INTERVAL = 700;

const StepsDialog = baseclass.extend({
	/* titles: step to its title; above: what stands before the steps; action: of dialog.show. */
	__init__(title, titles, { above = [], action } = {}) {
		this.titles = titles;
		this.list = stepLine.list();
		this.verdict = E('p', {}, []);
		this.closed = false;
		dialog.show(title, [...above, this.list, this.verdict], { action, dismissed: () => (this.closed = true) });
	},

	line(step, state, detail) {
		return stepLine.line(step, state, this.titles[step] ?? step, detail);
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
