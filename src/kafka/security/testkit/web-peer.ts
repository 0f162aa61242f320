import { HttpEndpoint } from '../../../observability/http-endpoint.ts';
import type { SimMachine } from '../../../runtime/sim/sim-machine.ts';

export interface WebRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export type WebAnswer = { readonly status?: number; readonly body: string } | 'silence';

/** A provider of tokens or keys in a simulated world, on port 80. */
export class WebPeer {
  readonly asked: WebRequest[] = [];
  answer: (request: WebRequest) => WebAnswer;

  constructor(answer: (request: WebRequest) => WebAnswer) {
    this.answer = answer;
  }

  async listen({ runtime, host }: SimMachine): Promise<void> {
    await HttpEndpoint.listen({
      network: runtime.network,
      clock: runtime.clock,
      at: { host, port: 80 },
      idleTimeoutMs: 0,
      handle: (request, response) => {
        const { method, url, headers } = request;
        const chunks: Uint8Array[] = [];
        request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
        request.on('end', () => {
          const asked = { method, url, headers, body: Buffer.concat(chunks).toString() };
          this.asked.push(asked);
          const answer = this.answer(asked);
          if (answer === 'silence') return;
          response.statusCode = answer.status ?? 200;
          response.end(answer.body);
        });
      },
    });
  }
}
