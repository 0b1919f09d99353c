/** UCI text of a link that comes back soon after a loss. */
export const password = 'correct horse battery';

export const link = (
  name: string,
  address: string,
  username: string,
  options = '',
) => `config interface '${name}'
	option proto 'pptpgw'
	option server '${address}'
	option username '${username}'
	option password '${password}'
	option defaultroute '0'
	option holdoff '1'
	option holdoff_max '1'
	option keepalive '3 1'
${options}`;
