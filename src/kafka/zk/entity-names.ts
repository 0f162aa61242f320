/** Users and client ids may contain anything, znode names may not (`org.apache.kafka.common.utils.Sanitizer`). */
export function sanitize(name: string): string {
  return encodeURIComponent(name).replace(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** As for users; what ZooKeeper takes for a step in a path is escaped too. */
export function groupEntity(group: string): string {
  return /^\.\.?$/.test(group) ? group.replaceAll('.', '%2E') : sanitize(group);
}

/** What no broker has written stays as it is. */
export function desanitize(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
