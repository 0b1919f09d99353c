import type { CallId, Ipv4 } from '../wire/brand.ts';

/** The packets of a relayed call in one direction. */
export interface RelayWay {
  /** Key of the relay's rules. */
  readonly relay: number;
  readonly towards: 'client' | 'server';
  /** Who sends, and our address that it sends to. */
  readonly from: { readonly address: Ipv4; readonly local: Ipv4 };
  readonly to: {
    readonly address: Ipv4;
    /** Our address as the receiver sees it. */
    readonly local: Ipv4;
    /** What the receiver chose, and what the sender was told instead. */
    readonly callId: CallId;
    readonly toldCallId: number;
  };
}
