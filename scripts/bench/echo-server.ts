/**
 * The generator's ceiling: a bare server that counts bytes and answers a frame of `answerBytes` for every `requestBytes`.
 * `node echo-server.ts requestBytes answerBytes`; prints its port.
 */
import { type AddressInfo, createServer } from 'node:net';

const [requestBytes = 0, answerBytes = 0] = process.argv.slice(2).map(Number);
const answer = Buffer.alloc(answerBytes);
answer.writeInt32BE(answerBytes - 4);
const server = createServer({ noDelay: true }, (socket) => {
  let received = 0;
  socket.on('data', (chunk) => {
    received += chunk.length;
    const count = Math.floor(received / requestBytes);
    received -= count * requestBytes;
    if (count === 1) socket.write(answer);
    else if (count > 1) socket.write(Buffer.concat(Array.from({ length: count }, () => answer)));
  });
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
