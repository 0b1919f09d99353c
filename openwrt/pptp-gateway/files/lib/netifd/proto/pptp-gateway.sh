#!/bin/sh
# netifd's handlers of our interfaces: they only tell the daemon, which reads the section itself (no option is declared: then
# a change restarts nothing here, and no password is in our arguments). It answers at once and reports to netifd later.
# Without it the interface stays pending, and the daemon adopts it when it starts.

. /lib/functions.sh
. ../netifd-proto.sh
init_proto "$@"

pptp_gateway_call() {
	json_init
	json_add_string interface "$2"
	ubus -t 4 call pptp "$1" "$(json_dump)" >/dev/null 2>&1
}

pptp_gateway_setup() {
	pptp_gateway_call link_setup "$1" || ubus list pptp >/dev/null 2>&1 || proto_notify_error "$1" SERVICE_NOT_RUNNING
}

pptp_gateway_teardown() {
	pptp_gateway_call link_teardown "$1" || return 0
}

pptp_gateway_init_config() {
	no_device=1
	available=1
	no_proto_task=1
	teardown_on_l3_link_down=1
	lasterror=1
}

proto_pptpgw_init_config() { pptp_gateway_init_config; }
proto_pptpgw_setup() { pptp_gateway_setup "$1"; }
proto_pptpgw_teardown() { pptp_gateway_teardown "$1"; }

proto_pptpserver_init_config() { pptp_gateway_init_config; }
proto_pptpserver_setup() { pptp_gateway_setup "$1"; }
proto_pptpserver_teardown() { pptp_gateway_teardown "$1"; }

add_protocol pptpgw
add_protocol pptpserver

# Of two handlers of one name netifd takes the first: pptp is ours only while the stock client is absent.
ls /usr/lib/pppd/*/pptp.so >/dev/null 2>&1 || {
	proto_pptp_init_config() { pptp_gateway_init_config; }
	proto_pptp_setup() { pptp_gateway_setup "$1"; }
	proto_pptp_teardown() { pptp_gateway_teardown "$1"; }
	add_protocol pptp
}
