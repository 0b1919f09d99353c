/** As netifd-proto.sh: dump describes each protocol, setup and teardown call the function of the one that was asked for. */
export const library = `
json_init() { json=; }
json_add_string() { json="{\\"$1\\":\\"$2\\"}"; }
json_dump() { echo "$json"; }
proto_notify_error() { echo "error $*" >>/tmp/calls; }
init_proto() {
	proto=$1 cmd=$2 interface=$3
	add_protocol() {
		no_device=0 available=0 no_proto_task=0 teardown_on_l3_link_down=0 lasterror=0
		case $cmd in
		dump) "proto_$1_init_config"; echo "$1 $no_device $available $no_proto_task $teardown_on_l3_link_down $lasterror" ;;
		*) [ "$proto" != "$1" ] || "proto_$1_$cmd" "$interface" "" ;;
		esac
	}
}
proto_config_add_string() { echo "declared $1"; }
`;
