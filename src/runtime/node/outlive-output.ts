/** A server goes on when whoever reads its output is gone (`npm start | head`); without this the next line would end it. */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
