/** Asks for many things at once, and goes on when the last of them is answered; the results keep the order of the questions. */
export function gather<Q, R>(
  questions: readonly Q[],
  ask: (question: Q, done: (result: R) => void) => void,
  finish: (results: R[]) => void,
): void {
  const results = new Array<R>(questions.length);
  let missing = questions.length;
  if (missing === 0) return finish(results);
  questions.forEach((question, index) => {
    ask(question, (result) => {
      results[index] = result;
      missing -= 1;
      if (missing === 0) finish(results);
    });
  });
}
