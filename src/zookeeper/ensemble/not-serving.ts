import type { ZooCfg } from '../../config/zoo-cfg.ts';
import type { Connection, ConnectionHandler } from '../../runtime/network.ts';
import { Greeting, wordOf } from '../server/greeting.ts';
import { answerWordIdle } from '../server/words/four-letter-words.ts';

/** A client of a member that looks for its leader: words are answered, sessions have to go elsewhere. */
export function notServing(connection: Connection, config: ZooCfg): ConnectionHandler {
  const greeting = new Greeting(config);
  return {
    data(chunk) {
      const bytes = greeting.add(chunk);
      if (bytes === undefined) return;
      const answer = answerWordIdle(wordOf(bytes), config);
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
