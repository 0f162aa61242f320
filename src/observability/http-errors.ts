import type { IncomingMessage, ServerResponse } from 'node:http';

const REASONS: { readonly [status: number]: string } = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  500: 'Server Error',
};
const READS = ['GET', 'HEAD'] as const;

/**
 * Answers what is no GET or HEAD, nor a POST where `takesPost`, as HttpServlet and Jetty do: PUT and DELETE have no servlet, TRACE
 * is forbidden, other methods are unknown. Answers whether it did.
 */
export function answerMethod(request: IncomingMessage, response: ServerResponse, takesPost: boolean): boolean {
  const { method = '' } = request;
  const taken: readonly string[] = takesPost ? [...READS, 'POST'] : READS;
  if (taken.includes(method)) return false;
  switch (method) {
    case 'OPTIONS':
      response.setHeader('Allow', [...taken, 'TRACE', 'OPTIONS'].join(', '));
      sendEmpty(response, 200);
      break;
    case 'POST':
      sendError(request, response, 405, 'HTTP method POST is not supported by this URL');
      break;
    case 'PUT':
    case 'DELETE':
      sendEmpty(response, 405);
      break;
    case 'TRACE':
      sendEmpty(response, 403);
      break;
    default:
      sendEmpty(response, 501);
  }
  return true;
}

/** What no servlet is for. */
export function answerNowhere(request: IncomingMessage, response: ServerResponse): void {
  if (!answerMethod(request, response, false)) sendError(request, response, 404);
}

/** A target that is none: nothing of the request is looked at, and the connection ends. */
export function answerBadTarget(response: ServerResponse): void {
  response.setHeader('Connection', 'close');
  send(response, 400, 'text/html;charset=iso-8859-1', '<h1>Bad Message 400</h1><pre>reason: Bad Request</pre>');
}

/** A page of Jetty's shape, in the form that the client likes best: its fields, without the names of classes. */
export function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  message = REASONS[status] ?? '',
): void {
  response.statusMessage = REASONS[status] ?? '';
  response.setHeader('Cache-Control', 'must-revalidate,no-cache,no-store');
  const [uri = ''] = (request.url ?? '').split('?', 1);
  const facts = { uri: escaped(uri), status, message: escaped(message) };
  switch (formOf(request.headers.accept)) {
    case 'html':
      return send(response, status, 'text/html;charset=iso-8859-1', htmlPage(facts));
    case 'json':
      return send(response, status, 'application/json', jsonPage(facts));
    case 'text':
      return send(response, status, 'text/plain;charset=iso-8859-1', textPage(facts));
    default:
      return sendEmpty(response, status);
  }
}

interface Facts {
  readonly uri: string;
  readonly status: number;
  readonly message: string;
}

function htmlPage({ uri, status, message }: Facts): string {
  const row = (name: string, value: string | number): string => `<tr><th>${name}:</th><td>${value}</td></tr>\n`;
  const head = '<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>';
  return (
    `<html>\n<head>\n${head}\n<title>Error ${status} ${message}</title>\n</head>\n` +
    `<body><h2>HTTP ERROR ${status} ${message}</h2>\n<table>\n` +
    `${row('URI', uri)}${row('STATUS', status)}${row('MESSAGE', message)}</table>\n</body>\n</html>\n`
  );
}

function jsonPage({ uri, status, message }: Facts): string {
  return `{\n"message":"${message}",\n"url":"${uri}",\n"status":"${status}"\n}`;
}

function textPage({ uri, status, message }: Facts): string {
  return `HTTP ERROR ${status} ${message}\nURI: ${uri}\nSTATUS: ${status}\nMESSAGE: ${message}\n`;
}

type Form = 'html' | 'json' | 'text';
const forms: { readonly [mediaType: string]: Form } = {
  'text/html': 'html',
  'text/*': 'html',
  '*/*': 'html',
  'application/json': 'json',
  'text/json': 'json',
  'text/plain': 'text',
};

/** Undefined where none of them is accepted. */
function formOf(accept: string | undefined): Form | undefined {
  if (accept === undefined) return 'html';
  const liked = accept.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    return { form: forms[type], quality: quality === undefined ? 1 : Number(quality) };
  });
  return liked.sort((a, b) => b.quality - a.quality).find(({ form }) => form !== undefined)?.form;
}

const entities: { readonly [char: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => entities[char] as string);
}

function sendEmpty(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.setHeader('Content-Length', 0);
  response.end();
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.setHeader('Content-Type', type);
  response.statusCode = status;
  response.setHeader('Content-Length', Buffer.byteLength(text, 'latin1'));
  response.end(text, 'latin1');
}
