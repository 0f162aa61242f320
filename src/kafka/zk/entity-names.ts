/** The name of an entity that stands for all that have no settings of their own (`ZooKeeperInternals.DEFAULT_STRING`). */
export const DEFAULT_NAME = '<default>';

/** A name as part of a znode's path: quoted as in a URL, so that users and clients may have any name (`Sanitizer`). */
export function sanitize(name: string): string {
  return encodeURIComponent(name).replace(
    /[!'()*~]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** As for users; what ZooKeeper takes for a step in a path is escaped too. */
export function groupEntity(group: string): string {
  return /^\.\.?$/.test(group) ? group.replaceAll('.', '%2E') : sanitize(group);
}

/** The opposite. What is no quoted name at all is taken as it is: other tools may have written the znode. */
export function desanitize(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
