import { ConfigError } from './config-error.ts';

/** One login module of a section: `class flag key="value" …;` */
export interface LoginModule {
  readonly className: string;
  readonly options: ReadonlyMap<string, string>;
}

/** Sections by name. */
export type JaasConfig = ReadonlyMap<string, readonly LoginModule[]>;

export interface JaasOptions {
  /** For messages. */
  readonly file: string;
  /** The key that says it, where it is no file. */
  readonly key?: string;
  /** What `${name}` in a value stands for. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** The module of DIGEST-MD5, the one mechanism here. */
export const DIGEST_LOGIN_MODULE = 'org.apache.zookeeper.server.auth.DigestLoginModule';
const USER_PREFIX = 'user_';

/** Passwords by name, of a server's module: `user_bob="secret"`. Never to be logged. */
export function usersOf({ options }: LoginModule): [string, string][] {
  return [...options].flatMap(([key, password]): [string, string][] =>
    key.startsWith(USER_PREFIX) ? [[key.slice(USER_PREFIX.length), password]] : [],
  );
}

const FLAGS: ReadonlySet<string> = new Set(['required', 'requisite', 'sufficient', 'optional']);
/** White space and comments; a lone slash begins a comment too, as in Java. */
const BLANK = /(?:\s+|\/\*[\s\S]*?\*\/|\/(?!\*)[^\r\n]*)+/y;
const TOKEN = /[{};=]|[A-Za-z$_*\u00a0-\u00ff-][\w.$*\u00a0-\u00ff-]*|"(?:[^"\\\r\n]|\\.)*"/y;
const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/**
 * Reads a JAAS login configuration (the file that `java.security.auth.login.config` names), as Java's ConfigFile does:
 *
 *   Section { class flag key="value" …; … };
 *
 * @throws ConfigError with the line, never with a value: it may be a password
 */
export function parseJaas(text: string, options: JaasOptions): JaasConfig {
  const parser = new JaasParser(text, options);
  const sections = new Map<string, readonly LoginModule[]>();
  while (!parser.isAtEnd) {
    const name = parser.word('the name of a section');
    if (sections.has(name)) throw parser.fault(`a second section ${name}`);
    parser.sign('{');
    const modules: LoginModule[] = [];
    while (!parser.has('}')) modules.push(moduleOf(parser));
    parser.sign('}');
    parser.sign(';');
    sections.set(name, modules);
  }
  return sections;
}

function moduleOf(parser: JaasParser): LoginModule {
  const className = parser.word('the class of a login module');
  const flag = parser.word('a flag');
  if (!FLAGS.has(flag.toLowerCase())) throw parser.fault(`expected one of ${[...FLAGS].join(', ')} after ${className}`);
  const options = new Map<string, string>();
  while (!parser.has(';')) {
    const key = parser.word('the key of an option, or ;');
    parser.sign('=');
    options.set(
      key,
      parser.expanded(parser.word(`the value of ${key}, in quotes if it has other characters than letters`)),
    );
  }
  parser.sign(';');
  return { className, options };
}

class JaasParser {
  readonly #text: string;
  readonly #options: JaasOptions;
  #at = 0;

  constructor(text: string, options: JaasOptions) {
    this.#text = text;
    this.#options = options;
  }

  get isAtEnd(): boolean {
    this.#skip(BLANK);
    return this.#at >= this.#text.length;
  }

  has(sign: string): boolean {
    return !this.isAtEnd && this.#text[this.#at] === sign;
  }

  sign(sign: string): void {
    if (!this.has(sign)) throw this.fault(`expected ${sign}`);
    this.#at += 1;
  }

  /** Bare or in quotes. */
  word(what: string): string {
    if (this.isAtEnd) throw this.fault(`the file ends where ${what} should be`);
    const token = this.#skip(TOKEN);
    if (token === '' || '{};='.includes(token)) throw this.fault(`expected ${what}`);
    return token.startsWith('"') ? unquoted(token) : token;
  }

  /** Java's PropertyExpander: `${name}`, and `${/}` for the slash. */
  expanded(value: string): string {
    return value.replaceAll(/\$\{([^{}]*)\}/g, (_, name: string) => {
      const property = name === '/' ? '/' : this.#options.properties?.[name];
      if (property === undefined) throw this.fault(`no system property ${name} is set`);
      return property;
    });
  }

  fault(what: string): ConfigError {
    const line = this.#text.slice(0, this.#at).split(/\r\n|\n|\r/).length;
    const { key = 'java.security.auth.login.config', file } = this.#options;
    return new ConfigError(key, file, `line ${line}: ${what}`);
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ''] = pattern.exec(this.#text) ?? [];
    this.#at += found.length;
    return found;
  }
}

function unquoted(token: string): string {
  return token.slice(1, -1).replaceAll(/\\([0-3]?[0-7]{1,2}|.)/g, (_, escaped: string) => {
    if (/^[0-7]/.test(escaped)) return String.fromCharCode(Number.parseInt(escaped, 8));
    return escapes[escaped] ?? escaped;
  });
}
