/** Who somebody is (`KafkaPrincipal`). */
export interface Principal {
  readonly type: string;
  readonly name: string;
}

export const USER_TYPE = 'User';

/** Whoever did not have to say who they are. */
export const anonymous: Principal = { type: USER_TYPE, name: 'ANONYMOUS' };

export function isSamePrincipal(one: Principal, other: Principal): boolean {
  return one.type === other.type && one.name === other.name;
}

/** `User:ann` */
export function principalText({ type, name }: Principal): string {
  return `${type}:${name}`;
}

/** Undefined where the text has no type. */
export function principalOf(text: string): Principal | undefined {
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { type: text.slice(0, colon), name: text.slice(colon + 1) };
}
