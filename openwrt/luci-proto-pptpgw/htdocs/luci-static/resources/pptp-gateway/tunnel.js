'use strict';
'require baseclass';
'require network';
'require uci';
'require pptp-gateway.causes as causes';
'require pptp-gateway.device-name as deviceName';

return baseclass.extend({
	/* What the protocols pptpgw and pptpserver have in common. */
	register(protocol, { title, prefix, renderFormOptions }) {
		network.registerPatternVirtual(/^pptps?-/);
		causes.register(network);

		return network.registerProtocol(protocol, {
			getI18n() {
				return title;
			},

			getIfname() {
				return this._ubus('l3_device') || uci.get('network', this.sid, 'pppname') || deviceName.of(prefix, this.sid);
			},

			/* LuCI would invent the name <protocol>-<interface> for an interface that is down. */
			getDevice() {
				return network.instantiateDevice(this.getIfname(), this);
			},

			getPackageName() {
				return 'pptp-gateway';
			},

			/* LuCI before 2025 asks this. */
			getOpkgPackage() {
				return 'pptp-gateway';
			},

			isFloating() {
				return true;
			},

			isVirtual() {
				return true;
			},

			getDevices() {
				return null;
			},

			containsDevice(ifname) {
				return network.getIfnameOf(ifname) == this.getIfname();
			},

			renderFormOptions
		});
	}
});
