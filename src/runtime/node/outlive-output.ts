/** A program goes on when whoever reads its output is gone (`npm start | head`); without this the next line would end it with a stack. */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
