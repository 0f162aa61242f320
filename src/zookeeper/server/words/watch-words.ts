import { printHex, type SessionId } from '../../jute/ids.ts';
import type { ServerView } from '../server-view.ts';

export function watchSummary({ tree: { watches } }: ServerView): string {
  const watchers = new Set([...watches.data.watchers(), ...watches.child.watchers()]);
  const paths = new Set([...watches.data.paths(), ...watches.child.paths()]);
  return `${watchers.size} connections watching ${paths.size} paths\nTotal watches:${watches.size}\n`;
}

export function watchesByConnection(server: ServerView): string {
  let text = '';
  for (const connection of server.connections) {
    const { data, child } = server.tree.watches;
    const paths = new Set([...data.pathsOf(connection), ...child.pathsOf(connection)]);
    if (paths.size === 0) continue;
    text += `${printHex(connection.sessionId)}\n`;
    for (const path of paths) text += `\t${path}\n`;
  }
  return `${text}\n`;
}

export function watchesByPath(server: ServerView): string {
  const byPath = new Map<string, Set<SessionId>>();
  const { data, child } = server.tree.watches;
  for (const connection of server.connections) {
    for (const path of [...data.pathsOf(connection), ...child.pathsOf(connection)]) {
      let sessions = byPath.get(path);
      if (sessions === undefined) {
        sessions = new Set();
        byPath.set(path, sessions);
      }
      sessions.add(connection.sessionId);
    }
  }
  let text = '';
  for (const [path, sessions] of byPath) {
    text += `${path}\n`;
    for (const id of sessions) text += `\t${printHex(id)}\n`;
  }
  return `${text}\n`;
}
