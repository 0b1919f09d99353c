/**
 * The option negotiation automaton (RFC 1661 §4). The table below is the RFC's own (§4.1), in its notation: actions,
 * a slash, the next state's number; a mark r, p or x refers to the RFC's notes on the options restart, passive and
 * crossed connection, none of which this implementation takes.
 */

export const states = [
  'Initial',
  'Starting',
  'Closed',
  'Stopped',
  'Closing',
  'Stopping',
  'Req-Sent',
  'Ack-Rcvd',
  'Ack-Sent',
  'Opened',
] as const;
export type State = (typeof states)[number];

// prettier-ignore
const table = {
  //        0        1             2             3                4        5        6             7             8             9
  'Up':    ['2',     'irc,scr/6',  '-',          '-',             '-',     '-',     '-',          '-',          '-',          '-'],
  'Down':  ['-',     '-',          '0',          'tls/1',         '0',     '1',     '1',          '1',          '1',          'tld/1'],
  'Open':  ['tls/1', '1',          'irc,scr/6',  '3r',            '5r',    '5r',    '6',          '7',          '8',          '9r'],
  'Close': ['0',     'tlf/0',      '2',          '2',             '4',     '4',     'irc,str/4',  'irc,str/4',  'irc,str/4',  'tld,irc,str/4'],
  'TO+':   ['-',     '-',          '-',          '-',             'str/4', 'str/5', 'scr/6',      'scr/6',      'scr/8',      '-'],
  'TO-':   ['-',     '-',          '-',          '-',             'tlf/2', 'tlf/3', 'tlf/3p',     'tlf/3p',     'tlf/3p',     '-'],
  'RCR+':  ['-',     '-',          'sta/2',      'irc,scr,sca/8', '4',     '5',     'sca/8',      'sca,tlu/9',  'sca/8',      'tld,scr,sca/8'],
  'RCR-':  ['-',     '-',          'sta/2',      'irc,scr,scn/6', '4',     '5',     'scn/6',      'scn/7',      'scn/6',      'tld,scr,scn/6'],
  'RCA':   ['-',     '-',          'sta/2',      'sta/3',         '4',     '5',     'irc/7',      'scr/6x',     'irc,tlu/9',  'tld,scr/6x'],
  'RCN':   ['-',     '-',          'sta/2',      'sta/3',         '4',     '5',     'irc,scr/6',  'scr/6x',     'irc,scr/8',  'tld,scr/6x'],
  'RTR':   ['-',     '-',          'sta/2',      'sta/3',         'sta/4', 'sta/5', 'sta/6',      'sta/6',      'sta/6',      'tld,zrc,sta/5'],
  'RTA':   ['-',     '-',          '2',          '3',             'tlf/2', 'tlf/3', '6',          '6',          '8',          'tld,scr/6'],
  'RUC':   ['-',     '-',          'scj/2',      'scj/3',         'scj/4', 'scj/5', 'scj/6',      'scj/7',      'scj/8',      'scj/9'],
  'RXJ+':  ['-',     '-',          '2',          '3',             '4',     '5',     '6',          '6',          '8',          '9'],
  'RXJ-':  ['-',     '-',          'tlf/2',      'tlf/3',         'tlf/2', 'tlf/3', 'tlf/3',      'tlf/3',      'tlf/3',      'tld,irc,str/5'],
  'RXR':   ['-',     '-',          '2',          '3',             '4',     '5',     '6',          '7',          '8',          'ser/9'],
} as const;

export type Event = keyof typeof table;
export const events = Object.keys(table) as Event[];

/** RFC 1661 §4.4: this-layer-up and so on, send-Configure-Request and so on. */
export type Action =
  | 'tlu'
  | 'tld'
  | 'tls'
  | 'tlf'
  | 'irc'
  | 'zrc'
  | 'scr'
  | 'sca'
  | 'scn'
  | 'str'
  | 'sta'
  | 'scj'
  | 'ser';

export interface Transition {
  /** In the order in which they are carried out. */
  readonly actions: readonly Action[];
  readonly next: State;
}

/** What `event` does in `state`; `undefined` is the table's "-": it cannot happen there. */
export function transition(state: State, event: Event): Transition | undefined {
  return transitions[event][states.indexOf(state)];
}

function compile(cell: string): Transition | undefined {
  if (cell === '-') return undefined;
  const [last, before = ''] = cell.split('/').reverse();
  return {
    actions: before === '' ? [] : (before.split(',') as Action[]),
    next: states[Number.parseInt(last!, 10)]!,
  };
}

const transitions = Object.fromEntries(
  events.map((event) => [event, table[event].map(compile)]),
) as Record<Event, (Transition | undefined)[]>;
