/** Users and client ids may contain anything, znode names may not (`org.apache.kafka.common.utils.Sanitizer`). */
export function sanitize(name: string): string {
  return encodeURIComponent(name).replace(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What no broker has written stays as it is. */
export function desanitize(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
