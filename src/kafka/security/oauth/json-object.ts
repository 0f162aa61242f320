/** What a text of JSON has by name; undefined where it is no object. */
export function jsonObjectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Of a part of a token. */
export function jsonObjectOfPart(part: string): Readonly<Record<string, unknown>> | undefined {
  return jsonObjectOf(Buffer.from(part, 'base64url').toString());
}
