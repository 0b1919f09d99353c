/** All harnesses, in the order of `make fuzz`. */
import type { Harness } from './harness.ts';
import { accounting } from './harnesses/accounting.ts';
import { addresses } from './harnesses/addresses.ts';
import { authentication } from './harnesses/authentication.ts';
import { blobs } from './harnesses/blobs.ts';
import { bus } from './harnesses/bus.ts';
import { callerIpv6 } from './harnesses/caller-ipv6.ts';
import { captures } from './harnesses/captures.ts';
import { clientLink } from './harnesses/client-link.ts';
import { commandLine } from './harnesses/command-line.ts';
import { configuration } from './harnesses/configuration.ts';
import { controlConnection } from './harnesses/control-connection.ts';
import { controlMessages } from './harnesses/control-messages.ts';
import { dataPath } from './harnesses/data-path.ts';
import { dynamicAuthorization } from './harnesses/dynamic-authorization.ts';
import { eap } from './harnesses/eap.ts';
import { gre } from './harnesses/gre.ts';
import { importer } from './harnesses/importer.ts';
import { kernelAnswers } from './harnesses/kernel-answers.ts';
import { operation } from './harnesses/operation.ts';
import { pppFrames } from './harnesses/ppp-frames.ts';
import { pppLink } from './harnesses/ppp-link.ts';
import { pppOptions } from './harnesses/ppp-options.ts';
import { radiusClient } from './harnesses/radius-client.ts';
import { radiusPackets } from './harnesses/radius-packets.ts';
import { relay } from './harnesses/relay.ts';
import { server } from './harnesses/server.ts';
import { uci } from './harnesses/uci.ts';

/** From octets or text to values: many inputs in little time. */
export const codecs: readonly Harness[] = [
  controlMessages,
  gre,
  pppFrames,
  pppOptions,
  authentication,
  radiusPackets,
  addresses,
  blobs,
  uci,
  importer,
  kernelAnswers,
  captures,
  commandLine,
];

export const harnesses: readonly Harness[] = [
  ...codecs,
  configuration,
  bus,
  controlConnection,
  eap,
  pppLink,
  callerIpv6,
  dataPath,
  relay,
  radiusClient,
  server,
  clientLink,
  dynamicAuthorization,
  accounting,
  operation,
];
