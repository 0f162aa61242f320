import assert from 'node:assert/strict';
import test from 'node:test';
import { HttpEndpoint } from '../../../observability/http-endpoint.ts';
import { answerMethod, answerNowhere } from '../../../observability/http-errors.ts';
import { Simulation } from '../../../runtime/sim/simulation.ts';
import { askHttp, type HttpAnswer, type HttpAsk } from '../testkit/http-client.ts';

/** A server with one page, `/page`, which also takes POST. */
async function server(): Promise<(path: string, asked?: HttpAsk) => Promise<HttpAnswer>> {
  const sim = new Simulation({ seed: 1 });
  const { runtime, host } = sim.machine('server');
  const at = { host, port: 80 };
  const listening = HttpEndpoint.listen({
    ...{ network: runtime.network, clock: runtime.clock, at, idleTimeoutMs: 0 },
    handle(request, response) {
      if (request.url !== '/page') answerNowhere(request, response);
      else if (!answerMethod(request, response, true)) response.end('the page');
    },
  });
  await sim.complete(listening);
  const clients = sim.machine('clients').runtime;
  return (path, asked) => askHttp(sim, clients, at, path, asked);
}

test('methods are answered as Jetty’s servlets answer them', async () => {
  const ask = await server();
  const of = async (path: string, method: string): Promise<string> => {
    const { status, headers, body } = await ask(path, { method });
    return `${status} ${headers.get('allow') ?? ''} ${body.length > 0 ? 'a page' : ''}`.trim();
  };
  for (const path of ['/page', '/other']) {
    assert.equal(await of(path, 'PUT'), '405', path);
    assert.equal(await of(path, 'DELETE'), '405', path);
    assert.equal(await of(path, 'TRACE'), '403', path);
    assert.equal(await of(path, 'PATCH'), '501', path);
  }
  assert.equal(await of('/page', 'OPTIONS'), '200 GET, HEAD, POST, TRACE, OPTIONS');
  assert.equal(await of('/other', 'OPTIONS'), '200 GET, HEAD, TRACE, OPTIONS');
  assert.equal(await of('/page', 'POST'), '200  a page');
  assert.equal(await of('/other', 'POST'), '405  a page');
  assert.equal(await of('/other', 'GET'), '404  a page');
  assert.equal(await of('/other', 'HEAD'), '404');
});

test('an error comes in the form that the client accepts', async () => {
  const ask = await server();
  const errorFor = async (accept: string): Promise<string[]> => {
    const { status, headers, body } = await ask(`/o'ther?x=<y>`, { headers: { Accept: accept } });
    assert.equal(status, 404);
    return [headers.get('content-type') ?? '', body.toString()];
  };
  const json = ['application/json', '{\n"message":"Not Found",\n"url":"/o&apos;ther",\n"status":"404"\n}'];
  assert.deepEqual(await errorFor('application/json'), json);
  assert.deepEqual(await errorFor('text/html;q=0.1, application/json'), json);
  assert.deepEqual(await errorFor('text/plain, */*'), [
    'text/plain;charset=iso-8859-1',
    'HTTP ERROR 404 Not Found\nURI: /o&apos;ther\nSTATUS: 404\nMESSAGE: Not Found\n',
  ]);
  assert.deepEqual(await errorFor('image/png'), ['', '']);
  for (const accept of ['*/*', 'text/html', 'image/png, text/*']) {
    const [type, page = ''] = await errorFor(accept);
    assert.equal(type, 'text/html;charset=iso-8859-1', accept);
    assert.match(page, /<tr><th>URI:<\/th><td>\/o&apos;ther<\/td><\/tr>\n<tr><th>STATUS:<\/th><td>404<\/td><\/tr>/);
  }
});
