/**
 * One interface of ours as netifd has it: who wants it up, and what netifd was told. Sans-IO; tests have every race.
 *
 * netifd's setup begins a generation and its teardown ends it. Within one, the tunnel is announced when it is up. When it is
 * lost we say link-up false, once; netifd then tears down and sets up again, and only then there may be another attempt.
 * After the end of a generation nothing is announced: netifd would keep the device as an orphan. What netifd shows in a dump
 * (handleStatus) makes good whatever was missed while it, ubusd or we were away.
 */
import type { Table } from '../../ubus-js/index.ts';
import type { InterfaceStatus } from './interface-status.ts';

export type ManagedOutput =
  /** It may be up now. `fresh`: somebody wants it, or the way to the peer is new: no pause is waited out. */
  | { readonly kind: 'start'; readonly fresh: boolean }
  /** It may not be up any more: its device is gone when this is carried out. */
  | { readonly kind: 'stop' }
  /** Tell netifd (notify_proto action 0). */
  | { readonly kind: 'notify'; readonly update: Table };

type State =
  /** netifd has not set it up. */
  | { readonly name: 'down' }
  | { readonly name: 'setup' }
  | { readonly name: 'up'; readonly announcement: Table }
  /** Its loss was reported; netifd will tear it down and set it up again. */
  | { readonly name: 'lost'; readonly since: number };

/** netifd kills a teardown after 5 s; what it still shows after this is what it will stay with. */
const TEARDOWN_TIME = 8_000;
const LINK_DOWN: Table = { 'link-up': false };

export class ManagedInterface {
  #state: State = { name: 'down' };
  /** The next setup is not netifd's answer to a loss. */
  #fresh = true;
  #version = 0;
  readonly #outputs: ManagedOutput[] = [];

  /** Not carried: #version, which only grows; #outputs, of which there are none. */
  save() {
    return { state: this.#state, fresh: this.#fresh };
  }

  restore({ state, fresh }: ReturnType<ManagedInterface['save']>): void {
    this.#state = state;
    this.#fresh = fresh;
  }

  /** It may be up. */
  get isSetUp(): boolean {
    return this.#state.name === 'setup' || this.#state.name === 'up';
  }

  get isAnnounced(): boolean {
    return this.#state.name === 'up';
  }

  /** Grows with every event: a dump that was asked for before the last one tells nothing. */
  get version(): number {
    return this.#version;
  }

  /** netifd has called the handler's setup. Again within a generation: netifd has forgotten the first (it was restarted). */
  handleSetup(): void {
    this.#version++;
    switch (this.#state.name) {
      case 'down':
      case 'lost':
        this.#state = { name: 'setup' };
        this.#start();
        break;
      case 'setup':
        this.#start();
        break;
      case 'up':
        this.#notify(this.#state.announcement);
        break;
    }
  }

  /** netifd has called the handler's teardown. */
  handleTeardown(): void {
    this.#version++;
    if (this.#state.name === 'down') return;
    this.#fresh ||= this.#state.name !== 'lost';
    this.#state = { name: 'down' };
    this.#outputs.push({ kind: 'stop' });
  }

  /** A person wants it up: the next setup, or the one of now, skips the pause. */
  handleDial(): void {
    this.#fresh = true;
    if (this.#state.name === 'setup') this.#start();
  }

  /** The tunnel is up; or what is to be said of it has changed. @returns false: netifd has taken the interface down */
  announce(announcement: Table): boolean {
    if (!this.isSetUp) return false;
    this.#version++;
    this.#state = { name: 'up', announcement };
    this.#notify(announcement);
    return true;
  }

  /** The tunnel is down. */
  withdraw(now: number): void {
    if (this.#state.name !== 'up') return; // netifd knows, or was never told
    this.#version++;
    this.#lose(now);
  }

  /**
   * What netifd shows.
   * @param status undefined: it knows no such interface
   */
  handleStatus(status: InterfaceStatus | undefined, now: number): void {
    const state = this.#state;
    if (status === undefined || !(status.up || status.pending)) {
      // A teardown that never reached us; one that is under way will find nothing to do.
      this.handleTeardown();
    } else if (status.up) {
      if (state.name === 'lost') this.#notify(LINK_DOWN);
      // Of an earlier life of ours: the device is gone.
      else if (state.name !== 'up') this.#lose(now);
    } else {
      switch (state.name) {
        case 'down':
          this.handleSetup();
          break;
        case 'setup':
          break;
        case 'up':
          this.#notify(state.announcement);
          break;
        case 'lost':
          if (now - state.since >= TEARDOWN_TIME) this.handleSetup();
          break;
      }
    }
  }

  poll(): ManagedOutput | undefined {
    return this.#outputs.shift();
  }

  #start(): void {
    const fresh = this.#fresh;
    this.#fresh = false;
    this.#outputs.push({ kind: 'start', fresh });
  }

  #lose(now: number): void {
    this.#state = { name: 'lost', since: now };
    this.#outputs.push({ kind: 'stop' });
    this.#notify(LINK_DOWN);
  }

  #notify(update: Table): void {
    this.#outputs.push({ kind: 'notify', update });
  }
}
