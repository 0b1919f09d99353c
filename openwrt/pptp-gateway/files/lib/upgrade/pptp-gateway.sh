# Read by sysupgrade. What users and links have moved is written down before it looks for what to keep (keep.d/pptp-gateway).
save_pptp_usage() {
	ubus -t 5 call pptp usage_save >/dev/null 2>&1
}

sysupgrade_init_conffiles="save_pptp_usage $sysupgrade_init_conffiles"
