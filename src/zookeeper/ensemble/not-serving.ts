import type { Connection, ConnectionHandler } from '../../runtime/network.ts';
import { Greeting, LETTERS, wordOf } from '../server/greeting.ts';
import type { ProcessView } from '../server/server-view.ts';
import { answerWordIdle } from '../server/words/four-letter-words.ts';

/** A client of a member that looks for its leader: words are answered, sessions have to go elsewhere. */
export function notServing(connection: Connection, process: ProcessView): ConnectionHandler {
  const greeting = new Greeting(process.config);
  return {
    data(chunk) {
      const bytes = greeting.add(chunk);
      if (bytes === undefined) return;
      const answer = answerWordIdle(wordOf(bytes), process, bytes.subarray(LETTERS));
      if (answer === undefined) {
        connection.destroy();
        return;
      }
      connection.write([Buffer.from(answer)]);
      connection.end();
    },
    closed: () => undefined,
  };
}
