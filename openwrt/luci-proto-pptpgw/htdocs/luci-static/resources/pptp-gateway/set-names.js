'use strict';
'require baseclass';

/* Sets of the firewall, by the names that nftables takes. */

return baseclass.extend({
	/* Of fw4, or with family and table. */
	NAME: /^(?:(?:inet|ip|ip6)\s+[A-Za-z_][\w.-]{0,63}\s+)?(?!(?:inet|ip|ip6)$)[A-Za-z_][\w.-]{0,63}$/
});
