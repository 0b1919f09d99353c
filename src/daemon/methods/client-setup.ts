/** Files that set a caller's machine up. There are no passwords in them. */
import { method, UbusError } from '../../ubus-js/index.ts';
import { clientSetup } from '../client-setup/client-setup.ts';
import { isSetupFormat, setupFormats } from '../client-setup/formats.ts';
import { host, prefix } from '../configuration/option-types.ts';
import type { Daemon } from '../daemon.ts';
import type { SetupDocument } from '../reports/documents.ts';

export function clientSetupMethods(daemon: Daemon) {
  return {
    client_setup: method(
      {
        format: 'string',
        username: 'string',
        server: 'string?',
        address: 'string?',
        routes: 'array?',
      },
      ({ format, username, server, address, routes = [] }): SetupDocument => {
        if (!isSetupFormat(format))
          throw new UbusError(
            'INVALID_ARGUMENT',
            `format: expected ${Object.keys(setupFormats).join(' | ')}`,
          );
        if (address !== undefined && host.parse(address) === undefined)
          throw new UbusError('INVALID_ARGUMENT', `address: expected ${host.allowed}`);
        const networks = routes.map((route) => {
          const network = typeof route === 'string' ? prefix.parse(route) : undefined;
          if (network === undefined)
            throw new UbusError(
              'INVALID_ARGUMENT',
              `routes: expected networks such as 10.1.0.0/16`,
            );
          return network;
        });
        const setup = clientSetup(daemon.inForce.configuration, username, server, address);
        if (typeof setup === 'string') throw new UbusError('NOT_FOUND', setup);
        const { extension, write } = setupFormats[format];
        return {
          file: `${setup.server}.${extension}`,
          text: write(setup.routes.length > 0 ? setup : { ...setup, routes: networks }),
        };
      },
    ),
  };
}
