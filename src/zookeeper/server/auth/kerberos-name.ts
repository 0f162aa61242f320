/** `service/host@REALM`, of which host and realm may be missing (KerberosName); a name without `@` is taken whole. */
export interface KerberosName {
  readonly service: string;
  readonly host: string | undefined;
  readonly realm: string | undefined;
}

/** Undefined: the name has an `@` but not that form. */
export function parseKerberosName(name: string): KerberosName | undefined {
  const match = /^([^/@]*)(?:\/([^/@]*))?@([^/@]*)$/.exec(name);
  if (match !== null) return { service: match[1] as string, host: match[2], realm: match[3] };
  return name.includes('@') ? undefined : { service: name, host: undefined, realm: undefined };
}
