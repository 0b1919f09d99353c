/**
 * A client of a group of RADIUS servers: RFC 2865 §2.4, RFC 5080 §2.2 (asking again, another server), RFC 5997 (Status-Server),
 * RFC 6613 and 6614 (over TLS).
 *
 * A request is put to one server after the other; whichever answers first counts, even after its turn, if the answer verifies and
 * came over the socket that was asked. Answers that do not verify are counted and change nothing. Over a stream nothing is
 * sent twice: a connection that is silent is closed, and the request goes over another one.
 */
import type { Cause } from '../wire/cause.ts';
import { isMalformed } from '../wire/codec.ts';
import { decodeRadiusHeader, RadiusCode } from '../wire/radius.ts';
import { checkAnswer, outlived, type Checked } from './answer-check.ts';
import { chooseServer } from './choice.ts';
import type {
  RadiusClientOptions,
  RadiusCounter,
  RadiusRequest,
  RadiusServerOptions,
} from './client-options.ts';
import type { RadiusClientOutput, RadiusServerStatus, SocketId } from './client-output.ts';
import { ClientSocket } from './client-socket.ts';
import {
  Exchange,
  noAnswerCause,
  type Asked,
  type Purpose,
  type Server,
  type Socket,
  type Turn,
} from './exchange.ts';
import { RadiusFramer } from './framer.ts';
import { putQuestion } from './question.ts';
import { PROBE_TIME, secretCheckRequest, statusRequest } from './probes.ts';
import { nextInterval } from './retransmission.ts';
import { RadiusServer } from './server.ts';

/** Requests that wait for room; further ones fail at once. */
export const MAX_WAITING = 4096;
/** Between two questions about a secret, ms. */
const SECRET_CHECK_INTERVAL = 30_000;

export class RadiusClient<Request extends RadiusRequest> {
  readonly #options: RadiusClientOptions;
  readonly #outputs: RadiusClientOutput<Request>[] = [];
  readonly #exchanges = new Set<Exchange>();
  readonly #byRequest = new Map<RadiusRequest, Exchange>();
  /** Those of the exchanges that wait for an identifier, in their order. */
  readonly #queue: Exchange[] = [];
  readonly #sockets = new Map<SocketId, Socket>();
  #servers: Server[] = [];
  #lastSocket: SocketId = 0;
  /** No deadline is before this; it may be earlier than the next one. */
  #wake = Infinity;

  constructor(options: RadiusClientOptions, servers: readonly RadiusServerOptions[], now: number) {
    this.#options = options;
    this.configure(servers, now);
  }

  /**
   * Other servers, or other options for them; names tell which is which. What is on its way stays so: it is checked by the secret
   * that it was sent with, and finishes with a server that is no longer there.
   */
  configure(servers: readonly RadiusServerOptions[], now: number): void {
    const known = this.#servers.filter(({ isRetired }) => !isRetired);
    const kept = servers.map((options) => {
      const server = known.find(
        (other) =>
          other.options.name === options.name &&
          other.options.endpoint === options.endpoint &&
          other.options.transport === options.transport,
      );
      server?.configure(options);
      return server ?? new RadiusServer<Exchange>(options);
    });
    const retired = this.#servers.filter((server) => !kept.includes(server));
    this.#servers = [...kept, ...retired];
    for (const server of retired) {
      server.isRetired = true;
      this.#tidy(server);
    }
    this.#serveQueue(now);
  }

  handleRequest(request: Request, now: number): void {
    const exchange = new Exchange(request, now, (outcome) => {
      this.#byRequest.delete(request);
      this.#outputs.push({ ...outcome, request });
    });
    this.#byRequest.set(request, exchange);
    this.#begin(exchange, now);
  }

  /** Nobody wants the answer any more; nothing more is said of the request. */
  abandon(request: Request, now: number): void {
    const exchange = this.#byRequest.get(request);
    if (exchange === undefined) return;
    this.#byRequest.delete(request);
    this.#leave(exchange, 'given-up', now);
    this.#serveQueue(now);
  }

  handleOpened(id: SocketId, now: number): void {
    const socket = this.#sockets.get(id);
    if (socket === undefined || socket.isOpen) return;
    socket.isOpen = true;
    for (const question of socket.questions()) this.#send(question, now);
  }

  /**
   * The system says that something is wrong with an open socket, which goes on: nobody listens at the other end, perhaps.
   */
  handleTrouble(id: SocketId, detail: string): void {
    const socket = this.#sockets.get(id);
    if (socket !== undefined) socket.server.trouble = detail;
  }

  /** The socket could not be opened, or has been closed by the other end. */
  handleClosed(id: SocketId, detail: string, now: number): void {
    const socket = this.#sockets.get(id);
    if (socket === undefined) return;
    this.#forget(socket);
    const { server } = socket;
    if (socket.heard === undefined) {
      server.trouble = detail;
      this.#bury(server, now);
    }
    this.#moveFrom(socket, now);
    this.#serveQueue(now);
  }

  /** A datagram, or what came over a stream. */
  handleOctets(id: SocketId, octets: Uint8Array, now: number): void {
    const socket = this.#sockets.get(id);
    if (socket === undefined) return;
    if (socket.framer === undefined) this.#take(socket, octets, now);
    else
      for (const packet of socket.framer.push(octets))
        if (!isMalformed(packet)) this.#take(socket, packet, now);
        else {
          this.#count('malformed', socket.server);
          this.#close(socket);
          this.#moveFrom(socket, now);
        }
    this.#serveQueue(now);
  }

  nextTimeout(): number | undefined {
    return this.#wake === Infinity ? undefined : this.#wake;
  }

  handleTimeout(now: number): void {
    if (now < this.#wake) return;
    for (const exchange of [...this.#exchanges])
      if (exchange.next <= now && this.#exchanges.has(exchange)) this.#timeOut(exchange, now);
    for (const server of [...this.#servers]) {
      if (server.handleTimeout(now)) this.#probe(server, now);
      for (const socket of [...server.sockets])
        if (server.idleUntil(socket) <= now) this.#close(socket);
    }
    this.#serveQueue(now);
    this.#wake = Infinity;
    for (const { next } of this.#exchanges) this.#wakeBy(next);
    for (const server of this.#servers) this.#wakeBy(server.next());
  }

  poll(): RadiusClientOutput<Request> | undefined {
    return this.#outputs.shift();
  }

  /** The end of all: requests fail by `reason`, sockets close. */
  close(reason: Cause, now: number): void {
    for (const exchange of [...this.#exchanges]) this.#fail(exchange, reason, now);
    for (const socket of [...this.#sockets.values()]) this.#close(socket);
    this.#servers = [];
    this.#wake = Infinity;
  }

  status(): RadiusServerStatus[] {
    return this.#servers.filter(({ isRetired }) => !isRetired).map((server) => server.status());
  }

  #begin(exchange: Exchange, now: number): void {
    this.#exchanges.add(exchange);
    this.#askNext(exchange, now);
  }

  /** Puts the request to the next server, or to none: it waits for an identifier, or has failed. */
  #askNext(exchange: Exchange, now: number): void {
    const server = chooseServer(this.#servers, exchange, this.#options.random);
    if (server === 'none') this.#fail(exchange, exchange.failure('none left'), now);
    else if (server !== 'full') this.#ask(exchange, server, now);
    else if (this.#queue.length < MAX_WAITING) {
      exchange.turn = undefined;
      this.#queue.push(exchange);
      this.#wakeBy(exchange.next);
    } else this.#fail(exchange, exchange.failure('out of time'), now);
  }

  #ask(exchange: Exchange, server: Server, now: number): void {
    const { timeout, tries } = server.options;
    const isProbe = exchange.purpose !== 'request';
    const interval = isProbe ? PROBE_TIME : nextInterval(timeout, undefined, this.#options.random);
    const question = this.#question(exchange, server, now);
    exchange.turn = {
      server,
      began: now,
      question,
      left: isProbe ? 0 : tries - 1,
      interval,
      next: now + interval,
    };
    this.#wakeBy(exchange.next);
    this.#send(question, now);
  }

  /** A packet for the request, under an identifier of its own. */
  #question(exchange: Exchange, server: Server, now: number): Asked {
    const socket = server.sockets.find(({ isFull }) => !isFull) ?? this.#open(server, now);
    const question = putQuestion(socket, exchange, this.#options.random, now);
    exchange.questions.push(question);
    return question;
  }

  #open(server: Server, now: number): Socket {
    this.#lastSocket++;
    const socket = new ClientSocket<Server, Exchange>(
      this.#lastSocket,
      server,
      server.options.transport === 'tls' ? new RadiusFramer() : undefined,
      this.#options.random(1)[0]!,
      now,
    );
    this.#sockets.set(socket.id, socket);
    server.sockets.push(socket);
    this.#outputs.push({ kind: 'open', socket: socket.id, server: server.options });
    return socket;
  }

  /** Now, or when the socket is open. */
  #send(question: Asked, now: number): void {
    const { socket, octets } = question;
    if (!socket.isOpen) return;
    this.#count(question.sent === 0 ? 'sent' : 'sent-again', socket.server);
    question.sent++;
    question.firstSent ??= now;
    this.#outputs.push({ kind: 'send', socket: socket.id, octets });
  }

  #timeOut(exchange: Exchange, now: number): void {
    const { turn } = exchange;
    if (now >= exchange.deadline) {
      if (turn !== undefined) this.#noAnswer(exchange, turn, now);
      this.#fail(exchange, exchange.failure('out of time'), now);
    } else if (turn !== undefined && now >= turn.next) {
      if (turn.left === 0) {
        this.#noAnswer(exchange, turn, now);
        this.#giveUp(exchange, turn, now);
      } else if (turn.server.options.transport === 'udp') this.#sendAgain(exchange, turn, now);
      else this.#waitOrReconnect(turn, now);
    }
  }

  /** RFC 5080 §2.2.1, RFC 2866 §5.2: another Acct-Delay-Time makes another packet, under another identifier. */
  #sendAgain(exchange: Exchange, turn: Turn, now: number): void {
    const { server, question } = turn;
    server.lost(now);
    this.#goOn(turn, now);
    if (exchange.delay(now) !== question.delay && server.hasRoom && !server.isRetired)
      turn.question = this.#question(exchange, server, now);
    this.#send(turn.question, now);
    if (exchange.request.code === RadiusCode.AccessRequest) this.#checkSecret(server, now);
  }

  /** RFC 6613 §2.6: nothing is sent twice over a stream. One that has been silent since is given up, with all that waits on it. */
  #waitOrReconnect(turn: Turn, now: number): void {
    const { socket, firstSent } = turn.question;
    if (socket.heard !== undefined && socket.heard >= firstSent!) {
      this.#goOn(turn, now);
      return;
    }
    if (!socket.isOpen) turn.server.trouble = 'no connection in time';
    this.#close(socket);
    this.#moveFrom(socket, now);
  }

  /** The next interval of the turn. */
  #goOn(turn: Turn, now: number): void {
    turn.left--;
    turn.interval = nextInterval(turn.server.options.timeout, turn.interval, this.#options.random);
    turn.next = now + turn.interval;
  }

  /** The socket is gone: what waits on it goes over another one, or to another server. */
  #moveFrom(socket: Socket, now: number): void {
    const { server } = socket;
    for (const question of socket.questions()) {
      socket.release(question, 'given-up', now);
      const { exchange } = question;
      const { turn } = exchange;
      if (turn?.question !== question || !this.#exchanges.has(exchange)) continue;
      if (turn.left === 0 || server.isDead || server.isRetired || !server.hasRoom)
        this.#giveUp(exchange, turn, now);
      else {
        this.#goOn(turn, now);
        turn.question = this.#question(exchange, server, now);
        this.#send(turn.question, now);
      }
    }
  }

  /** The turn of this server is over. Its answer counts all the same while others are asked. */
  #giveUp(exchange: Exchange, { server }: Turn, now: number): void {
    exchange.tried.add(server);
    this.#askNext(exchange, now);
  }

  #noAnswer({ purpose }: Exchange, { server, began }: Turn, now: number): void {
    if (purpose !== 'request') return;
    this.#count('no-answer', server);
    if (server.heard === undefined || server.heard < began) this.#bury(server, now);
  }

  #bury(server: Server, now: number): void {
    const isNew = server.die(now);
    this.#wakeBy(server.next());
    if (!isNew) return;
    this.#count('died', server);
    const { name } = server.options;
    this.#outputs.push({
      kind: 'server-dead',
      server: name,
      cause: noAnswerCause([server], 'none'),
    });
  }

  #take(socket: Socket, octets: Uint8Array, now: number): void {
    const { server } = socket;
    const header = decodeRadiusHeader(octets);
    if (isMalformed(header)) {
      this.#count('malformed', server);
      return;
    }
    const question = socket.find(header.identifier);
    if (question?.state !== 'waiting') {
      const counter = outlived(question, octets) ?? 'unasked';
      this.#count(counter, server);
      if (counter !== 'unasked') this.#live(socket, false, now);
      return;
    }
    const checked = checkAnswer(question, octets);
    if (typeof checked === 'object') this.#answered(question, checked, now);
    else this.#dropped(question, checked, now);
  }

  #answered(question: Asked, { answer, isSigned }: Checked, now: number): void {
    const { exchange, socket } = question;
    const { server } = socket;
    this.#count('answered', server);
    const { code } = exchange.request;
    if (question.sent === 1) {
      server.roundTrip = now - question.firstSent!;
      server.kept();
    }
    if (isSigned && code === RadiusCode.AccessRequest) server.isSigning = true;
    this.#live(socket, code === RadiusCode.StatusServer, now);
    socket.release(question, 'answered', now);
    this.#leave(exchange, 'answered', now);
    exchange.report({ kind: 'answered', server: server.options.name, answer });
  }

  #dropped({ exchange, socket }: Asked, why: RadiusCounter, now: number): void {
    const { server } = socket;
    this.#count(why, server);
    if (why === 'late' || why === 'duplicate') this.#live(socket, false, now);
    else if (why === 'bad-authenticator' || why === 'bad-message-authenticator')
      server.isDistrusted = true;
    else if (why === 'no-message-authenticator') exchange.wasUnsigned = true;
  }

  #live(socket: Socket, wasStatus: boolean, now: number): void {
    const { server } = socket;
    socket.heard = now;
    if (!server.live(wasStatus, now)) return;
    this.#count('revived', server);
    this.#outputs.push({ kind: 'server-alive', server: server.options.name });
  }

  #fail(exchange: Exchange, reason: Cause, now: number): void {
    this.#leave(exchange, 'given-up', now);
    exchange.report({ kind: 'failed', cause: reason });
  }

  #leave(exchange: Exchange, state: 'answered' | 'given-up', now: number): void {
    this.#exchanges.delete(exchange);
    const at = this.#queue.indexOf(exchange);
    if (at !== -1) this.#queue.splice(at, 1);
    for (const question of exchange.questions) {
      question.socket.release(question, state, now);
      this.#tidy(question.socket.server);
    }
  }

  /** Whoever waits for an identifier and can have one now. */
  #serveQueue(now: number): void {
    for (let at = 0; at < this.#queue.length;) {
      const exchange = this.#queue[at]!;
      const server = chooseServer(this.#servers, exchange, this.#options.random);
      if (server === 'full') {
        // Where this one may go anywhere, everything is full for whoever is behind it, too.
        if (exchange.request.server === undefined && exchange.tried.size === 0) return;
        at++;
        continue;
      }
      this.#queue.splice(at, 1);
      if (server === 'none') this.#fail(exchange, exchange.failure('none left'), now);
      else this.#ask(exchange, server, now);
    }
  }

  #probe(server: Server, now: number): void {
    if (server.hasRoom)
      this.#askOurselves(statusRequest(this.#options, server.options.name), 'status', now);
  }

  /**
   * A server that finds a Message-Authenticator wrong says nothing. One that has never given a valid answer is asked without one:
   * if that brings an answer that does not verify, the secret is wrong.
   */
  #checkSecret(server: Server, now: number): void {
    const { isProven, isDistrusted, isRetired, secretChecked, options } = server;
    if (isProven || isDistrusted || isRetired || !server.hasRoom) return;
    if (now < secretChecked + SECRET_CHECK_INTERVAL) return;
    server.secretChecked = now;
    this.#askOurselves(secretCheckRequest(this.#options, options.name), 'secret-check', now);
  }

  #askOurselves(request: RadiusRequest, purpose: Purpose, now: number): void {
    this.#begin(new Exchange(request, now, () => undefined, purpose), now);
  }

  #close(socket: Socket): void {
    this.#forget(socket);
    this.#outputs.push({ kind: 'close', socket: socket.id });
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket.id);
    const { sockets } = socket.server;
    sockets.splice(sockets.indexOf(socket), 1);
  }

  /** A server that has left the configuration goes when nothing waits for it. */
  #tidy(server: Server): void {
    if (!server.isRetired || server.waiting > 0) this.#wakeBy(server.next());
    else {
      for (const socket of [...server.sockets]) this.#close(socket);
      this.#servers = this.#servers.filter((other) => other !== server);
    }
  }

  #wakeBy(time: number): void {
    this.#wake = Math.min(this.#wake, time);
  }

  #count(what: RadiusCounter, server: Server): void {
    this.#options.count(what, server.options.name);
  }
}
