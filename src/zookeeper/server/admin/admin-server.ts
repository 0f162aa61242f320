import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConfigError } from '../../../config/config-error.ts';
import { HttpEndpoint, listenFault } from '../../../observability/http-endpoint.ts';
import { answerBadTarget, answerMethod, answerNowhere, sendError } from '../../../observability/http-errors.ts';
import { targetOf } from '../../../observability/http-target.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Address } from '../../../runtime/network.ts';
import type { Runtime } from '../../../runtime/runtime.ts';
import { allows, Perms } from '../../tree/acl.ts';
import type { AdminAnswer, AdminCommand, AdminRequest, FileStream } from './admin-command.ts';
import type { AdminHost, AdminTarget } from './admin-target.ts';
import { adminTls, STRICT_TRANSPORT_SECURITY } from './admin-tls.ts';
import { ensembleCommands } from './ensemble-commands.ts';
import { connectionOf, requesterOf } from './http-requester.ts';
import { type Json, prettyJson } from './json.ts';
import { lookingCommands } from './looking-commands.ts';
import { processCommands } from './process-commands.ts';
import { snapshotCommands } from './snapshot-commands.ts';

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests';
/** Of a snapshot file, between two writes. */
const STREAM_BYTES = 256 * 1024;

/** Apache's AdminServer: what operators look at, as JSON over HTTP. */
export class AdminServer {
  readonly #host: AdminHost;
  readonly #log: Log;
  readonly #byName = new Map<string, AdminCommand>();
  #endpoint: HttpEndpoint | undefined;

  constructor(runtime: Runtime, host: AdminHost) {
    this.#host = host;
    this.#log = runtime.log.named('zookeeper.admin');
    const commands = [
      ...[...lookingCommands, ...ensembleCommands, ...processCommands],
      ...snapshotCommands(host.config, runtime.clock, this.#log),
    ];
    for (const command of commands) for (const name of command.names) this.#byName.set(name, command);
  }

  /** A port that is taken is a warning: clients are served all the same (a standalone Apache server ends). So are key stores that are of no use. */
  async start(runtime: Runtime): Promise<void> {
    const { config, metrics } = this.#host;
    const { host, port, url, idleTimeoutMs } = config.admin;
    try {
      const tls = adminTls(runtime.disk, config);
      this.#endpoint = await HttpEndpoint.listen({
        network: runtime.network,
        clock: runtime.clock,
        at: { host, port },
        idleTimeoutMs,
        tls,
        accepted: (connection) => {
          if (tls !== undefined && connection.tls === undefined) metrics.insecureAdminCount.add();
        },
        handle: (request, response) => void this.#handle(request, response),
      });
      this.#log.info(
        `Started AdminServer on address ${host}, port ${this.#endpoint.address.port} and command URL ${url}`,
      );
    } catch (error) {
      this.#log.warn(`Problem starting AdminServer on address ${host}, port ${port} and command URL ${url}`, {
        reason: error instanceof ConfigError ? error.message : listenFault(error),
      });
    }
  }

  /** Undefined while it does not listen. */
  get address(): Address | undefined {
    return this.#endpoint?.address;
  }

  async close(): Promise<void> {
    await this.#endpoint?.close();
    this.#endpoint = undefined;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      this.#log.error('an admin command failed', { url: request.url, error });
      if (!response.headersSent) sendError(request, response, 500, 'the command failed, see the log of the server');
      else response.destroy();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url } = this.#host.config.admin;
    if (connectionOf(request).tls !== undefined) {
      response.setHeader('Strict-Transport-Security', STRICT_TRANSPORT_SECURITY);
    }
    const target = targetOf(request);
    if (target === undefined) return answerBadTarget(response);
    const { pathname, searchParams } = target;
    if (pathname !== url && !pathname.startsWith(`${url}/`)) return answerNowhere(request, response);
    if (answerMethod(request, response, true)) return;
    const name = pathname.slice(url.length + 1);
    if (name === '') return send(response, 200, undefined, this.#links());
    const command = this.#byName.get(name);
    const refusal = this.#refusalOf(name, command, request);
    if (refusal !== undefined || command === undefined) return this.#send(response, name, refusal ?? {});
    const isPost = methodOf(command) === 'POST';
    // Apache's servlet stumbles over its own null here, with the same status.
    if (isPost !== (request.method === 'POST'))
      return sendError(request, response, 500, `${name} takes ${methodOf(command)}`);
    const body = isPost ? await bodyOf(request) : new Uint8Array(0);
    this.#send(response, command.names[0] ?? name, await this.#run(command, { parameters: searchParams, body }));
  }

  /** Undefined if the command may run. */
  #refusalOf(name: string, command: AdminCommand | undefined, request: IncomingMessage): AdminAnswer | undefined {
    if (command === undefined) return failure(200, `Unknown command: ${name}`);
    if ('tell' in command) return undefined;
    const { server } = this.#host;
    if (server === undefined) return failure(200, NOT_SERVING);
    return command.isSecured === true ? this.#denialOf(server, request) : undefined;
  }

  #run(command: AdminCommand, request: AdminRequest): AdminAnswer | Promise<AdminAnswer> {
    if ('tell' in command) return command.tell(this.#host, request);
    const { server } = this.#host;
    // A body takes a while to come.
    return server === undefined ? failure(200, NOT_SERVING) : command.run(server, request);
  }

  /** `Authorization: <scheme> <data>`: all permissions on the root are needed. */
  #denialOf(server: AdminTarget, request: IncomingMessage): AdminAnswer | undefined {
    const { authorization } = request.headers;
    if (authorization === undefined) return failure(401, 'Auth info is missing for the command');
    const { config, tree, authentication } = server;
    const [scheme = '', data, ...rest] = authorization.split(' ');
    const needsData = scheme !== 'ip' && scheme !== 'x509';
    const auth = data === undefined ? null : Buffer.from(data);
    const ids =
      rest.length > 0 || (needsData && auth === null)
        ? 'failed'
        : authentication.authenticate({ type: 0, scheme, auth }, requesterOf(request, config.admin.trustsForwardedFor));
    if (typeof ids === 'string') return failure(401, 'Not authenticated');
    const acl = tree.acl(tree.find('/'));
    const isAllowed =
      config.skipAcl ||
      [Perms.READ, Perms.WRITE, Perms.CREATE, Perms.DELETE, Perms.ADMIN].every((perm) =>
        allows(acl, perm, ids, authentication.schemes),
      );
    return isAllowed ? undefined : failure(403, 'Not authorized');
  }

  #links(): string {
    const { url } = this.#host.config.admin;
    const names = new Set([...this.#byName.values()].map(({ names: [first = ''] }) => first));
    return [...names]
      .sort()
      .map((name) => `<a href="${url}/${name}">${name}</a>\n<br/>\n`)
      .join('');
  }

  #send(response: ServerResponse, name: string, answer: AdminAnswer): void {
    for (const [header, value] of Object.entries(answer.headers ?? {})) response.setHeader(header, value);
    if (answer.stream !== undefined) return this.#stream(response, answer.stream);
    const data = answer.data ?? {};
    const all: Record<string, Json> = { ...data, command: name };
    // A failure names the command first.
    if (answer.status !== undefined && 'error' in data) {
      delete all.error;
      all.error = data.error as Json;
    }
    if (!('error' in all)) all.error = null;
    send(response, answer.status ?? 200, 'application/json', prettyJson(all));
  }

  /** At the pace of the reader, a piece at a time. */
  #stream(response: ServerResponse, { size, read }: FileStream): void {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': size });
    let position = 0;
    const next = (): void => {
      while (position < size && !response.destroyed) {
        const piece = read(position, Math.min(STREAM_BYTES, size - position));
        position += piece.length;
        if (piece.length === 0) return void response.destroy();
        if (!response.write(piece)) return void response.once('drain', next);
      }
      response.end();
    };
    next();
  }
}

function methodOf(command: AdminCommand): 'GET' | 'POST' {
  return 'run' in command ? (command.method ?? 'GET') : 'GET';
}

function failure(status: number, error: string): AdminAnswer {
  return { status, data: { error } };
}

function send(response: ServerResponse, status: number, type: string | undefined, text: string): void {
  if (type !== undefined) response.setHeader('Content-Type', type);
  response.statusCode = status;
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
